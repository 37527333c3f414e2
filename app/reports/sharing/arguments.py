"""What a report is asked, as it is kept: fixed days or a span in words, a moment or now, and whose accounts."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select

from app.accounts.models import Account
from app.db import db
from app.errors import invalid
from app.reports.sharing.kinds import KINDS, Kind
from app.reports.sharing.spans import days_of_span

PLACE = "arguments"
TAKEN_AS = {"span": "from"}  # a span stands for days


def checked(report: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they are kept, plain JSON; what this report does not take, or names nothing, is refused."""
    kind = KINDS[report]
    for name in arguments:
        if name != "account_id" and TAKEN_AS.get(name, name) not in kind.takes:
            raise invalid(f"{PLACE}.{name}", f"the report {report} takes none")
    if kind.of_account != ("account_id" in arguments):
        fault = "expected the account" if kind.of_account else f"the report {report} takes none"
        raise invalid(f"{PLACE}.account_id", fault)
    if "span" in arguments and ("from" in arguments or "to" in arguments):
        raise invalid(f"{PLACE}.span", "expected a span or days, not both")
    _check_days(arguments.get("from"), arguments.get("to"))
    _check_accounts(arguments)
    return {name: _plain(value) for name, value in arguments.items() if value not in (None, False)}


def _check_days(first: date | None, last: date | None) -> None:
    if first and last and first > last:
        raise invalid(f"{PLACE}.from", f"expected a day up to {last}")


def _check_accounts(arguments: Mapping[str, Any]) -> None:
    """Each account that is named is one of ours."""
    named = {f"accounts.{place}": one for place, one in enumerate(arguments.get("accounts") or ())}
    if "account_id" in arguments:
        named["account_id"] = arguments["account_id"]
    if not named:
        return
    found = set(db.session.scalars(select(Account.id).where(Account.id.in_(named.values()))))
    for place, one in named.items():
        if one not in found:
            raise invalid(f"{PLACE}.{place}", "there is no such account")


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | str) else value.isoformat() if hasattr(value, "isoformat") else str(value)


def query_of(arguments: Mapping[str, Any], today: date) -> dict[str, str]:
    """What the report is asked today: a span in words becomes its days."""
    asked = {name: str(arguments[name]) for name in ("as_of", "from", "to") if name in arguments}
    if span := arguments.get("span"):
        first, last = days_of_span(span, today)
        asked |= {"from": first.isoformat(), "to": last.isoformat()}
    if arguments.get("accounts"):
        asked["accounts"] = ",".join(arguments["accounts"])
    if arguments.get("own_accounts"):
        asked["own_accounts"] = "true"
    return asked


def address_of(kind: Kind, arguments: Mapping[str, Any], today: date) -> str:
    """Where the API answers it."""
    return _address(kind.address, arguments, today)


def page_of(kind: Kind, arguments: Mapping[str, Any], today: date) -> str:
    """Where the panel shows it."""
    return _address(kind.page, arguments, today)


def _address(place: str, arguments: Mapping[str, Any], today: date) -> str:
    filled = place.format(account_id=arguments.get("account_id", ""))
    asked = urlencode(query_of(arguments, today))
    return f"{filled}{'&' if '?' in filled else '?'}{asked}" if asked else filled


def account_of(arguments: Mapping[str, Any]) -> UUID | None:
    """The account that a report is about."""
    return UUID(arguments["account_id"]) if "account_id" in arguments else None
