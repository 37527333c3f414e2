"""`firsthand reports rebuild`: what reports read, made anew from the timeline, with progress."""

import sys
from pathlib import Path
from uuid import UUID

import click

from app.operations.options import data_dir_option, in_tenant, tenant_option
from app.reports.jobs import AT_ONCE, rebuild_tenant


@click.group("reports")
def reports_commands() -> None:
    """Figures for executives."""


@reports_commands.command("rebuild")
@tenant_option
@data_dir_option
def rebuild(tenant_id: UUID, data_dir: Path) -> None:
    """Make a tenant's facts and daily sums anew from timeline and snapshots; answers stay the same.

    Meanwhile its reports answer 503. Stopped halfway, the worker goes on.
    """
    slices = 0

    def show() -> None:
        nonlocal slices
        slices += 1
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{slices * AT_ONCE:,} cases", nl=False, err=True)

    with in_tenant(data_dir, tenant_id):
        rebuild_tenant(tenant_id, seen=show)
    click.echo("\nmade anew" if sys.stderr.isatty() else "made anew", err=True)
