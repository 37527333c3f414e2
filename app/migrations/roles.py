"""The roles a migration needs: `<db>_app`, `<db>_finder`, `<db>_eraser`; made if missing, granted to the login users.

Granted `with inherit false, set true`: inherited membership would give a session that forgot its scope the finder's
policies, and with them every tenant's rows.
"""

from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, text

from app.config import Settings, database_name


def role_names(settings: Settings) -> dict[str, str]:
    eraser = database_name(settings.database_url) + "_eraser"
    return {"app": settings.app_role, "finder": settings.finder_role, "eraser": eraser}


def quoted(names: dict[str, str]) -> dict[str, str]:
    return {**{key: f'"{name}"' for key, name in names.items()}, "eraser_name": names["eraser"]}


def login_name(url: str) -> str | None:
    name = urlsplit(url).username
    return unquote(name) if name else None


def ensure_roles(connection: Connection, settings: Settings) -> None:
    """Create what is missing and let both login users switch to app and finder; only the owner to the eraser."""
    names = role_names(settings)
    owner = connection.scalar(text("select current_user"))
    web = login_name(settings.database_url) or owner
    for key, name in names.items():
        if not connection.scalar(text("select 1 from pg_roles where rolname = :name"), {"name": name}):
            connection.execute(text(f'CREATE ROLE "{name}" NOLOGIN'))
        for login in {owner, web} if key != "eraser" else {owner}:
            connection.execute(text(f'GRANT "{name}" TO "{login}" WITH INHERIT FALSE, SET TRUE'))
