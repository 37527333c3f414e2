"""What reports read: facts of each case from one moment of knowing to the next, and their daily sums."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Date, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, reference
from app.reports.folding import ENDLESS, SUMMED_BY
from app.reports.standings import MEASURES, STANDINGS

OPEN = "standing = 'open'"
LASTING = f"span = {ENDLESS} and standing <> 'open'"
PASSED = f"span <> {ENDLESS} and standing <> 'open'"


class CaseFact(TenantModel):
    """What was known of a case from `known_from` until before `known_until` (the year 9999 for what still holds).

    `group_id` is the ultimate parent then; `closer_id` the last of its owners, absences and hand-backs left out;
    `days` the whole days to the closing, begun ones included; `span` how long the fact held, by class; `worth_id` what
    is at stake and renews; `stake_amount` what the `stake_lines` at stake come to if all are in one currency and as
    long as none has ended, which the first does after `stake_until`; `counts` whether it changes what is summed of its
    case, as its first fact does, and `was` in a word what was summed before; `<tier>_seconds` the time in each tier
    entered, once closed.

    `owners` are those in its chain, absences and hand-backs left out, once it was given on (empty before); `waits` the
    seconds of ended waits by the party waited for; `resolution_id` the event whose texts say what its root cause was,
    `root_cause` the name made from those words;
    `prevention` the actions promised in it, each `{id, state, due_on}`.
    """

    __tablename__ = "case_fact"
    __table_args__ = (
        UniqueConstraint("tenant_id", "escalation_id", "known_from"),
        reference("escalation", "escalation_id"),
        reference("worth", "worth_id"),
        one_of("standing", STANDINGS),
        CheckConstraint("known_from < known_until", name="known"),
        # With all that counting the open ones asks for.
        Index(
            "ix_case_fact_open",
            "tenant_id",
            "span",
            "known_from",
            postgresql_include=[
                "known_until",
                "escalation_id",
                "account_id",
                "group_id",
                "worth_id",
                "stake_amount",
                "stake_currency",
                "stake_lines",
                "stake_until",
                "renewal_on",
                "status",
                "tier",
                "severity",
                "reopens",
                "due_at",
                "raised_at",
                "day_raised",
                "close_target_at",
            ],
            postgresql_where=text(OPEN),
        ),
        # What became of cases that are open no more, with all that telling what changed asks for.
        Index(
            "ix_case_fact_ended",
            "tenant_id",
            "known_from",
            postgresql_include=[
                "known_until",
                "escalation_id",
                "account_id",
                "standing",
                "status",
                "tier",
                "severity",
                "reopens",
                "due_at",
                "close_target_at",
            ],
            postgresql_where=text("standing <> 'open'"),
        ),
        # With all that the sums ask for.
        Index(
            "ix_case_fact_counts",
            "tenant_id",
            "known_from",
            postgresql_include=[
                "escalation_id",
                "day_raised",
                "was",
                "status",
                "first_owner_id",
                "closer_id",
                *SUMMED_BY,
            ],
            postgresql_where=text("counts"),
        ),
        # What holds of ended cases, with all that counting causes and owners asks for.
        Index(
            "ix_case_fact_lasting",
            "tenant_id",
            "day_raised",
            postgresql_include=[
                "known_from",
                "escalation_id",
                "account_id",
                "reason",
                "standing",
                "raised_at",
                "days",
                "close_target_at",
                "preventable",
                "root_cause",
                "closer_id",
                "first_owner_id",
                "worth_id",
            ],
            postgresql_where=text(LASTING),
        ),
        # What was known of ended cases for a time.
        Index("ix_case_fact_passed", "tenant_id", "span", "known_from", postgresql_where=text(PASSED)),
        # Of cases not closed on time, with all that says where their time went.
        Index(
            "ix_case_fact_missed",
            "tenant_id",
            "day_raised",
            postgresql_include=[
                "known_from",
                "escalation_id",
                "account_id",
                "reason",
                "closer_id",
                "standing",
                "reroutes",
                "reopens",
                "raised_at",
                "close_target_at",
                "resolved_at",
                "closed_at",
                "acknowledged_at",
                "acknowledged_late",
                "extended",
                "waits",
                "waiting_for",
                "waiting_since",
            ],
            postgresql_where=text(f"{LASTING} and standing in ('late', 'unresolved', 'customer_silent')"),
        ),
        Index("ix_case_fact_owners", "tenant_id", "day_raised", postgresql_where=text(f"{LASTING} and owners <> '[]'")),
        Index("ix_case_fact_prevention", "tenant_id", "day_raised", postgresql_where=text("prevention <> '[]'")),
        Index("ix_case_fact_raised", "tenant_id", "day_raised", "escalation_id"),
        Index("ix_case_fact_account", "tenant_id", "account_id", "known_from"),
        Index(
            "ix_case_fact_group",
            "tenant_id",
            "group_id",
            "known_from",
            postgresql_where=text("group_id <> account_id"),
        ),
    )

    escalation_id: Mapped[UUID]
    known_from: Mapped[datetime]
    known_until: Mapped[datetime]
    span: Mapped[int] = mapped_column(SmallInteger)
    account_id: Mapped[UUID]
    group_id: Mapped[UUID]
    counts: Mapped[bool]
    was: Mapped[str | None]
    standing: Mapped[str]
    status: Mapped[str]
    outcome: Mapped[str | None]
    verification: Mapped[str | None]
    tier: Mapped[str]
    severity: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str]
    owner_id: Mapped[UUID | None]
    first_owner_id: Mapped[UUID | None]
    closer_id: Mapped[UUID | None]
    reroutes: Mapped[int]
    reopens: Mapped[int]
    raised_at: Mapped[datetime]
    day_raised: Mapped[date]
    close_target_at: Mapped[datetime]
    due_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_late: Mapped[bool]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    days: Mapped[int | None]
    extended: Mapped[bool]
    customer_agreed: Mapped[bool | None]
    long_pause: Mapped[bool]
    logged_late: Mapped[bool]
    preventable: Mapped[bool | None]
    owners: Mapped[list[Any]]
    waits: Mapped[dict[str, Any]]
    waiting_for: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    resolution_id: Mapped[UUID | None]
    root_cause: Mapped[UUID | None]
    prevention: Mapped[list[Any]]
    segment: Mapped[str | None]
    health: Mapped[int | None]
    renewal_on: Mapped[date | None]
    worth_id: Mapped[UUID]
    stake_amount: Mapped[Decimal | None]
    stake_currency: Mapped[str | None]
    stake_lines: Mapped[int]
    stake_until: Mapped[date | None]
    tier_1_seconds: Mapped[int | None] = mapped_column(BigInteger)
    tier_2_seconds: Mapped[int | None] = mapped_column(BigInteger)
    tier_3_seconds: Mapped[int | None] = mapped_column(BigInteger)
    onsite_seconds: Mapped[int | None] = mapped_column(BigInteger)
    vendor_seconds: Mapped[int | None] = mapped_column(BigInteger)
    management_seconds: Mapped[int | None] = mapped_column(BigInteger)


class Worth(TenantModel):
    """What a case has at stake, line by line, and which lines renew next: each content once, under a name made from it,
    so that it is written once and never changed. Amounts are weighted, in the lines' own currencies."""

    __tablename__ = "worth"
    __table_args__ = ({"info": {"append_only": True}},)

    ids: Mapped[list[UUID]]
    kinds: Mapped[list[str]]
    amounts: Mapped[list[Decimal]] = mapped_column(ARRAY(Numeric))
    currencies: Mapped[list[str]]
    ends_on: Mapped[list[date | None]] = mapped_column(ARRAY(Date))
    renewal_ids: Mapped[list[UUID]]
    renewal_amounts: Mapped[list[Decimal]] = mapped_column(ARRAY(Numeric))
    renewal_currencies: Mapped[list[str]]


class LineHolder(TenantModel):
    """An account whose cases ever had a contract or opportunity at stake; `shared` once there is more than one. What no
    other account shares needs no look at the others to be counted once."""

    __tablename__ = "line_holder"
    __table_args__ = (
        UniqueConstraint("tenant_id", "line_id", "account_id"),
        Index("ix_line_holder_shared", "tenant_id", "account_id", postgresql_where=text("shared")),
    )

    line_id: Mapped[UUID]
    account_id: Mapped[UUID]
    shared: Mapped[bool]


class CohortDay(TenantModel):
    """What became known in one day, by day raised and days to close (-1: not closed), as differences: the sums over all
    days that ended by a moment are what was known then. `ended_at` is the end of the day in the tenant's zone of that
    time."""

    __tablename__ = "cohort_day"
    __table_args__ = (
        UniqueConstraint("tenant_id", "ended_at", "day_raised", "days"),
        Index("ix_cohort_day_raised", "tenant_id", "day_raised"),
    )

    ended_at: Mapped[datetime]
    day_raised: Mapped[date]
    days: Mapped[int]


class CohortMonth(TenantModel):
    """The daily sums of the days that ended in one month, added up by month raised: `ended_at` is the end of that month
    in the tenant's zone of the time it was summed, no later than the last day summed, and every day that ended after
    the month before it and no later than that is in it."""

    __tablename__ = "cohort_month"
    __table_args__ = (UniqueConstraint("tenant_id", "ended_at", "month_raised", "days"),)

    ended_at: Mapped[datetime]
    month_raised: Mapped[date]
    days: Mapped[int]


for _measure in MEASURES:
    for _sums in (CohortDay, CohortMonth):
        setattr(_sums, _measure, mapped_column(_measure, BigInteger, nullable=False))


class ReportCursor(TenantModel):
    """How far the facts are made, one row a tenant.

    All entries of transactions below `transaction_id` are in the facts, but for cases after `after_id` while they are
    made anew. `known_until` is the moment up to which answers are final: what is recorded before and found later is
    known from then on. `summed_until` is the end of the last day in the sums. While others write, `marked_at` is a
    moment that becomes final once all transactions below `marked_transaction` have ended and are folded.
    """

    __tablename__ = "report_cursor"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    transaction_id: Mapped[int] = mapped_column(BigInteger)
    after_id: Mapped[UUID | None]
    known_until: Mapped[datetime | None]
    summed_until: Mapped[datetime | None]
    marked_transaction: Mapped[int | None] = mapped_column(BigInteger)
    marked_at: Mapped[datetime | None]


class LateEntry(TenantModel):
    """An event, snapshot, rate or entry of a clock that was found after answers for its moment had been given: known
    from here on."""

    __tablename__ = "late_entry"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entry_id"),
        {"info": {"append_only": True}},
    )

    entry_id: Mapped[UUID]
    known_from: Mapped[datetime]
