"""What the executive's page says in sentences, in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_percent

from app import texts
from app.reports import changes
from app.texts import gettext as _
from app.texts import money, ngettext, noted

SOON = 180  # days to a renewal that belongs to the story
COUNTS = {
    "raised": noted("%(num)s raised"),
    "reopened": noted("%(num)s opened again"),
    "missed": noted("%(num)s past the target"),
    "more_severe": noted("%(num)s more severe"),
    "moved_up": noted("%(num)s moved up"),
    "extended": noted("%(num)s given more time"),
    "closed": noted("%(num)s closed"),
    "merged": noted("%(num)s merged"),
}


def headline(found: Mapping[str, Any], before: Mapping[str, Any], forecast: Mapping[str, Any] | None) -> str:
    """What is at stake, how that moved and what is to come, in one sentence. `before` is `{amount, incomplete, said}`
    of the last report; what is to come may be told later."""
    told = _at_stake(found["value_at_stake"], found["open"]["accounts"], before)
    return _("%(told)s; %(ahead)s.") % {"told": told, "ahead": ahead(forecast)} if forecast else f"{told}."


def ahead(forecast: Mapping[str, Any]) -> str:
    """`3 of 17 will miss their target as things stand`."""
    said = {"missing": round(forecast["expected"]), "num": forecast["open"]}
    return _("%(missing)s of %(num)s will miss their target as things stand") % said


def _at_stake(total: Mapping[str, Any], accounts: int, before: Mapping[str, Any]) -> str:
    said = {"amount": money(total["amount"], total["currency"]), "num": accounts}
    said["moved"] = _moved(total, before)
    if not accounts:
        return _("Nothing is open, so no value is at stake%(moved)s") % said
    if total["amount"] is None:
        return _("What is at stake has no exchange rate that day; accounts with an open escalation: %(num)s") % said
    if total["incomplete"]:
        told = ngettext(
            "At least %(amount)s at stake in %(num)s account", "At least %(amount)s at stake in %(num)s accounts",
            accounts,
        )  # fmt: skip
        return told % said
    told = ngettext(
        "%(amount)s at stake in %(num)s account%(moved)s", "%(amount)s at stake in %(num)s accounts%(moved)s", accounts
    )
    return told % said


def _moved(total: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """`, €0.9M less than on 1 Nov`; nothing where one of the two is not known in full."""
    if total["incomplete"] or before["incomplete"] or total["amount"] is None or before["amount"] is None:
        return ""
    more = total["amount"] - before["amount"]
    said = {"amount": money(abs(more), total["currency"]), "when": before["said"]}
    if not more and not total["amount"]:
        return ""
    if not more:
        return _(", as much as %(when)s") % said
    return _(", %(amount)s more than %(when)s") % said if more > 0 else _(", %(amount)s less than %(when)s") % said


def when(moment: datetime, as_of: datetime, zone: str) -> str:
    """`on 1 Nov`, with the year if it is another one, or `at 10:00` of the same day."""
    local, other = moment.astimezone(ZoneInfo(zone)), as_of.astimezone(ZoneInfo(zone))
    if local.date() == other.date():
        return _("at %(time)s") % {"time": format_datetime(local, "HH:mm", locale=texts.language())}
    form = _("d MMM") if local.year == other.year else _("d MMM y")
    return _("on %(day)s") % {"day": format_date(local, form, locale=texts.language())}


def day(value: date, *, year: bool = False) -> str:
    """`1 Nov`."""
    return format_date(value, _("d MMM y") if year else _("d MMM"), locale=texts.language())


def month(value: date, *, year: bool = False) -> str:
    """`Nov`, or `Nov 2026`."""
    return format_date(value, "MMM y" if year else "MMM", locale=texts.language())


def percent(share: float) -> str:
    """`60%`, in whole ones."""
    return format_percent(share, locale=texts.language())


def unconverted(total: Mapping[str, Any]) -> list[str]:
    """What a total leaves out, a sentence each."""
    return [
        ngettext(
            "%(amount)s of %(num)s contract or deal is not in the total: no exchange rate that day.",
            "%(amount)s of %(num)s contracts or deals are not in the total: no exchange rate that day.",
            one["lines"],
        )
        % {"amount": money(one["amount"], one["currency"]), "num": one["lines"]}
        for one in total["unconverted"]
    ]


def counted(counts: Mapping[str, int]) -> str:
    """`3 raised · 2 closed`."""
    return " · ".join(_(said) % {"num": counts[name]} for name, said in COUNTS.items() if counts.get(name))


def change(one: Mapping[str, Any]) -> tuple[str, str | None]:
    """A change in words, and why."""
    return changes.told(one["facts"], _), changes.why(one["facts"], _)


def story(account: Mapping[str, Any], as_of: datetime, today: date) -> list[str]:
    """An account in a line: how many are open and how they stand, when it renews, how it feels."""
    return [words for _kind, words in story_parts(account, as_of, today)]


def story_parts(account: Mapping[str, Any], as_of: datetime, today: date) -> list[tuple[str, str]]:
    """The same with a kind for each part: `missed`, `paused` or nothing."""
    cases, overdue = account["cases"], account["overdue"]
    parts = [("", ngettext("%(num)s open", "%(num)s open", cases) % {"num": cases})]
    if overdue:
        told = ngettext("%(num)s past its target", "%(num)s past their target", overdue)
        parts.append(("missed", told % {"num": overdue}))
    elif account["next_target_at"]:
        parts.append(("", _due((account["next_target_at"] - as_of).days, alone=cases == 1)))
    if account["waiting"]:
        parts.append(("paused", _("%(num)s waiting") % {"num": account["waiting"]}))
    days = (account["renewal_on"] - today).days if account["renewal_on"] else None
    if days is not None and days <= SOON:
        parts.append(("", ngettext("renews in %(num)s day", "renews in %(num)s days", days) % {"num": days}))
    if account["health"] is not None:
        parts.append(("", _("health %(health)s") % {"health": account["health"]}))
    return parts


def _due(days: int, *, alone: bool) -> str:
    if not days:
        return _("due within a day") if alone else _("the first is due within a day")
    if alone:
        return ngettext("due in %(num)s day", "due in %(num)s days", days) % {"num": days}
    return ngettext("the first is due in %(num)s day", "the first is due in %(num)s days", days) % {"num": days}


def on_time_title(found: Mapping[str, Any]) -> str:
    if found["share"] is None:
        return _("Promises kept: nothing was due yet")
    return _("Promises kept: %(share)s of what was due was closed on time") % {"share": percent(found["share"])}


def on_time_text(found: Mapping[str, Any], first: date, last: date) -> str:
    given_up = found["unresolved"] + found["customer_silent"]
    return _(
        "Of %(raised)s raised from %(first)s to %(last)s: %(on_time)s closed on time, %(late)s late, %(given_up)s "
        "unresolved or silent, %(overdue)s open past the target, %(not_due)s open and not due yet."
    ) % {
        "raised": found["raised"], "first": day(first, year=True), "last": day(last, year=True),
        "on_time": found["on_time"], "late": found["late"], "given_up": given_up, "overdue": found["open_overdue"],
        "not_due": found["open_not_due"],
    }  # fmt: skip


def survival_title(median: int | None) -> str:
    if median is None:
        return _("Time to close: more than half are still open")
    return ngettext(
        "Time to close: half are closed after %(num)s day", "Time to close: half are closed after %(num)s days", median
    ) % {"num": median}


def survival_text(points: Sequence[Any], seen: int, limit: int) -> str:
    if seen < limit:
        return _("Nothing is older than %(days)s days yet. Open ones count up to their age.") % {"days": seen}
    share = next((point.share for point in reversed(points) if point.day <= limit), 1.0)
    return _(
        "After %(days)s days %(share)s are still open. Open ones count up to their age, ones given up are never closed."
    ) % {"days": limit, "share": percent(share)}
