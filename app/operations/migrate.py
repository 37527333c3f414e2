"""Running migrations and asking where the database stands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

import app.migrations
from app.config import Settings


def alembic_config(settings: Settings) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(app.migrations.__file__).parent).replace("%", "%%"))
    config.attributes["settings"] = settings
    return config


def upgrade(settings: Settings) -> None:
    """Bring the database to the head; safe to call from several processes at once."""
    command.upgrade(alembic_config(settings), "head")


def head(settings: Settings) -> str | None:
    return ScriptDirectory.from_config(alembic_config(settings)).get_current_head()


def current(engine: Engine) -> str | None:
    """The revision the database is at, or None before the first migration."""
    with engine.connect() as connection:
        if not connection.scalar(text("select to_regclass('public.alembic_version')")):
            return None
        revision: str | None = connection.scalar(text("select version_num from alembic_version"))
        return revision
