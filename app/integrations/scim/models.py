"""What a directory says of people and teams and nobody else here asks for; and who it has taken away."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantModel, reference


class DirectoryUser(TenantModel):
    """A user in the words of the directory; `removed_at` hides them from it until they are active again."""

    __tablename__ = "directory_user"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id"),
        reference("user", "user_id"),
        Index("ix_directory_user_external_id", "tenant_id", "external_id"),
    )

    user_id: Mapped[UUID]
    external_id: Mapped[str | None] = mapped_column(default=None)
    given_name: Mapped[str | None] = mapped_column(default=None)
    family_name: Mapped[str | None] = mapped_column(default=None)
    title: Mapped[str | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class DirectoryTeam(TenantModel):
    """A team in the words of the directory; `removed_at` hides it from it until it has members again."""

    __tablename__ = "directory_team"
    __table_args__ = (
        UniqueConstraint("tenant_id", "team_id"),
        reference("team", "team_id"),
        Index("ix_directory_team_external_id", "tenant_id", "external_id"),
    )

    team_id: Mapped[UUID]
    external_id: Mapped[str | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
