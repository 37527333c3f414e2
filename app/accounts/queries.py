"""Questions about customers: facts for a case, what is not known yet, lists."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, select, text, tuple_

from app.accounts import book
from app.accounts.errors import AccountNotFound
from app.accounts.facts import AccountFacts, AccountRow, Person
from app.accounts.facts_sql import CHAIN_BY_ID, CHAIN_BY_KEY, MONEY
from app.accounts.models import Account
from app.accounts.rates import Rate, Rates
from app.accounts.value import Contract, Escalator, Opportunity, is_active, value_of
from app.auth.settings import current_version, tenant_settings
from app.db import db
from app.errors import invalid

ACCOUNT_COLUMNS = tuple(AccountRow.__dataclass_fields__)
PERSON_COLUMNS = tuple(Person.__dataclass_fields__)


def tenant_today(now: datetime) -> date:
    """The date in the tenant's zone."""
    return now.astimezone(ZoneInfo(tenant_settings().timezone)).date()


def account_facts(
    account: UUID | tuple[str, str],
    *,
    now: datetime,
    contract_ids: Sequence[UUID] | None = None,
    as_of: date | None = None,
    rank: bool = True,
) -> AccountFacts:
    """All a case needs of one account, by id or (source, external id), in two statements, three if its value moved.

    `contract_ids` narrows what is touched; one that isn't the account's or an ancestor's is refused. `as_of` is
    the day whose contracts and rates count, the tenant's today unless said. Without `rank` the percentile is the
    book's as it stands. AccountNotFound when there is none.
    """
    today = as_of or tenant_today(now)
    if isinstance(account, UUID):
        chains = _chains(CHAIN_BY_ID, {"ids": [account], "today": today})
    else:
        chains = _chains(CHAIN_BY_KEY, {"source": account[0], "external_id": account[1], "today": today})
    if not chains:
        raise AccountNotFound
    facts = _facts(chains, today=today, touched=contract_ids)
    return _ranked(facts, chains, today=today)[0] if rank else facts[0]


def facts_for_many(
    account_ids: Iterable[UUID], *, now: datetime, as_of: date | None = None
) -> dict[UUID, AccountFacts]:
    """The facts of several accounts by the id asked for, in at most three statements; unknown ids are left out."""
    today = as_of or tenant_today(now)
    chains = _chains(CHAIN_BY_ID, {"ids": list(account_ids), "today": today})
    facts = _ranked(_facts(chains, today=today), chains, today=today)
    return dict(zip((chain[0].asked for chain in chains), facts, strict=True))


def _chains(statement: Any, values: dict[str, Any]) -> list[list[Any]]:
    """Each asked account with its parents, nearest first."""
    rows = db.session.execute(statement, values)
    return [list(chain) for _, chain in groupby(rows, key=lambda row: row.asked)]


def _facts(chains: list[list[Any]], *, today: date, touched: Sequence[UUID] | None = None) -> list[AccountFacts]:
    lines = _money(chains, today=today)
    return [_facts_of(chain, lines, today=today, touched=touched) for chain in chains]


def _ranked(facts: list[AccountFacts], chains: list[list[Any]], *, today: date) -> list[AccountFacts]:
    """A value that is not as the book has it is ranked in the book as it is now; nothing at stake is always last."""
    amounts = [found.value.value_at_stake.amount for found in facts]
    moved = [n for n, amount in enumerate(amounts) if amount and amount != chains[n][0].book_value]
    ranks = dict(zip(moved, book.rank([amounts[n] or Decimal(0) for n in moved], today=today), strict=True))
    return [
        replace(found, percentile=ranks.get(n, found.percentile) if amounts[n] else amounts[n])
        for n, found in enumerate(facts)
    ]


def _money(chains: list[list[Any]], *, today: date) -> list[Any]:
    settings = tenant_settings()
    values = {
        "ids": list({chain[0].id for chain in chains}),
        "chain": list({row.id for chain in chains for row in chain}),
        "reporting": settings.reporting_currency,
        "today": today,
        "oldest": today - timedelta(days=settings.rate_max_age_days),
    }
    return list(db.session.execute(MONEY, values)) if chains else []


def _facts_of(chain: list[Any], lines: list[Any], *, today: date, touched: Sequence[UUID] | None) -> AccountFacts:
    row = chain[0]
    contracts = _standing(chain, [line for line in lines if line.kind == "contract"], today)
    deals = [line for line in lines if line.kind == "opportunity" and line.account_id == row.id]
    ids = None if touched is None else _known(touched, chain, lines)
    if ids is not None:
        contracts = _with_touched(contracts, ids, chain, lines)
    rates = _rates(lines, max_age=tenant_settings().rate_max_age_days)
    value = value_of([c for c, _ in contracts], [_deal(d) for d in deals], rates, today=today, touched=ids)
    counted = {part.id for part in value.parts if part.kind == "contract" and part.touched}
    standing = [(c, line) for c, line in contracts if c.id in counted]
    levels = _service_levels(standing, rates, today)
    owner, csm, sponsor = (_person(row, alias) for alias in ("o", "c", "s"))
    return AccountFacts(
        account=AccountRow(**{name: getattr(row, name) for name in ACCOUNT_COLUMNS}),
        owner=owner,
        csm=csm,
        sponsor=sponsor,
        chain=tuple(parent.id for parent in chain[1:]),
        value=value,
        touched_contract_ids=tuple(line.id for _, line in standing),
        opportunity_ids=tuple(UUID(part.id) for part in value.parts if part.kind == "opportunity"),
        from_account_id=next((line.account_id for c, line in standing if c.from_account), None),
        service_levels=levels,
        currencies=tuple(sorted({line.currency for _, line in standing})),
        percentile=row.percentile,
        book_on=row.book_on,
        today=today,
        warnings=_warnings(row, owner, csm, sponsor, levels),
    )


def _standing(chain: list[Any], lines: list[Any], today: date) -> list[tuple[Contract, Any]]:
    """The account's own contracts and, when none of them is active, its nearest ancestor's that has an active one."""
    levels = [
        [(_contract(line, level), line) for line in lines if line.account_id == account.id]
        for level, account in enumerate(chain)
    ]
    for level, held in enumerate(levels):
        if any(is_active(contract, today) for contract, _ in held):
            return held if level == 0 else levels[0] + held
    return levels[0]


def _known(touched: Sequence[UUID], chain: list[Any], lines: list[Any]) -> Collection[str]:
    accounts = {row.id for row in chain}
    known = {line.id for line in lines if line.kind == "contract" and line.account_id in accounts}
    for n, contract_id in enumerate(touched):
        if contract_id not in known:
            raise invalid(f"contract_ids.{n}", "expected a contract of this account or of one above it")
    return {str(contract_id) for contract_id in touched}


def _with_touched(
    contracts: list[tuple[Contract, Any]], ids: Collection[str], chain: list[Any], lines: list[Any]
) -> list[tuple[Contract, Any]]:
    """A contract named outright counts although a nearer account has contracts of its own."""
    held = {c.id for c, _ in contracts}
    levels = {row.id: level for level, row in enumerate(chain)}
    named = [line for line in lines if line.kind == "contract" and str(line.id) in ids and str(line.id) not in held]
    return contracts + [(_contract(line, levels[line.account_id]), line) for line in named]


def _contract(line: Any, level: int) -> Contract:
    rise = Escalator(line.escalator_kind, line.escalator_percent, line.escalator_floor, line.escalator_cap)
    return Contract(
        id=str(line.id),
        arr=line.amount,
        currency=line.currency,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        escalator=rise,
        from_account=str(line.account_id) if level else None,
    )


def _deal(line: Any) -> Opportunity:
    return Opportunity(str(line.id), line.amount, line.currency, line.probability, line.type, line.ends_on)


def _rates(lines: list[Any], *, max_age: int) -> Rates:
    known = {line.currency: Rate(line.currency, line.rate_on, line.rate) for line in lines if line.rate is not None}
    return Rates(tenant_settings().reporting_currency, known.values(), max_age=timedelta(days=max_age))


def _service_levels(standing: list[tuple[Contract, Any]], rates: Rates, today: date) -> tuple[str, ...]:
    """Each once, by the contracts' worth in the reporting currency, the greatest first; equal ones by id."""

    def worth(pair: tuple[Contract, Any]) -> tuple[Decimal, str]:
        rate = rates.find(pair[0].currency, today)
        return (pair[0].arr * rate.rate if rate else Decimal(-1), pair[0].id)

    named = [pair for pair in standing if pair[1].service_level]
    return tuple(dict.fromkeys(line.service_level for _, line in sorted(named, key=worth, reverse=True)))


def list_unknown_levels(names: Iterable[str]) -> list[str]:
    """Which of these are no service level that cases raised now would get: a warning each."""
    known = current_version("service_level") or {}
    return [f"service_level: {name!r} is not known yet" for name in names if name not in known]


def _person(row: Any, alias: str) -> Person | None:
    if getattr(row, f"{alias}_id") is None:
        return None
    return Person(**{name: getattr(row, f"{alias}_{name}") for name in PERSON_COLUMNS})


def _warnings(
    row: Any, owner: Person | None, csm: Person | None, sponsor: Person | None, levels: tuple[str, ...]
) -> tuple[str, ...]:
    named = (("owner_email", owner), ("csm_email", csm), ("sponsor_email", sponsor))
    unknown = [
        f"{name}: nobody has the address {getattr(row, name)}"
        for name, person in named
        if person is None and getattr(row, name)
    ]
    gone = ["The CRM no longer has this account"] if row.gone_at else []
    return (*gone, *unknown, *list_unknown_levels(levels))


def check_account(account_id: UUID) -> None:
    """AccountNotFound when there is none with this id, a merged one counts as one."""
    if db.session.scalar(select(Account.id).where(Account.id == account_id)) is None:
        raise AccountNotFound


def list_accounts(filters: Mapping[str, Any], *, after: list[Any] | None, limit: int) -> Sequence[Account]:
    """Accounts by name, merged ones left out; `segment`, `region`, `owner` are lists, `q` a part of the name."""
    statement = select(Account).where(Account.merged_into_id.is_(None)).order_by(Account.name, Account.id).limit(limit)
    if "q" in filters:
        statement = statement.where(Account.name.icontains(filters["q"], autoescape=True))
    if "segment" in filters:
        statement = statement.where(Account.segment.in_(_words(filters["segment"])))
    if "region" in filters:
        statement = statement.where(Account.region.in_(_words(filters["region"])))
    if "owner" in filters:
        emails = [email.lower() for email in _words(filters["owner"])]
        statement = statement.where(func.lower(Account.owner_email).in_(emails))
    if after:
        statement = statement.where(
            tuple_(Account.name, Account.id) > tuple_(literal(after[0]), literal(UUID(after[1])))
        )
    return db.session.scalars(statement).all()


def _words(listed: str) -> list[str]:
    return [word for word in (part.strip() for part in listed.split(",")) if word]


# A calendar belongs to a package above; only whether its name is known is asked, by its table's name.
UNKNOWN = text(
    """
    select
      (select 1 from "user" where email = lower(:owner_email)) as owner_email,
      (select 1 from "user" where email = lower(:csm_email)) as csm_email,
      (select 1 from "user" where email = lower(:sponsor_email)) as sponsor_email,
      (select 1 from account where source = :source and external_id = :parent_external_id) as parent_external_id,
      (select 1 from calendar where name = :calendar) as calendar
    """
)
NAMED = ("owner_email", "csm_email", "sponsor_email", "parent_external_id", "calendar")


def list_unknown(account: Account) -> tuple[str, ...]:
    """What an account names that is not known yet; it takes effect when it exists."""
    named = {name: getattr(account, name) for name in NAMED}
    if not any(named.values()):
        return ()
    known = db.session.execute(UNKNOWN, {**named, "source": account.source}).one()
    return tuple(
        f"{name}: {value!r} is not known yet" for name, value in named.items() if value and not getattr(known, name)
    )
