"""The sample on the first start, and what a newcomer needs to use it, the same on every start."""

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import click
from flask import current_app

from app import clock
from app.auth import queries
from app.auth import service as auth
from app.db import as_a_whole, tenant_scope, transaction
from app.errors import NotFound
from app.operations.datadir import read_json, write_private
from app.operations.sample import people
from app.operations.sample.build import Follow, build
from app.operations.sample.player import Beat
from app.panels.trying import try_address

FILE = "sample.json"
SIGN_INS = ("tomas", "margaret", "priya", "jonas", "ben", "elif", "ines", "helpdesk")


@dataclass(frozen=True)
class SignIn:
    role: str
    email: str
    token: str


@dataclass(frozen=True)
class Sample:
    """What the data folder remembers of the sample tenant; its tokens exist nowhere else in plain."""

    tenant_id: str
    sign_ins: tuple[SignIn, ...]


def ensure(folder: Path, follow: Follow | None = None) -> str:
    """Make the sample, whole or not at all, unless it is there; answers the welcome."""
    mail = current_app.config["SMTP_URL"]
    sample = find_sample(folder)
    if sample is None:
        current_app.config["SMTP_URL"] = None  # eighty days of reminders go to inboxes; nobody gets them as mail now
        with as_a_whole():
            tenant_id = build(follow=follow or _progress)
            sample = Sample(str(tenant_id), make_tokens(tenant_id))
            write_private(folder / FILE, json.dumps(asdict(sample), indent=2) + "\n")
    return welcome(sample, folder, mail)


def find_sample(folder: Path) -> Sample | None:
    """The sample that the folder remembers, if its tenant stands in this database."""
    known = read_json(folder / FILE)
    if known is None:
        return None
    try:
        with tenant_scope(UUID(known["tenant_id"])), transaction():
            queries.get_tenant()
    except NotFound:
        return None
    return Sample(known["tenant_id"], tuple(SignIn(**entry) for entry in known["sign_ins"]))


def make_tokens(tenant_id: UUID) -> tuple[SignIn, ...]:
    """One token for each kind of colleague, with all that their role may do."""
    with tenant_scope(tenant_id), transaction():
        return tuple(_sign_in(f"{key}@{people.DOMAIN}") for key in SIGN_INS)


def _sign_in(email: str) -> SignIn:
    user = auth.find_user_by_email(email)
    if user is None:
        raise NotFound
    token = auth.create_token(user, name="sample", now=clock.real_now())[1]
    return SignIn(user.role, email, token)


def welcome(sample: Sample, folder: Path, mail: str | None) -> str:
    """URLs, sign-ins and one line to try."""
    base = current_app.config["BASE_URL"]
    listed = "\n".join(f"  {one.role:<12} {one.email:<28} {one.token}" for one in sample.sign_ins)
    manager = next(one for one in sample.sign_ins if one.role == "manager")
    panel = try_address(UUID(sample.tenant_id))
    return f"""
  Panel  {panel}
  API    {base}/api/v1
  Docs   {base}/api/docs

Sample tenant "{people.TENANT}", {sample.tenant_id}: 40 accounts, 30 escalations.
Sign-ins, as bearer tokens (kept in {folder / FILE}):
{listed}

Try what needs attention first:
  curl -s -H "Authorization: Bearer {manager.token}" \\
    "{base}/api/v1/escalations?status=live&sort=-priority&limit=3"

{_mail(mail)}"""


def _mail(url: str | None) -> str:
    if url:
        return "Messages go out by mail and stand in each colleague's inbox, GET /api/v1/notifications."
    return (
        "No mail server is set: messages stand in each colleague's inbox, GET /api/v1/notifications.\n"
        "FIRSTHAND_SMTP_URL=smtp://host:25 has them sent as well."
    )


def _progress(story: Sequence[Beat]) -> AbstractContextManager[Iterable[Beat]]:
    """A bar on a terminal, nothing elsewhere."""
    bar: AbstractContextManager[Iterable[Beat]] = click.progressbar(
        story, label="Telling the sample's story", file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    return bar
