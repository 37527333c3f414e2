"""What the report on one account says, part by part, made from the rows its statements answer."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.escalations.words import numbered
from app.reports.cohorts import ENDS, OUTSIDE, share
from app.reports.money import Money
from app.reports.reading import Reading

MOMENTS = ("raised_at", "close_target_at", "due_at", "closed_at")
ROLES = ("owner", "csm", "sponsor")
Found = Mapping[str, Any]


def account_of(who: Found, found: Found, reading: Reading) -> dict[str, Any]:
    """The account under today's name, with its health and segment as they were then."""
    group = found["group_id"]
    return {
        **{name: who[name] for name in ("id", "name", "source", "external_id", "segment", "health", "gone_at")},
        "merged_into": {"id": who["merged_into_id"], "name": who["merged_into"]} if who["merged_into_id"] else None,
        "part_of": {"id": group, "name": found["group_name"]} if group not in (None, who["id"]) else None,
        "known_since": found["known_since"],
    }


def covers_of(found: Found, *, own: bool) -> dict[str, Any]:
    """Which accounts' cases are counted: its own, and those of the accounts that stood below it."""
    return {"own": own, "accounts": 1 + found["below_count"], "below": found["below"]}


def cases_of(found: Found, status: str) -> list[dict[str, Any]]:
    """The cases shown: the open ones by due time, the closed ones newest first."""
    is_closed = status == "closed"
    cases = [_case(row) for row in found["cases"] if (row["status"] == "closed") == is_closed]
    return sorted(cases, key=lambda one: (one["closed_at" if is_closed else "due_at"], str(one["escalation"]["id"])),
                  reverse=is_closed)  # fmt: skip


def _case(row: Found) -> dict[str, Any]:
    owner = {"id": row["owner_id"], "name": row["owner_name"]} if row["owner_id"] else None
    moments = {name: moment(row[name]) for name in MOMENTS}
    account = {"id": row["account_id"], "name": row["account_name"]}
    return {**row, **moments, "escalation": case_named(row), "account": account, "owner": owner}


def case_named(row: Found) -> dict[str, Any]:
    return {"id": row["escalation_id"], "number": numbered(row["number"]), "title": row["title"]}


def moment(value: str | None) -> datetime | None:
    """A moment as the database writes it into JSON."""
    return None if value is None else datetime.fromisoformat(value)


def open_of(found: Found) -> dict[str, Any]:
    counts = {"count": found["open"], "overdue": found["overdue"]}
    return {**counts, "oldest": found["oldest"], "next_due": found["next_due"], "items": cases_of(found, "open")}


def value_of(found: Found, money: Money) -> dict[str, Any]:
    """What the open cases touch, each contract and deal once; `own` without the accounts below."""
    lines = [_line(row, money) for row in found["lines"]]
    own = money.total(found["own_at_stake"])
    return {**money.total(found["at_stake"]), "own": own, "lines": lines, "line_count": found["line_count"]}


def _line(row: Found, money: Money) -> dict[str, Any]:
    amount = Decimal(row["amount"])
    value = {"amount": money.converted(amount, row["currency"]), "currency": money.currency}
    return {**row, "amount": amount, "value": value}


def renewal_of(found: Found, money: Money, today: date) -> dict[str, Any]:
    """The account's next renewal as its cases knew it last, at `known_at`; they know it while they are open."""
    latest = found["latest"] or {}
    on = date.fromisoformat(latest["renewal_on"]) if latest.get("renewal_on") else None
    return {
        **money.total(found["renewing"]),
        "on": on,
        "days": (on - today).days if on else None,
        "known_at": moment(latest.get("known_from")),
    }


def on_time_of(found: Found) -> dict[str, Any]:
    """The cohort raised in the days asked for, counted as everywhere."""
    standings = found["standings"]
    counts = {name: standings.get(name, 0) for name in (*ENDS, *OUTSIDE)}
    still_open, not_due = standings.get("open", 0), found["open_not_due"]
    raised = still_open + sum(counts[name] for name in ENDS)
    counts |= {"raised": raised, "open_not_due": not_due, "open_overdue": still_open - not_due}
    return {**counts, "share": share(counts["on_time"], raised - not_due)}


def closing_of(found: Found) -> dict[str, int]:
    """The closing target as a promise: what was closed late, unresolved or silent did not keep it."""
    counts = on_time_of(found)
    return {
        "kept": counts["on_time"],
        "missed": counts["late"] + counts["unresolved"] + counts["customer_silent"],
        "overdue": counts["open_overdue"],
        "running": counts["open_not_due"],
        "late_by_original": found["late_by_original"],
    }


def over_time_of(found: Found, first: date, last: date) -> dict[str, Any]:
    """By month of the span: raised, closed, and open at its end; of all cases there ever were up to then."""
    raised, closed = _by_month(found["raised"]), _by_month(found["ended"])
    begin = max(first.replace(day=1), min(raised, default=last))
    still_open = sum(n for month, n in raised.items() if month < begin)
    still_open -= sum(n for month, n in closed.items() if month < begin)
    months = []
    for month in _months(begin, last) if raised else ():
        still_open += raised.get(month, 0) - closed.get(month, 0)
        row = {"month": month, "raised": raised.get(month, 0), "closed": closed.get(month, 0), "open": still_open}
        months.append(row)
    return {"months": months, "raised": sum(raised.values()), "closed": sum(closed.values())}


def _by_month(found: Mapping[str, int]) -> dict[date, int]:
    return {date.fromisoformat(month): count for month, count in found.items()}


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    start = first.year * 12 + first.month - 1
    return [date((start + n) // 12, (start + n) % 12 + 1, 1) for n in range(count)]


def told_of(words: Found, as_of: datetime) -> dict[str, Any]:
    """What we told the customer and they us; the longest stretch in which they waited and heard nothing."""
    silence = words["silence"]
    longest = None
    if silence:
        since, until = moment(silence["since"]) or as_of, moment(silence["until"]) or as_of
        days = max(0, (until - since).days)
        case = {"escalation": case_named(silence)}
        longest = {**case, "since": since, "until": until, "days": days, "goes_on": silence["goes_on"]}
    return {
        "updates": words["updates"],
        "messages": words["messages"],
        "last_told": _said(words["last_told"]),
        "last_heard": _said(words["last_heard"]),
        "longest_silence": longest,
    }


def _said(row: Found | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"at": moment(row["at"]), "channel": row["channel"], "escalation": case_named(row)}


def causes_of(found: Found, words: Found) -> dict[str, Any]:
    """What the cases were about, which could have been prevented, and the root causes of those resolved."""
    reasons = found["reasons"]
    preventable, judged = (sum(row[name] for row in reasons) for name in ("preventable", "judged"))
    items = [{**row, "at": moment(row["at"]), "escalation": case_named(row)} for row in words["causes"]]
    return {
        "count": words["cause_count"],
        "preventable": preventable,
        "judged": judged,
        "preventable_share": share(preventable, judged),
        "reasons": reasons,
        "items": items,
    }


def prevention_of(words: Found, today: date) -> dict[str, Any]:
    """What was promised so that it does not happen again, and whether it was done by its day."""
    items = [_action(row, today) for row in words["actions"]]
    return {**words["prevention"], "items": items}


def _action(row: Found, today: date) -> dict[str, Any]:
    due_on = date.fromisoformat(row["due_on"])
    ended_on = date.fromisoformat(row["ended_on"]) if row["ended_on"] else None
    return {
        "id": row["id"],
        "action": row["action"],
        "escalation": case_named(row),
        "owner": {"id": row["owner_id"], "name": row["owner_name"]},
        "state": row["state"],
        "due_on": due_on,
        "ended_on": ended_on,
        "overdue": row["state"] == "open" and due_on < today,
        "by_its_day": ended_on <= due_on if row["state"] == "done" and ended_on else None,
    }


def recurrence_of(found: Found) -> dict[str, Any]:
    """What came back: raised again for an earlier case, opened again, and reasons met more than once."""
    repeated = [row for row in found["reasons"] if row["escalations"] > 1]
    return {"recurring": found["recurring"], "reopened": found["reopened"], "count": found["came_back"],
            "repeated": repeated}  # fmt: skip


def people_of(who: Found, found: Found, words: Found) -> dict[str, Any]:
    """Who stood for the account then; whom to thank for what went well, whom to ask about what is open."""
    seats = {role: _person(who, who[role]) for role in ROLES}
    owners = found["owners"]
    return {
        **seats,
        "thank": [
            {"id": row["id"], "name": row["name"], "on_time": row["on_time"]} for row in owners if row["on_time"]
        ],
        "thank_customer": words["confirmed_by"],
        "ask": [
            {"id": row["id"], "name": row["name"], "open": row["open"], "next_due": moment(row["next_due"])}
            for row in owners
            if row["open"]
        ],
    }


def _person(who: Found, email: str | None) -> dict[str, Any] | None:
    """Somebody whom the account names and who is nobody of ours has no name here."""
    if email is None:
        return None
    found = who["people"].get(email.lower()) or {"id": None, "name": None}
    return {**found, "email": email}
