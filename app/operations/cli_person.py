"""`firsthand export-person` and `erase-person`: what the law asks for, by an operator."""

import json
from pathlib import Path
from uuid import UUID

import click

from app import clock
from app.db import transaction
from app.operations.options import data_dir_option, in_tenant, tenant_option
from app.operations.persons.erase import erase
from app.operations.persons.export import export
from app.operations.persons.tables import find_person


@click.command("export-person")
@click.argument("email")
@tenant_option
@data_dir_option
def export_person(email: str, tenant_id: UUID, data_dir: Path) -> None:
    """Print everything kept of a user or contact as JSON."""
    with in_tenant(data_dir, tenant_id), transaction():
        content = export(find_person(email))
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


@click.command("erase-person")
@click.argument("email")
@tenant_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@data_dir_option
def erase_person(email: str, tenant_id: UUID, yes: bool, data_dir: Path) -> None:
    """Erase what a user or contact wrote and is named by; it can't be undone."""
    with in_tenant(data_dir, tenant_id):
        with transaction():
            find_person(email)
        if not yes:
            click.confirm(f"Erase {email} for ever?", abort=True, err=True)
        with transaction():
            texts = erase(find_person(email), clock.real_now())
    click.echo(f"{email} is erased; {texts} texts of timelines went with their salts", err=True)
