"""The report on one account in sentences: what to know of it, and the brief for a call, from facts alone.

The brief says apart what is for the customer's ears and what is for ours. For theirs is what a draft to them may say:
number, title, days, whether they confirmed; never money, health, people's work or a text written among us, which is in
no part of it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

from app import texts
from app.reports.reading import Reading
from app.texts import gettext as _
from app.texts import ngettext, noted

SHOWN = 5
Report = Mapping[str, Any]
STANDS = {
    "open": noted("not taken up yet"),
    "in_progress": noted("in work"),
    "waiting": noted("waiting"),
    "resolved": noted("resolved, your word is awaited"),
}
ENDED = {
    "resolved": noted("closed"),
    "unresolved": noted("ended without a resolution"),
    "withdrawn": noted("withdrawn"),
    "customer_silent": noted("ended, no answer came"),
    "mistaken": noted("ended, raised by mistake"),
}


def notes_of(report: Report, reading: Reading) -> list[str]:
    """What has to be said beside the figures: merged, gone, nothing known, whose cases count, what is today's."""
    account, covers = report["account"], report["covers"]
    notes = []
    if account["merged_into"]:
        said = _("Merged into %(name)s in your CRM: this tells what was known under its own name.")
        notes.append(said % account["merged_into"])
    if account["gone_at"]:
        is_later = account["gone_at"] > reading.as_of
        said = _("Deleted in your CRM on %(day)s, after the moment told of.") if is_later else _(
            "Deleted in your CRM on %(day)s: last known values are shown.")  # fmt: skip
        notes.append(said % {"day": day(account["gone_at"], reading)})
    if covers["below"]:
        count = covers["accounts"] - 1
        said = ngettext("The cases of %(num)s account that stood below this one are counted, too.",
                        "The cases of %(num)s accounts that stood below this one are counted, too.", count)  # fmt: skip
        notes.append(said % {"num": count})
    if account["part_of"]:
        said = _("It stood below %(name)s, whose report counts these cases, too.")
        notes.append(said % account["part_of"])
    if account["known_since"] is None and not covers["below"]:
        notes.append(_("No escalation of this account was known by then."))
    elif not report["open"]["count"] and report["renewal"]["known_at"]:
        said = _("Value and renewal are followed while an escalation is open; the renewal is as known on %(day)s.")
        notes.append(said % {"day": day(report["renewal"]["known_at"], reading)})
    notes.append(_("Names are today's; health, segment and who stood for the account are as of then."))
    return notes


def story_of(report: Report, reading: Reading) -> list[str]:
    """The account in a few sentences, the most pressing first; nothing is said of what there is nothing to say of."""
    said = [_standing(report, reading), *_worth(report, reading), *_kept(report), *_told(report, reading)]
    return [*said, *_prevented(report), *_came_back(report)]


def _standing(report: Report, reading: Reading) -> str:
    found = report["open"]
    if not found["count"]:
        return _("Nothing is open.")
    said = ngettext("%(num)s escalation is open, raised on %(day)s; to be closed by %(due)s.",
                    "%(num)s escalations are open, the oldest raised on %(day)s; the first to be closed by %(due)s.",
                    found["count"])  # fmt: skip
    values = {"num": found["count"], "day": day(found["oldest"], reading), "due": day(found["next_due"], reading)}
    return " ".join([said % values, *_overdue(found["overdue"])])


def _overdue(count: int) -> list[str]:
    said = ngettext("%(num)s is past its target.", "%(num)s are past their target.", count)
    return [said % {"num": count}] if count else []


def _worth(report: Report, reading: Reading) -> list[str]:
    value, renewal, said = report["value"], report["renewal"], []
    if value["amount"] is None:
        said.append(_("What is at stake has no exchange rate of these days."))
    elif report["open"]["count"]:
        at_stake = _("%(amount)s at stake, and more without an exchange rate.") if value["incomplete"] else _(
            "%(amount)s at stake.")  # fmt: skip
        said.append(at_stake % {"amount": amount(value["amount"], value["currency"])})
    if renewal["on"] and renewal["days"] >= 0:
        until = ngettext("Renews on %(day)s, in %(num)s day.", "Renews on %(day)s, in %(num)s days.", renewal["days"])
        said.append(until % {"day": day(renewal["on"], reading), "num": renewal["days"]})
    if report["account"]["health"] is not None:
        said.append(_("Health %(health)s of 100.") % report["account"])
    return said


def _kept(report: Report) -> list[str]:
    counts, towards = report["on_time"], report["promises"]["to_customer"]
    due = counts["raised"] - counts["open_not_due"]
    said = []
    if due:
        share = _("%(on_time)s of %(due)s due in these months closed on time.")
        said.append(share % {"on_time": counts["on_time"], "due": due})
    if missed := towards["missed"] + towards["overdue"]:
        words = ngettext("%(num)s promise to the customer was missed, %(kept)s kept.",
                         "%(num)s promises to the customer were missed, %(kept)s kept.", missed)  # fmt: skip
        said.append(words % {"num": missed, "kept": towards["kept"]})
    return said


def _told(report: Report, reading: Reading) -> list[str]:
    told, said = report["told"], []
    if told["last_told"]:
        said.append(_("The customer last heard from us on %(day)s.") % {"day": day(told["last_told"]["at"], reading)})
    elif report["open"]["count"]:
        said.append(_("Nothing was told to the customer."))
    return [*said, *_silence(report)]


def _silence(report: Report) -> list[str]:
    longest = report["told"]["longest_silence"]
    if not longest or not longest["days"]:
        return []
    words = ngettext("The longest silence was %(num)s day, on %(case)s.",
                     "The longest silence was %(num)s days, on %(case)s.", longest["days"])  # fmt: skip
    return [words % {"num": longest["days"], "case": longest["escalation"]["number"]}]


def _prevented(report: Report) -> list[str]:
    found = report["prevention"]
    if not found["promised"]:
        return []
    said = _("%(done)s of %(promised)s prevention actions are done.") % found
    late = ngettext("%(num)s is past its day.", "%(num)s are past their day.", found["overdue"])
    return [f"{said} {late % {'num': found['overdue']}}" if found["overdue"] else said]


def _came_back(report: Report) -> list[str]:
    count = report["recurrence"]["count"]
    said = ngettext("%(num)s came back after it had been closed or resolved.",
                    "%(num)s came back after they had been closed or resolved.", count)  # fmt: skip
    return [said % {"num": count}] if count else []


def brief_of(report: Report, reading: Reading) -> dict[str, Any]:
    """What to have at hand in a call: lines for the customer's ears, lines for ours, and both as one plain text."""
    head = _("%(name)s, as of %(moment)s") % {"name": report["account"]["name"], "moment": exact(reading)}
    theirs, ours = _for_them(report, reading), _for_us(report, reading)
    parts = [head, "", _("FOR THE CUSTOMER'S EARS"), *_listed(theirs), "", _("FOR US ALONE"), *_listed(ours)]
    return {"for_customer": theirs, "for_us": ours, "text": "\n".join(parts)}


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _for_them(report: Report, reading: Reading) -> list[str]:
    lines = [_open_line(case, reading) for case in report["open"]["items"][:SHOWN]]
    if (more := report["open"]["count"] - len(lines)) > 0:
        lines.append(ngettext("%(num)s more is open.", "%(num)s more are open.", more) % {"num": more})
    lines += [_closed_line(case, reading) for case in report["closed"][:SHOWN]]
    told = report["told"]
    if told["last_told"]:
        lines.append(_("You last heard from us on %(day)s.") % {"day": day(told["last_told"]["at"], reading)})
    if told["last_heard"]:
        lines.append(_("We last heard from you on %(day)s.") % {"day": day(told["last_heard"]["at"], reading)})
    return lines or [_("Nothing is open, and nothing was closed in these months.")]


def _open_line(case: Report, reading: Reading) -> str:
    is_over = case["due_at"] < reading.as_of
    said = _("%(number)s %(title)s: raised on %(day)s, %(stands)s, was to be closed by %(due)s.") if is_over else _(
        "%(number)s %(title)s: raised on %(day)s, %(stands)s, to be closed by %(due)s.")  # fmt: skip
    days = {"day": day(case["raised_at"], reading), "due": day(case["due_at"], reading)}
    stands = STANDS[case["status"]]
    return said % {**case["escalation"], **days, "stands": _(stands)}


def _closed_line(case: Report, reading: Reading) -> str:
    if case["verification"] == "confirmed":
        said = _("%(number)s %(title)s: closed on %(day)s, as you confirmed.")
    else:
        ended = ENDED[case["outcome"]]
        said = "%(number)s %(title)s: " + _(ended) + _(" on %(day)s.")
    return said % {**case["escalation"], "day": day(case["closed_at"], reading)}


def _for_us(report: Report, reading: Reading) -> list[str]:
    people = report["people"]
    lines = [*_worth(report, reading), *_overdue(report["open"]["overdue"]), *_kept(report)]
    lines += [*_silence(report), *_prevented(report), *_came_back(report)]
    if people["thank"] or people["thank_customer"]:
        names = _names([*people["thank"], *people["thank_customer"]])
        lines.append(_("To thank: %(names)s.") % {"names": names})
    if people["ask"]:
        lines.append(_("To ask: %(names)s.") % {"names": _names(people["ask"])})
    return lines or [_("Nothing more is known.")]


def _names(people: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(person["name"] for person in people)


def day(value: date | datetime, reading: Reading) -> str:
    """`Mon 2 Mar 2026`, a moment's day in the tenant's zone."""
    shown = value.astimezone(reading.zone).date() if isinstance(value, datetime) else value
    return format_date(shown, _("EEE d MMM y"), locale=texts.language())


def exact(reading: Reading) -> str:
    """The moment told of, in the tenant's zone."""
    return format_datetime(reading.as_of.astimezone(reading.zone), _("EEE d MMM y HH:mm"), locale=texts.language())


def amount(value: Decimal, currency: str) -> str:
    """To the whole unit."""
    return format_currency(value, currency, _("¤#,##0"), locale=texts.language(), currency_digits=False)
