"""The ways through the panel: which pages a person has, and the words and signs that every page shares."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from flask import Blueprint, g, request
from markupsafe import Markup, escape

from app import clock, texts
from app.auth.actor import current_actor
from app.auth.settings import tenant_settings
from app.db import NoTenantScope
from app.panels import wording
from app.panels.told import told
from app.texts import noted

bp = Blueprint("navigation", __name__)


@dataclass(frozen=True)
class Item:
    path: str
    label: str
    scope: str
    key: str | None = None

    @property
    def current(self) -> bool:
        return request.path.startswith(f"/panel{self.path}")


ITEMS = (
    Item("/mine", noted("My work"), "escalations:read"),
    Item("/accounts", noted("Accounts"), "accounts:read"),
    Item("/outages", noted("Outages"), "escalations:read"),
    Item("/team", noted("Team"), "routing:read"),
    Item("/reports", noted("Reports"), "reports:read"),
    Item("/inbox", noted("Inbox"), "notifications:read"),
    Item("/admin", noted("Admin"), "settings:write"),
)

bp.add_app_template_filter(texts.money, "money")


@bp.app_template_global("navigation")
def navigation() -> list[dict[str, Any]]:
    """The pages of this person; none before they are known."""
    actor = g.get("actor")
    if actor is None:
        return []
    items = [item for item in ITEMS if current_actor().may(item.scope)]
    return [
        {"path": item.path, "label": texts.gettext(item.label), "current": item.current, "key": item.key}
        for item in items
    ]


bp.add_app_template_filter(told, "told")


@bp.app_template_filter("moment")
def moment(at: datetime | None, theirs: str | None = None) -> str | Markup:
    """A time as `in 3 days`, exact in the viewer's zone on focus; with `theirs` in the account's zone as well."""
    if at is None:
        return "–"
    told = exact(at, viewer_zone())
    if theirs and theirs != viewer_zone():
        told = texts.gettext("%(ours)s, your time · %(theirs)s theirs") % {
            "ours": told, "theirs": exact(at, theirs, brief=_same_day(at, theirs))
        }  # fmt: skip
    return Markup('<time datetime="{}" title="{}" tabindex="0">{}</time>').format(at.isoformat(), told, relative(at))


def _same_day(at: datetime, theirs: str) -> bool:
    return at.astimezone(ZoneInfo(viewer_zone())).date() == at.astimezone(ZoneInfo(theirs)).date()


@bp.app_template_filter("day")
def day(value: date | datetime | None) -> str:
    """`Fri 27 Nov 2026`; a moment's day in the viewer's zone."""
    if value is None:
        return "–"
    shown = value.astimezone(ZoneInfo(viewer_zone())) if isinstance(value, datetime) else value
    return format_date(shown, texts.gettext("EEE d MMM y"), locale=texts.language())


@bp.app_template_filter("relative")
def relative(at: datetime) -> str:
    """`in 3 days` or `2 hours ago`."""
    return wording.relative(at, clock.now())


@bp.app_template_filter("span")
def span(seconds: float) -> str:
    """A length of time in its largest unit: `3 days`."""
    return format_timedelta(timedelta(seconds=abs(seconds)), threshold=1.2, locale=texts.language())


@bp.app_template_filter("exact")
def exact(at: datetime, zone: str | None = None, *, brief: bool = False) -> str:
    """`Fri 27 Nov 17:00` in this zone, the viewer's unless said."""
    return wording.exact(at, zone or viewer_zone(), brief=brief)


@bp.app_template_filter("local_input")
def local_input(at: datetime | None) -> str:
    """The moment as a browser's own field for a local time takes it, in the viewer's zone."""
    return at.astimezone(ZoneInfo(viewer_zone())).strftime("%Y-%m-%dT%H:%M") if at else ""


@bp.app_template_filter("paragraphs")
def paragraphs(text: str | None) -> Markup:
    """A person's text with its line breaks, as text."""
    return Markup("<br>").join(escape(line) for line in (text or "").split("\n"))


def viewer_zone() -> str:
    """The viewer's own zone, else the tenant's."""
    try:
        return g.get("zone") or tenant_settings().timezone
    except NoTenantScope:
        return "UTC"
