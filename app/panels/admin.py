"""What can be set up, each with a sentence; the pages themselves stand in the packages that they administer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from flask import Response

from app.auth.actor import current_actor
from app.auth.guards import requires
from app.http.panels import PanelBlueprint, page
from app.panels import case_words, record_words
from app.texts import noted

bp = PanelBlueprint("panel_admin", __name__)


@dataclass(frozen=True)
class Place:
    """One thing to set up, who may (a scope of its doors), and what it is for."""

    path: str
    label: str
    scope: str
    text: str


GROUPS: Sequence[tuple[str, Sequence[Place]]] = (
    (
        noted("People"),
        (
            Place("users", noted("Users"), "users:write", noted("Who works here, in which role, and who is away.")),
            Place("teams", noted("Teams and skills"), "teams:write", noted("Whose work is whose, who can do what.")),
        ),
    ),
    (
        noted("Who gets a case, and what to do with it"),
        (
            Place("rules", noted("Routing rules"), "routing:write", noted("Which case goes to whom, and why.")),
            Place("playbooks", noted("Playbooks"), "playbooks:write", noted("Questions, tasks and drafts by reason.")),
        ),
    ),
    (
        noted("What is promised"),
        (
            Place("calendars", noted("Calendars"), "calendars:write", noted("When you are open and when not.")),
            Place(
                "service-levels",
                noted("Service levels"),
                "promises:write",
                noted("What a contract promises: how soon you answer, tell more and close."),
            ),
            Place("ladders", noted("Reminders"), "promises:write", noted("Who is told before and after it is due.")),
        ),
    ),
    (
        noted("Around it"),
        (
            Place("embedding", noted("In the CRM, and sign-in"), "settings:write", noted("Which pages may show this.")),
            Place("imports", noted("Imports"), "imports:write", noted("Accounts, people and cases from files.")),
            Place("tokens", noted("API tokens"), "tokens:write", noted("Keys for programs that call Firsthand.")),
            Place("webhooks", noted("Webhooks"), "webhooks:write", noted("Which systems are told of what happens.")),
            Place("outbox", noted("Messages that failed"), "outbox:read", noted("What did not arrive, to send again.")),
            Place("settings", noted("Settings"), "settings:write", noted("Time zone, currency, duty owner and days.")),
        ),
    ),
)  # fmt: skip


@bp.get("/admin")
@requires("settings:write")
def index() -> Response:
    """Only what the reader's scopes allow."""
    actor = current_actor()
    groups = [(title, [place for place in places if actor.may(place.scope)]) for title, places in GROUPS]
    return page("panels/admin.html", groups=[(title, places) for title, places in groups if places])


@bp.app_template_global("zones")
@cache
def zones() -> list[str]:
    """Time zones by the names of their places."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


@bp.app_template_global("word_of")
def word_of(table: str, key: str) -> str:
    """A code of the engine in the reader's words: `word_of("CLOCKS", "close")`."""
    return case_words.word(getattr(case_words, table), key)


@bp.app_template_global("words_of")
def words_of(table: str) -> list[tuple[str, str]]:
    """A whole table of words as the choices of a form."""
    return case_words.choices(getattr(case_words, table))


bp.add_app_template_global(case_words.what_happens, "what_happens")
bp.add_app_template_global(record_words.field, "field_word")
bp.add_app_template_global(record_words.fact, "fact_word")


@bp.app_template_filter("as_choices")
def as_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names that stand for themselves."""
    return [(name, name) for name in names]
