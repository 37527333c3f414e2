"""The columns that every hash-chained timeline has, of cases and of outages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column


class Chained:
    """One line of a timeline: ids and codes only; `hash` covers all of it and the line before."""

    seq: Mapped[int]
    kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    acting_for_id: Mapped[UUID | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text_hashes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    prev_hash: Mapped[bytes]
    hash: Mapped[bytes]


class Erasable:
    """What a person wrote or is named by, with its salt; erasure removes text and salt, the chain still holds."""

    event_id: Mapped[UUID]
    field: Mapped[str]
    text: Mapped[str | None]
    salt: Mapped[bytes | None]
