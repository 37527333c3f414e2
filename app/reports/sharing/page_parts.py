"""What the pages of views, mails and links share: the report of the page one comes from, and its question in words."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Blueprint, g, request
from sqlalchemy import select

from app.accounts.models import Account
from app.auth.models import User
from app.auth.roles import SCOPES_OF
from app.db import db
from app.http.forms import with_offset
from app.http.parser import UNSTORABLE
from app.reports.sharing.kinds import KINDS
from app.reports.sharing.spans import SPANS
from app.texts import gettext, noted

bp = Blueprint("report_sharing", __name__, template_folder="templates")

SPAN_WORDS = {
    "this_month": noted("This month"),
    "last_month": noted("Last month"),
    "this_quarter": noted("This quarter"),
    "last_quarter": noted("Last quarter"),
    "this_year": noted("This year"),
    "last_year": noted("Last year"),
    "last_3_months": noted("The last 3 months"),
    "last_6_months": noted("The last 6 months"),
    "last_12_months": noted("The last 12 months"),
    "last_30_days": noted("The last 30 days"),
    "last_90_days": noted("The last 90 days"),
}
ASKED = ("as_of", "from", "to", "span", "accounts", "own_accounts", "account_id")
MOST_READERS = 200


def spans() -> list[tuple[str, str]]:
    return [(key, gettext(SPAN_WORDS[key])) for key in SPANS]


def kinds() -> list[tuple[str, str]]:
    """The reports that need no account, to choose from."""
    return [(kind.key, gettext(kind.label)) for kind in KINDS.values() if not kind.of_account]


def proposed() -> dict[str, Any]:
    """The report and arguments that the page's address proposes: those of the page one comes from."""
    said = {name: UNSTORABLE.sub("", request.args.get(name, "")).strip() for name in ("report", "view_id", *ASKED)}
    arguments: dict[str, Any] = {name: said[name] for name in ASKED if said[name]}
    if "accounts" in arguments:
        arguments["accounts"] = [one for one in arguments["accounts"].split(",") if one]
    if "as_of" in arguments:
        arguments["as_of"] = with_offset(arguments["as_of"])
    known = said["report"] if said["report"] in KINDS else None
    return {"report": known, "view_id": said["view_id"] or None, "arguments": arguments}


def list_readers() -> list[dict[str, Any]]:
    """Colleagues who may read reports, by name."""
    roles = [role for role, scopes in SCOPES_OF.items() if "reports:read" in scopes]
    asked = select(User.name, User.email).where(User.active, User.role.in_(roles)).order_by(User.name, User.email)
    return [{"name": row.name, "email": row.email} for row in db.session.execute(asked.limit(MOST_READERS))]


@bp.app_template_global("keep_report")
def keep_report() -> str | None:
    """The question of the report on this page, for a view, a mail or a link of it; None where it is none to keep."""
    actor = g.get("actor")
    if actor is None or not actor.may("reports:write"):
        return None
    # One that asks for more of the address comes before the page that it is a part of.
    for kind in sorted(KINDS.values(), key=lambda kind: "?" not in kind.page):
        found = _asked_of(kind.page)
        if found is not None:
            said = {name: request.args[name] for name in ASKED if request.args.get(name)}
            return urlencode({"report": kind.key, **said, **found})
    return None


def _asked_of(page: str) -> Mapping[str, str] | None:
    """What this page's path says of the report: its account; None when it is another's page."""
    place, _, asked = page.partition("?")
    if any(request.args.get(name) != value for name, value in parse_qsl(asked)):
        return None
    path = request.path.removeprefix("/panel")
    before, named, after = place.partition("{account_id}")
    if not named:
        return {} if path == place else None
    inside = path.removeprefix(before).removesuffix(after)
    return {"account_id": inside} if path.startswith(before) and _is_id(inside) else None


def _is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True


@bp.app_template_filter("report_asked")
def in_words(arguments: Mapping[str, Any], label: str) -> str:
    """What a report is asked, as one reads it in a list."""
    return " · ".join([gettext(label), *_told(arguments)])


@bp.app_template_global("report_label")
def label_of(report: str) -> str:
    return KINDS[report].label if report in KINDS else report


@bp.app_template_global("report_takes_days")
def takes_days(report: str) -> bool:
    return report in KINDS and "from" in KINDS[report].takes


def _told(arguments: Mapping[str, Any]) -> Iterator[str]:
    if "account_id" in arguments:
        name = db.session.scalar(select(Account.name).where(Account.id == UUID(arguments["account_id"])))
        yield name or ""
    if span := arguments.get("span"):
        yield gettext(SPAN_WORDS[span])
    elif "from" in arguments or "to" in arguments:
        ends = {name: _day(arguments.get(name)) for name in ("from", "to")}
        yield gettext("raised %(first)s to %(last)s") % {"first": ends["from"], "last": ends["to"]}
    if "accounts" in arguments:
        yield gettext("%(number)s accounts") % {"number": len(arguments["accounts"])}
    if arguments.get("own_accounts"):
        yield gettext("the reader's own accounts")
    if "as_of" in arguments:
        yield gettext("as of %(day)s") % {"day": arguments["as_of"][:10]}


def _day(value: str | None) -> str:
    return date.fromisoformat(value).isoformat() if value else "…"
