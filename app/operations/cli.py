"""`firsthand`: the doors for people at a terminal. Ids and tokens stand alone on stdout, all else on stderr.

Exit status: 0 done, 1 failed, 2 the command or the settings are wrong.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy.exc import OperationalError

from app import clock
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.auth.roles import ROLES, SCOPES
from app.config import BadSettings
from app.db import transaction
from app.errors import AppError
from app.escalations import cli as escalations
from app.operations import migrate, tenants
from app.operations.cli_clocks import clocks_commands
from app.operations.cli_import import import_command
from app.operations.cli_person import erase_person, export_person
from app.operations.cli_reports import reports_commands
from app.operations.cli_routing import routing_commands
from app.operations.doctor import doctor_command
from app.operations.errors import CannotRun
from app.operations.options import data_dir_option, in_tenant, tenant_option
from app.operations.setting import application, settings_for


class Firsthand(click.Group):
    """Turns what goes wrong into one clear line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadSettings as error:
            raise WrongSettings(str(error)) from error
        except AppError as error:
            raise click.ClickException(error.detail) from error
        except OperationalError as error:
            raise click.ClickException(f"the database does not answer: {error.orig}") from error
        except CannotRun as error:
            raise click.ClickException(str(error)) from error


class WrongSettings(click.ClickException):
    exit_code = 2


@click.group(cls=Firsthand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firsthand")
def cli() -> None:
    """Escalations with the right owner from the start, every promise kept or explained."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--no-sample", is_flag=True, help="Make no sample tenant on the first start.")
@data_dir_option
def run(host: str, port: int, no_sample: bool, data_dir: Path) -> None:
    """Start everything: servers, migrations, sample tenant, web and worker; Ctrl-C stops it."""
    from app.operations.run import run as run_all

    sys.exit(run_all(host, port, data_dir, sample=not no_sample))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@data_dir_option
def serve(host: str, port: int, data_dir: Path) -> None:
    """The web server alone."""
    from app.operations.serve import serve as serve_web

    serve_web(host, port, data_dir)


@cli.group()
def db() -> None:
    """The database."""


@db.command()
@data_dir_option
def upgrade(data_dir: Path) -> None:
    """Run the migrations that are still to be run."""
    with settings_for(data_dir) as settings:
        migrate.upgrade(settings)
        click.echo(f"The database is at {migrate.head(settings)}.", err=True)


@cli.group()
def tenant() -> None:
    """Tenants."""


@tenant.command("create")
@click.argument("name")
@click.option("--sandbox", is_flag=True, help="Its time can be moved forward.")
@data_dir_option
def create_tenant(name: str, sandbox: bool, data_dir: Path) -> None:
    """Set up a tenant and print its id."""
    if not name.strip():
        raise click.BadParameter("expected a name", param_hint="NAME")
    with application(data_dir):
        click.echo(tenants.set_up(name.strip(), sandbox=sandbox))


@cli.group()
def sample() -> None:
    """The sample tenant."""


@sample.command("ensure")
@data_dir_option
def ensure_sample(data_dir: Path) -> None:
    """Make the sample tenant unless it is there; print how to sign in, each time."""
    from app.operations.sample.welcome import ensure

    with application(data_dir) as app:
        click.echo(ensure(Path(app.config["DATA_DIR"])))


@cli.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@tenant_option
@click.option("--user", "email", required=True, help="Their e-mail address; a new user is made when unknown.")
@click.option("--role", type=click.Choice(ROLES), help="The role of a new user.  [default: csm]")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(sorted(SCOPES)), help="Without: all of the role's.")
@data_dir_option
def create_token(tenant_id: UUID, email: str, role: str | None, scopes: tuple[str, ...], data_dir: Path) -> None:
    """Make a token and print it, this once."""
    name = _name(email)
    with in_tenant(data_dir, tenant_id), transaction():
        user = auth.find_user_by_email(email) or _create_user(email, name, role or "csm")
        if role and role != user.role:
            raise click.ClickException(f"{user.email} already has the role {user.role}")
        plain = auth.create_token(user, name="cli", scopes=scopes or None, now=clock.real_now())[1]
    click.echo(plain)


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601 with offset."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-12-21T17:00:00+01:00", param, ctx)
        if moment.tzinfo is None:
            self.fail("a time without offset is refused; add one, such as +01:00 or Z", param, ctx)
        return moment


@cli.command("sweep")
@tenant_option
@click.option("--dry-run", is_flag=True, help="Only show what would fire and whom it would reach.")
@click.option("--until", type=Moment(), help="With --dry-run: up to this moment of the tenant's time.  [default: now]")
@click.option("--retry-set-aside", is_flag=True, help="First take up again the clocks that were set aside.")
@data_dir_option
def sweep_tenant(tenant_id: UUID, dry_run: bool, until: datetime | None, retry_set_aside: bool, data_dir: Path) -> None:
    """Fire what is due in one tenant."""
    if until and not dry_run:
        raise click.UsageError("--until goes with --dry-run")
    if retry_set_aside and dry_run:
        raise click.UsageError("--retry-set-aside changes what is due: not with --dry-run")
    with in_tenant(data_dir, tenant_id):
        if not dry_run:
            _sweep(tenant_id, retry_set_aside)
            return
        planned = escalations.preview(tenant_id, until)
    for step in planned:
        click.echo(step)
    click.echo(f"{len(planned)} steps would fire; nothing was stored", err=True)


def _sweep(tenant_id: UUID, retry_set_aside: bool) -> None:
    taken_up = escalations.take_up_again(tenant_id) if retry_set_aside else 0
    click.echo(f"{escalations.sweep_tenant(tenant_id)} steps fired", err=True)
    if not retry_set_aside:
        return
    left = escalations.count_set_aside(tenant_id)
    click.echo(f"{taken_up} clocks taken up again, {left} set aside still", err=True)
    if left:
        raise click.ClickException("`firsthand doctor` names them and says why")


def _create_user(email: str, name: str, role: str) -> User:
    return auth.create_user(email, name=name, role=role, actor=SYSTEM, now=clock.real_now())


def _name(email: str) -> str:
    """A readable name from an address: ada.lovelace@… is Ada Lovelace."""
    local, at, domain = email.strip().partition("@")
    if not local or not at or "." not in domain:
        raise click.BadParameter("expected an e-mail address", param_hint="--user")
    return local.replace(".", " ").replace("_", " ").title()


cli.add_command(clocks_commands)
cli.add_command(doctor_command)
cli.add_command(import_command)
cli.add_command(reports_commands)
cli.add_command(routing_commands)
cli.add_command(export_person)
cli.add_command(erase_person)


def main() -> None:
    """The entry point of the command `firsthand`."""
    os.environ.setdefault("FIRSTHAND_LOG_FORMAT", "text")
    cli(prog_name="firsthand")


if __name__ == "__main__":
    main()
