"""The forty accounts of the sample tenant with contracts, contacts, deals and exchange rates.

Days are counted from the day the sample is made for; what the tables don't say is drawn with a fixed seed.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from app.operations.sample.people import DOMAIN

SOURCE = "salesforce"
SEED = 20_300  # any number, always the same

# id, name, region, segment, zone, ARR, currency, health, owner, CSM, days to renewal, parent
ACCOUNTS = (
    ("N-1001", "Alder Creek Foods", "Americas", "enterprise", "America/Chicago", 420_000, "USD", 71, "ben", "chloe", 140, None),
    ("N-1002", "Bluestem Logistics", "Americas", "strategic", "America/Chicago", 1_180_000, "USD", 48, "ben", "chloe", 64, None),
    ("N-1003", "Cascadia Freight", "Americas", "mid_market", "America/Los_Angeles", 96_000, "USD", 63, "chloe", "ben", 64, "N-1002"),
    ("N-1004", "Cobalt Ridge Energy", "Americas", "enterprise", "America/Denver", 610_000, "USD", 55, "chloe", "ben", 201, None),
    ("N-1005", "Copperline Credit Union", "Americas", "enterprise", "America/New_York", 358_000, "USD", 67, "ben", "chloe", 96, None),
    ("N-1006", "Dorado Pharma", "Americas", "strategic", "America/New_York", 940_000, "USD", 39, "ben", "chloe", 47, None),
    ("N-1007", "Evergold Retail", "Americas", "mid_market", "America/Sao_Paulo", 128_000, "USD", 74, "chloe", "ben", 233, None),
    ("N-1008", "Fairmount Health Network", "Americas", "enterprise", "America/New_York", 525_000, "USD", 52, "ben", "chloe", 118, None),
    ("N-1009", "Granite Bay Insurance", "Americas", "enterprise", "America/Los_Angeles", 447_000, "USD", 80, "chloe", "ben", 305, None),
    ("N-1010", "Highmesa Telecom", "Americas", "strategic", "America/Denver", 1_460_000, "USD", 44, "chloe", "ben", 88, None),
    ("N-1011", "Ironwood Manufacturing", "Americas", "mid_market", "America/Chicago", 164_000, "USD", 69, "ben", "chloe", 172, None),
    ("N-1012", "Juniper Valley Schools", "Americas", "small", "America/Denver", 28_000, "USD", 77, "chloe", "ben", 265, None),
    ("N-1013", "Kestrel Regional Airways", "Americas", "enterprise", "America/Chicago", 389_000, "USD", 58, "ben", "chloe", 129, None),
    ("N-1014", "Lakeshore Media", "Americas", "mid_market", "America/New_York", 112_000, "USD", None, "ben", "chloe", 54, None),
    ("N-1015", "Monarch Grocers", "Americas", "small", "America/Chicago", 41_000, "USD", 83, "ben", "chloe", 320, None),
    ("N-1016", "Nordhavn Shipping", "EMEA", "strategic", "Europe/Copenhagen", 1_050_000, "EUR", 61, "elif", "marco", 76, None),
    ("N-1017", "Nordhavn Ports", "EMEA", "enterprise", "Europe/Copenhagen", 340_000, "EUR", 57, "elif", "marco", 76, "N-1016"),
    ("N-1018", "Oberland Versicherung", "EMEA", "enterprise", "Europe/Zurich", 486_000, "EUR", 49, "elif", "marco", 110, None),
    ("N-1019", "Pennine Water", "EMEA", "enterprise", "Europe/London", 372_000, "EUR", 66, "marco", "elif", 158, None),
    ("N-1020", "Quai Nord Transports", "EMEA", "mid_market", "Europe/Paris", 138_000, "EUR", 72, "marco", "elif", 212, None),
    ("N-1021", "Rheintal Chemie", "EMEA", "strategic", "Europe/Berlin", 890_000, "EUR", 42, "elif", "marco", 58, None),
    ("N-1022", "Saltmarsh Renewables", "EMEA", "mid_market", "Europe/London", 119_000, "EUR", 78, "marco", "elif", 187, None),
    ("N-1023", "Tramontana Hotels", "EMEA", "enterprise", "Europe/Rome", 295_000, "EUR", 54, "marco", "elif", 83, None),
    ("N-1024", "Umbria Tessile", "EMEA", "small", "Europe/Rome", 34_000, "EUR", 81, "marco", "elif", 276, None),
    ("N-1025", "Vestfold Energi", "EMEA", "enterprise", "Europe/Oslo", 431_000, "EUR", 60, "elif", "marco", 144, None),
    ("N-1026", "Wexcombe Bank", "EMEA", "strategic", "Europe/London", 1_290_000, "EUR", 51, "elif", "marco", 99, None),
    ("N-1027", "Yarrow & Finch Legal", "EMEA", "small", "Europe/London", 46_000, "EUR", None, "marco", "elif", 251, None),
    ("N-1028", "Zuiderlicht Media", "EMEA", "mid_market", "Europe/Amsterdam", 142_000, "EUR", 70, "marco", "elif", 133, None),
    ("N-1029", "Brabant Zorggroep", "EMEA", "enterprise", "Europe/Amsterdam", 318_000, "EUR", 46, "elif", "marco", 69, None),
    ("N-1030", "Coralbay Resorts", "APAC", "mid_market", "Australia/Brisbane", 126_000, "USD", 64, "wei", "elif", 177, None),
    ("N-1031", "Daikoku Precision", "APAC", "enterprise", "Asia/Tokyo", 502_000, "USD", 56, "wei", "marco", 92, None),
    ("N-1032", "Nordhavn Shipping Asia", "APAC", "enterprise", "Asia/Singapore", None, "USD", 59, "wei", "elif", None, "N-1016"),
    ("N-1033", "Ferntree Mining", "APAC", "strategic", "Australia/Perth", 870_000, "USD", 47, "wei", "marco", 61, None),
    ("N-1034", "Hanbit Electronics", "APAC", "enterprise", "Asia/Seoul", 455_000, "USD", 68, "wei", "elif", 149, None),
    ("N-1035", "Indigo Loom Textiles", "APAC", "small", "Asia/Kolkata", 37_000, "USD", 75, "wei", "marco", 223, None),
    ("N-1036", "Jade Harbour Property", "APAC", "mid_market", "Asia/Hong_Kong", 151_000, "USD", 62, "wei", "elif", 105, None),
    ("N-1037", "Kiwa Dairy", "APAC", "mid_market", "Pacific/Auckland", 109_000, "USD", 79, "wei", "marco", 290, None),
    ("N-1038", "Lotus Lane Clinics", "APAC", "small", "Asia/Singapore", 31_000, "USD", 65, "wei", "elif", 198, None),
    ("N-1039", "Merlion Payments", "APAC", "strategic", "Asia/Singapore", 980_000, "USD", 41, "wei", "marco", 52, None),
    ("N-1040", "Tasman Ferries", "APAC", "enterprise", "Australia/Sydney", 276_000, "USD", 53, "wei", "elif", 124, None),
)  # fmt: skip

# account, external id, ARR, currency, ends in days (None: evergreen), escalator
FURTHER_CONTRACTS: tuple[tuple[str, str, int, str, int | None, dict[str, Any]], ...] = (
    ("N-1002", "K-1002-ANALYTICS", 210_000, "USD", 64, {"kind": "fixed", "percent": "4"}),
    ("N-1010", "K-1010-SUPPORT", 175_000, "USD", None, {}),
    ("N-1016", "K-1016-US", 160_000, "USD", 76, {"kind": "index", "percent": "2.4", "floor": "1", "cap": "5"}),
    ("N-1026", "K-1026-MARKETS", 240_000, "EUR", 190, {"kind": "index", "floor": "1.5", "cap": "4"}),
    ("N-1039", "K-1039-RISK", 130_000, "EUR", 52, {"kind": "fixed", "percent": "6"}),
)
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
    "Alice Amara Anders Bruno Camille Carlos Dana Dmitri Eva Farah Greta Hugo Imani Jae Keiko Leon Maya Nadia Oskar Pilar "
    "Quentin Rosa Sven Tara Umar Vera Willem Xenia Yusuf Zoe"
).split()
LAST_NAMES = (
    "Abel Bergstrom Costa Dubois Eriksen Fujita Garza Hoffmann Ito Jansen Kaur Larsen Moreau Ndiaye Okafor Petrov Quinn "
    "Rossi Santos Tanaka Ueda Vargas Walsh Yamada Zeller"
).split()
ROLES = ("Head of operations", "IT director", "Finance controller", "Platform owner")
RATE_AROUND = Decimal("1.0830")


def slug(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def domain_of(name: str) -> str:
    return f"{slug(name)}.example"


def account_rows() -> Iterator[dict[str, Any]]:
    """Parents stand before their children."""
    for id_, name, region, segment, zone, _, _, health, owner, csm, _, parent in ACCOUNTS:
        yield {
            "source": SOURCE, "external_id": id_, "name": name, "domain": domain_of(name), "segment": segment,
            "region": region, "timezone": zone, "health": health, "lifecycle": "customer",
            "owner_email": f"{owner}@{DOMAIN}", "csm_email": f"{csm}@{DOMAIN}",
            "sponsor_email": f"margaret@{DOMAIN}" if segment == "strategic" else None, "parent_external_id": parent,
            "attributes": {"industry_code": slug(name)[:3].upper(), "tier_of_support": "premium" if segment == "strategic" else "standard"},
        }  # fmt: skip


def contract_rows(today: date) -> Iterator[dict[str, Any]]:
    """One contract of a year or two for each account but the one that stands under its parent's, and a few more."""
    random = Random(SEED)
    for id_, _, _, _, _, arr, currency, _, _, _, days, _ in ACCOUNTS:
        years = random.choice((1, 1, 2, 3))
        escalator = {"kind": "fixed", "percent": random.choice(("3", "4", "5"))} if random.random() < 0.6 else {}
        if arr is not None:
            yield _contract(id_, f"K-{id_[2:]}", arr, currency, today, days, escalator, years)
    for id_, contract, arr, currency, days_left, escalator in FURTHER_CONTRACTS:
        yield _contract(id_, contract, arr, currency, today, days_left, escalator, 1)


def _contract(
    account: str,
    id_: str,
    arr: int,
    currency: str,
    today: date,
    days: int | None,
    escalator: dict[str, Any],
    years: int,
) -> dict[str, Any]:
    ends_on = None if days is None else today + timedelta(days=days)
    starts_on = (ends_on or today) - timedelta(days=365 * years - 1)
    return {
        "source": SOURCE, "account_external_id": account, "external_id": id_, "arr": f"{arr}.00", "currency": currency,
        "starts_on": starts_on, "ends_on": ends_on, "escalator": escalator or {"kind": "none"},
    }  # fmt: skip


def contact_rows() -> Iterator[dict[str, Any]]:
    """Two people at each customer."""
    for id_ in (row[0] for row in ACCOUNTS):
        for place in (1, 2):
            name, email = contact(id_, place)
            yield {
                "source": SOURCE, "account_external_id": id_, "external_id": f"C-{id_[2:]}-{place}", "name": name,
                "email": email, "role": ROLES[(int(id_[2:]) + place) % len(ROLES)],
            }  # fmt: skip


def contact(account: str, place: int = 1) -> tuple[str, str]:
    """Name and address of the first or second person there."""
    number = int(account[2:])
    first = FIRST_NAMES[(number * 7 + place * 11) % len(FIRST_NAMES)]
    last = LAST_NAMES[(number * 3 + place * 8) % len(LAST_NAMES)]
    customer = next(row[1] for row in ACCOUNTS if row[0] == account)
    return f"{first} {last}", f"{first}.{last}@{domain_of(customer)}".lower()


def opportunity_rows(today: date) -> Iterator[dict[str, Any]]:
    for account, id_, name, amount, currency, probability, type_, days in OPPORTUNITIES:
        yield {
            "source": SOURCE, "account_external_id": account, "external_id": id_, "name": name,
            "amount": f"{amount}.00", "currency": currency, "probability": probability, "type": type_,
            "closes_on": today + timedelta(days=days),
        }  # fmt: skip


def rate_rows(today: date, days: int) -> Iterator[dict[str, Any]]:
    """What a euro is worth in dollars, once a week, the last one of today."""
    random, rate = Random(SEED), RATE_AROUND
    for ago in range(days + 7, -1, -7):
        rate += Decimal(random.randint(-60, 60)) / 10_000
        yield {"currency": "EUR", "date": today - timedelta(days=ago), "rate": f"{rate:.4f}"}
