"""The forty accounts of the sample tenant with contracts, contacts, deals and exchange rates.

Days are counted from the day the sample is made for; what the tables don't say is drawn with a fixed seed.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from app.operations.sample.days import moment, working_day
from app.operations.sample.people import DOMAIN

SOURCE = "salesforce"
MORNING = "08:00"
SEED = 20_300  # any number, always the same


@dataclass(frozen=True)
class Customer:
    """A row of `accounts.csv`; without `arr` it stands under its parent's contracts."""

    id: str
    name: str
    region: str
    segment: str
    zone: str
    arr: str
    currency: str
    health: str
    owner: str
    csm: str
    renewal_in: str
    parent: str


@cache
def read_customers() -> Mapping[str, Customer]:
    """The accounts by id, parents before their children."""
    with Path(__file__).with_name("accounts.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: Customer(**row) for row in csv.DictReader(file)}


# account, external id, ARR, currency, ends in days (None: evergreen), escalator
FURTHER_CONTRACTS: tuple[tuple[str, str, int, str, int | None, dict[str, Any]], ...] = (
    ("N-1002", "K-1002-ANALYTICS", 210_000, "USD", 64, {"kind": "fixed", "percent": "4"}),
    ("N-1010", "K-1010-SUPPORT", 175_000, "USD", None, {}),
    ("N-1016", "K-1016-US", 160_000, "USD", 76, {"kind": "index", "percent": "2.4", "floor": "1", "cap": "5"}),
    ("N-1026", "K-1026-MARKETS", 240_000, "EUR", 190, {"kind": "index", "floor": "1.5", "cap": "4"}),
    ("N-1039", "K-1039-RISK", 130_000, "EUR", 52, {"kind": "fixed", "percent": "6"}),
)
# account, its health at first, working days before the last one that it fell to what the table says
HEALTH_FELL = (("N-1004", 84, 16), ("N-1040", 79, 9))
# account, external id, name, amount, currency, probability, type, closes in days
OPPORTUNITIES = (
    ("N-1002", "O-2001", "Analytics for the depots", 180_000, "USD", "0.6", "expansion", 45),
    ("N-1006", "O-2002", "Validated environment", 240_000, "USD", "0.4", "expansion", 80),
    ("N-1008", "O-2003", "Second hospital group", 150_000, "USD", "0.5", "expansion", 70),
    ("N-1010", "O-2004", "Field engineers' seats", 320_000, "USD", "0.35", "expansion", 95),
    ("N-1010", "O-2005", "Renewal", 1_460_000, "USD", "0.8", "renewal", 88),
    ("N-1016", "O-2006", "Terminal planning", 260_000, "EUR", "0.5", "expansion", 60),
    ("N-1021", "O-2007", "Sites in Ludwigshafen and Basel", 145_000, "EUR", "0.3", "expansion", 110),
    ("N-1023", "O-2008", "Twelve more hotels", 64_000, "EUR", "0.7", "expansion", 40),
    ("N-1026", "O-2009", "Treasury desk", 390_000, "EUR", "0.45", "expansion", 90),
    ("N-1026", "O-2010", "Renewal", 1_290_000, "EUR", "0.7", "renewal", 99),
    ("N-1031", "O-2011", "Plant in Nagoya", 88_000, "USD", "0.6", "expansion", 65),
    ("N-1033", "O-2012", "Safety reporting", 125_000, "USD", "0.25", "expansion", 75),
    ("N-1039", "O-2013", "Payout reconciliation", 210_000, "USD", "0.5", "expansion", 55),
    ("N-1040", "O-2014", "Onboard sales", 72_000, "USD", "0.4", "expansion", 100),
)
FIRST_NAMES = (
    "Alice", "Amara", "Anders", "Bruno", "Camille", "Carlos", "Dana", "Dmitri", "Eva", "Farah", "Greta", "Hugo",
    "Imani", "Jae", "Keiko", "Leon", "Maya", "Nadia", "Oskar", "Pilar", "Quentin", "Rosa", "Sven", "Tara", "Umar",
    "Vera", "Willem", "Xenia", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Bergstrom", "Costa", "Dubois", "Eriksen", "Fujita", "Garza", "Hoffmann", "Ito", "Jansen", "Kaur",
    "Larsen", "Moreau", "Ndiaye", "Okafor", "Petrov", "Quinn", "Rossi", "Santos", "Tanaka", "Ueda", "Vargas", "Walsh",
    "Yamada", "Zeller",
)  # fmt: skip
ROLES = ("Head of operations", "IT director", "Finance controller", "Platform owner")
RATE_AROUND = Decimal("1.0830")


def slug(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def domain_of(name: str) -> str:
    return f"{slug(name)}.example"


def account_rows() -> Iterator[dict[str, Any]]:
    """The accounts as they were at first; parents stand before their children."""
    before = {id_: health for id_, health, _ in HEALTH_FELL}
    for customer in read_customers().values():
        strategic = customer.segment == "strategic"
        yield {
            "source": SOURCE,
            "external_id": customer.id,
            "name": customer.name,
            "domain": domain_of(customer.name),
            "segment": customer.segment,
            "region": customer.region,
            "timezone": customer.zone,
            "calendar": customer.region,
            "health": before.get(customer.id, int(customer.health) if customer.health else None),
            "lifecycle": "customer",
            "owner_email": f"{customer.owner}@{DOMAIN}",
            "csm_email": f"{customer.csm}@{DOMAIN}",
            "sponsor_email": f"margaret@{DOMAIN}" if strategic else None,
            "parent_external_id": customer.parent or None,
            "attributes": {"support": "premium" if strategic else "standard"},
        }


def health_rows(origin: date) -> list[tuple[datetime, dict[str, Any]]]:
    """What the CRM says later of accounts whose health fell, each with its moment, in order."""
    customers = read_customers()
    said = []
    for id_, _, days in HEALTH_FELL:
        at = moment(working_day(origin, -days), MORNING, ZoneInfo(customers[id_].zone))
        said.append((at, {"source": SOURCE, "external_id": id_, "health": int(customers[id_].health)}))
    return sorted(said, key=itemgetter(0))


def contract_rows(today: date) -> Iterator[dict[str, Any]]:
    """One contract of one to three years for each account that has its own, and a few more."""
    random = Random(SEED)  # noqa: S311 (it makes numbers up and guards nothing)
    for customer in read_customers().values():
        years = random.choice((1, 1, 2, 3))
        escalator = {"kind": "fixed", "percent": random.choice(("3", "4", "5"))} if random.random() < 0.6 else {}
        if customer.arr:
            days = int(customer.renewal_in)
            name = f"K-{customer.id[2:]}"
            yield _contract(customer.id, name, int(customer.arr), customer.currency, today, days, escalator, years)
    for id_, contract, arr, currency, days_left, escalator in FURTHER_CONTRACTS:
        yield _contract(id_, contract, arr, currency, today, days_left, escalator)


def _contract(
    account: str,
    id_: str,
    arr: int,
    currency: str,
    today: date,
    days: int | None,
    escalator: dict[str, Any],
    years: int = 1,
) -> dict[str, Any]:
    ends_on = None if days is None else today + timedelta(days=days)
    return {
        "source": SOURCE,
        "account_external_id": account,
        "external_id": id_,
        "arr": f"{arr}.00",
        "currency": currency,
        "starts_on": (ends_on or today) - timedelta(days=365 * years - 1),
        "ends_on": ends_on,
        "escalator": escalator or {"kind": "none"},
    }


def contact_rows() -> Iterator[dict[str, Any]]:
    """Two people at each customer."""
    for id_ in read_customers():
        for place in (1, 2):
            name, email = contact(id_, place)
            yield {
                "source": SOURCE,
                "account_external_id": id_,
                "external_id": f"C-{id_[2:]}-{place}",
                "name": name,
                "email": email,
                "role": ROLES[(int(id_[2:]) + place) % len(ROLES)],
            }


def contact(account: str, place: int = 1) -> tuple[str, str]:
    """Name and address of the first or second person there."""
    number = int(account[2:])
    first = FIRST_NAMES[(number * 7 + place * 11) % len(FIRST_NAMES)]
    last = LAST_NAMES[(number * 3 + place * 8) % len(LAST_NAMES)]
    return f"{first} {last}", f"{first}.{last}@{domain_of(read_customers()[account].name)}".lower()


def opportunity_rows(today: date) -> Iterator[dict[str, Any]]:
    for account, id_, name, amount, currency, probability, type_, days in OPPORTUNITIES:
        yield {
            "source": SOURCE, "account_external_id": account, "external_id": id_, "name": name,
            "amount": f"{amount}.00", "currency": currency, "probability": probability, "type": type_,
            "closes_on": today + timedelta(days=days),
        }  # fmt: skip


def rate_rows(today: date, days: int) -> Iterator[dict[str, Any]]:
    """What a euro is worth in dollars, once a week, the last one of today."""
    random, rate = Random(SEED), RATE_AROUND  # noqa: S311 (the same)
    for ago in range(days + 7, -1, -7):
        rate += Decimal(random.randint(-60, 60)) / 10_000
        yield {"currency": "EUR", "date": today - timedelta(days=ago), "rate": f"{rate:.4f}"}
