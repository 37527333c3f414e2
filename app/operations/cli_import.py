"""`firsthand import`: a file into a tenant, with a progress bar, refused rows on stderr and an exit status."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO
from uuid import UUID

import click
from flask import current_app

from app import clock
from app.accounts.queries import tenant_today
from app.auth.actor import SYSTEM
from app.db import transaction
from app.errors import AppError
from app.operations.imports import kinds
from app.operations.imports.mapping import Mapping, load_mapping
from app.operations.imports.runner import Fault, Report, run_import
from app.operations.options import data_dir_option, in_tenant, tenant_option

NDJSON_NAMES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")


class Progress:
    """A bar over the bytes read, drawn only on a terminal; refused rows are written above it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file = file
        self.size = size
        self.bar = sys.stderr.isatty()

    def read(self, size: int = -1, /) -> bytes:
        return self.file.read(size)

    def tell(self, report: Report, faults: Sequence[Fault]) -> None:
        for fault in faults:
            named = f"{fault.field}: " if fault.field else ""
            click.echo(f"{self._clear()}line {fault.line}: {named}{fault.detail}", err=True)
        if self.bar:
            share = min(self.file.tell() / self.size, 1.0) if self.size else 1.0
            done = "█" * round(share * 30)
            click.echo(f"\r{done:<30} {share:4.0%}  {report.total:,} rows", nl=False, err=True)

    def end(self) -> None:
        click.echo(self._clear(), nl=False, err=True)

    def _clear(self) -> str:
        return "\r\x1b[K" if self.bar else ""


def import_file(
    kind: str, path: Path, tenant_id: UUID, *, map_path: Path | None = None, dry_run: bool = False
) -> Report:
    """Import a file, gzipped or not, into the tenant in scope; refused rows go to stderr."""
    with ExitStack() as stack:
        chosen = kinds.kind_of(kind)
        if chosen is None:
            raise click.BadParameter(f"expected one of {', '.join(kinds.NAMES)}", param_hint="KIND")
        progress = Progress(stack.enter_context(path.open("rb")), path.stat().st_size)
        stack.callback(progress.end)
        return run_import(
            chosen,
            progress,
            ndjson=path.name.lower().endswith(NDJSON_NAMES),
            actor=SYSTEM,
            limit=current_app.config["MAX_IMPORT_BYTES"],
            mapping=_mapping(map_path, tenant_id),
            dry_run=dry_run,
            tell=progress.tell,
        )


def _mapping(path: Path | None, tenant_id: UUID) -> Mapping | None:
    if path is None:
        return None
    with transaction(tenant=tenant_id):
        return load_mapping(path, today=tenant_today(clock.now()))


@click.command("import")
@click.argument("kind", type=click.Choice(kinds.NAMES))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tenant_option
@click.option("--dry-run", is_flag=True, help="Check and count everything, write nothing.")
@click.option(
    "--map", "map_path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A mapping file (TOML)."
)
@data_dir_option
def import_command(
    kind: str, file: Path, tenant_id: UUID, dry_run: bool, map_path: Path | None, data_dir: Path
) -> None:
    """Import a CSV or NDJSON FILE (.gz too); good rows land, bad ones go to stderr; exit 1 if any was bad."""
    with in_tenant(data_dir, tenant_id):
        try:
            report = import_file(kind, file, tenant_id, map_path=map_path, dry_run=dry_run)
        except AppError as error:
            raise click.ClickException(f"{file.name}: {error.detail}") from error
    counts = ", ".join(f"{number:,} {name}" for name, number in report.counts.items() if number or name != "stale")
    click.echo(f"{'would be: ' if dry_run else ''}{report.total:,} rows: {counts}", err=True)
    sys.exit(1 if report.counts["rejected"] else 0)
