"""`firsthand routing simulate`: a policy replayed over the past, with a progress bar and the result in words."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from app.operations.options import data_dir_option, in_tenant, tenant_option
from app.routing import cli as routing

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("routing")
def routing_commands() -> None:
    """Who owns what."""


@routing_commands.command("simulate")
@tenant_option
@click.option("--number", type=click.IntRange(1), help="A version.  [default: the newest draft, else the one in force]")
@click.option("--from", "first", type=DAY, help="The first day.  [default: 90 days back]")
@click.option("--to", "last", type=DAY, help="The last day.  [default: today]")
@data_dir_option
def simulate(
    tenant_id: UUID, number: int | None, first: datetime | None, last: datetime | None, data_dir: Path
) -> None:
    """Replay a policy over past escalations: who would have owned what.

    Prints the simulation's id, by which the API shows its cases and loads; exit 1 if it did not come to its end.
    """
    with in_tenant(data_dir, tenant_id):
        days = {"first": first.date() if first else None, "last": last.date() if last else None}
        for simulation in routing.simulate(tenant_id, number=number, **days):
            show(simulation)
    _progress("")
    if simulation.result is None:
        raise click.ClickException(f"the simulation is {simulation.state}: {simulation.problem or 'it was stopped'}")
    click.echo(simulation.id)
    for line in told(simulation.result):
        click.echo(line, err=True)


def show(simulation: routing.Simulation) -> None:
    """How far it is, on stderr if that is a terminal."""
    share = simulation.done / simulation.total if simulation.total else 1.0
    bar = "█" * round(share * 30)
    _progress(f"{bar:<30} {share:4.0%}  {simulation.done:,} of {simulation.total:,} cases")


def told(result: dict[str, Any]) -> list[str]:
    """The result, a line each."""
    unrouted, real, right = result["unrouted"], result["real_unrouted"], result["first_owner_right"]
    return [
        f"{result['cases']:,} cases, {result['changed']:,} with another first owner",
        f"no owner by the rules: {unrouted['cases']:,}{_codes(unrouted['codes'])}; really {real['cases']:,}",
        f"closed by the first owner: {_share(right['predicted'])} predicted, {_share(right['real'])} really,"
        f" of {right['closed']:,} closed",
        f"judged by facts of today for want of a record: {result['todays_facts']['cases']:,}",
    ]


def _codes(codes: dict[str, int]) -> str:
    return f" ({', '.join(f'{code} {count:,}' for code, count in codes.items())})" if codes else ""


def _share(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:.0%}"


def _progress(shown: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{shown}", nl=False, err=True)
