"""What many commands share: the data folder, the tenant, and the application with that tenant in scope."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
from flask import Flask

from app.auth import queries
from app.db import tenant_scope, transaction
from app.errors import AppError
from app.operations.setting import application

DATA_DIR = Path(".firsthand")

data_dir_option = click.option(
    "--data-dir",
    envvar="FIRSTHAND_DATA_DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA_DIR,
    show_default=True,
    help="Where the embedded servers keep their data.",
)
tenant_option = click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="The tenant's id.")


@contextmanager
def in_tenant(data_dir: Path, tenant_id: UUID) -> Iterator[Flask]:
    """The application with an existing tenant in scope."""
    with application(data_dir) as app, tenant_scope(tenant_id):
        with transaction():
            _check_tenant(tenant_id)
        yield app


def _check_tenant(tenant_id: UUID) -> None:
    try:
        queries.get_tenant()
    except AppError:
        raise click.ClickException(f"there is no tenant {tenant_id}") from None
