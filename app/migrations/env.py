"""Runs migrations on MIGRATION_URL inside one transaction; a second runner waits for the first."""

from alembic import context
from sqlalchemy import create_engine, text

from app.config import load_settings
from app.db import Model
from app.migrations.roles import ensure_roles

LOCK = 7_302_011

settings = context.config.attributes.get("settings") or load_settings()
engine = create_engine(settings.migration_url)

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Model.metadata)
    with context.begin_transaction():
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        ensure_roles(connection, settings)
        context.run_migrations()
        # The web's own user asks where the database stands, and owns nothing.
        connection.execute(text("GRANT SELECT ON alembic_version TO PUBLIC"))
engine.dispose()
