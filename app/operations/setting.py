"""What a command works with: settings from the environment, else servers of the data folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine

from app import create_app
from app.config import Settings, load_settings
from app.db import db
from app.operations import migrate
from app.operations.datadir import attach, open_folder, secret_key
from app.operations.errors import NotMigrated
from app.operations.servers import use_servers


@contextmanager
def settings_for(
    data_dir: Path, environ: Mapping[str, str] = os.environ, *, lasting: bool = False
) -> Iterator[Settings]:
    """The environment's settings if it names a database; else those of the folder's holder or of servers of our own.

    An environment that names a database is production: nothing is guessed there, and what is missing is refused.
    """
    if environ.get("FIRSTHAND_DATABASE_URL") and not attach(data_dir):
        yield load_settings(environ)
        return
    with use_servers(data_dir, environ, lasting=lasting) as found:
        yield load_settings(environment_of(data_dir, found, environ))


def environment_of(data_dir: Path, found: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the servers' addresses and, unless it is given, the folder's own secret."""
    folder = open_folder(data_dir)
    given = {name: value for name, value in environ.items() if value or not name.startswith("FIRSTHAND_")}
    return {
        "FIRSTHAND_SECRET_KEY": secret_key(folder),
        **given,
        **found,
        "FIRSTHAND_DATA_DIR": str(folder),
    }


@contextmanager
def application(data_dir: Path) -> Iterator[Flask]:
    """The application in its context, on a database that stands at our migration."""
    with settings_for(data_dir) as settings:
        ensure_migrated(settings, own=not os.environ.get("FIRSTHAND_DATABASE_URL"))
        app = create_app(settings, doors=False)
        with app.app_context():
            try:
                yield app
            finally:
                db.engine.dispose()


def ensure_migrated(settings: Settings, *, own: bool) -> None:
    """Bring an embedded database up to date; of any other only say that it is not."""
    engine = create_engine(settings.database_url)
    try:
        current, head = migrate.current(engine), migrate.head(settings)
    finally:
        engine.dispose()
    if current == head:
        return
    if not own:
        raise NotMigrated(current, head)
    migrate.upgrade(settings)
