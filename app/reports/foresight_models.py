"""What foresight keeps: models of how cases close, and what was known of each account."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.auth.models import one_of
from app.db import TenantModel, reference
from app.routing.learning.wanted import STATES as MODEL_STATES
from app.routing.learning.wanted import Wanted


class HazardModel(Wanted):
    """How likely an open case is to be closed on a day, learnt from the tenant's own; asked from `holds_from` on.

    A trained one is kept for ever: a question about the past is answered by the model that held then. `content` is
    numbers by trait (`forecast.hazard`). `ended` counts the closed cases when it was asked for.
    """

    __tablename__ = "hazard_model"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        one_of("state", MODEL_STATES),
        CheckConstraint("(state = 'trained') = (holds_from IS NOT NULL)", name="trained_holds"),
        Index("ix_hazard_model_holds", "tenant_id", "holds_from", postgresql_where=text("state = 'trained'")),
        {"info": {"finder": ("state = 'wanted'", ("state", "leased_until"))}},
    )

    ended: Mapped[int]
    holds_from: Mapped[datetime | None]


class AccountFact(TenantModel):
    """What was known of an account from `known_from` until before `known_until` (the year 9999 for what still holds),
    noted by the worker.

    `lines` are its own contracts, each `{id, amount, currency, ends_on}`; `healths` the changes of its health in the
    last 120 days, each `{at, was}`; `raised` its cases of these days, each `{id, on, again, unheard_on}`: the day
    raised, whether it is the recurrence of another, the day it was closed without the customer's word. `unanswered_at`
    is the earliest message of these cases that no word to the customer followed.
    """

    __tablename__ = "account_fact"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "known_from"),
        reference("account", "account_id"),
        CheckConstraint("known_from < known_until", name="known"),
        Index("ix_account_fact_known", "tenant_id", "known_until"),
    )

    account_id: Mapped[UUID]
    known_from: Mapped[datetime]
    known_until: Mapped[datetime]
    health: Mapped[int | None]
    gone: Mapped[bool]
    lines: Mapped[list[Any]]
    healths: Mapped[list[Any]]
    raised: Mapped[list[Any]]
    unanswered_at: Mapped[datetime | None]
