"""`firsthand clocks verify`: every stored clock held against its ledger, with progress and an exit status."""

import sys
from pathlib import Path
from uuid import UUID

import click

from app.operations.options import data_dir_option
from app.operations.setting import application
from app.sla import cli as sla


@click.group("clocks")
def clocks_commands() -> None:
    """The promises and their ledgers."""


@clocks_commands.command("verify")
@click.option("--tenant", "tenant_id", type=click.UUID, help="One tenant.  [default: every tenant]")
@data_dir_option
def verify(tenant_id: UUID | None, data_dir: Path) -> None:
    """Rebuild every clock from its ledger and compare; changes nothing.

    Each difference is a line on stdout: clock, field, stored, rebuilt. Exit 1 if there is any.
    """
    clocks = differences = 0
    with application(data_dir):
        for batch in sla.verify_tenants([tenant_id] if tenant_id else sla.list_tenants()):
            clocks, differences = clocks + batch.count, differences + len(batch.differences)
            show(batch, clocks)
    _progress("")
    click.echo(f"{clocks:,} clocks, {differences:,} differences", err=True)
    sys.exit(1 if differences else 0)


def show(batch: sla.Verified, clocks: int) -> None:
    """What differs on stdout; how far we are on stderr if that is a terminal."""
    if batch.differences:
        _progress("")
    for difference in batch.differences:
        click.echo(difference)
    _progress(f"{clocks:,} clocks compared")


def _progress(shown: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{shown}", nl=False, err=True)
