"""Signed links: one person, one record, for a while; every opening is kept."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.auth.errors import LinkExpired, LinkUnknown
from app.auth.links import make_link, open_link
from app.auth.models import LinkView, User
from app.db import db, new_id, tenant_scope, transaction
from tests import NOW
from tests.conftest import TestTenant


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def views() -> list[LinkView]:
    with transaction():
        return list(db.session.scalars(select(LinkView)))


def test_a_link_opens_what_it_names_for_whom_it_was_made_and_the_opening_is_kept(
    app: Flask, tenant: TestTenant
) -> None:
    subject_id = new_id()
    link = make_link(tenant.admin.id, "escalation", subject_id, actions=("view", "acknowledge"), now=NOW)
    assert link.startswith(f"{app.config['BASE_URL']}/l/")
    opened_at = NOW + timedelta(days=13)
    scope = open_link(token_of(link), now=opened_at)
    assert (scope.tenant_id, scope.user_id, scope.subject, scope.subject_id) == (
        tenant.id,
        tenant.admin.id,
        "escalation",
        subject_id,
    )
    assert scope.expires_at == NOW + timedelta(days=14)
    assert scope.may("acknowledge")
    assert not scope.may("close")
    assert [(v.user_id, v.subject, v.subject_id, v.at) for v in views()] == [
        (tenant.admin.id, "escalation", subject_id, opened_at)
    ]


def test_each_opening_is_kept(tenant: TestTenant) -> None:
    token = token_of(make_link(tenant.admin.id, "escalation", new_id()))
    open_link(token)
    open_link(token)
    assert len(views()) == 2


def test_a_link_ends_after_two_weeks_of_real_time_and_says_so(tenant: TestTenant) -> None:
    token = token_of(make_link(tenant.admin.id, "escalation", new_id(), now=NOW))
    open_link(token, now=NOW + timedelta(days=14) - timedelta(seconds=1))
    with pytest.raises(LinkExpired) as expired:
        open_link(token, now=NOW + timedelta(days=14))
    assert expired.value.status == 410
    assert len(views()) == 1


@pytest.mark.parametrize("position", [0, 20, -2])  # two bits of the last character mean nothing
def test_a_changed_link_leads_nowhere(tenant: TestTenant, position: int) -> None:
    token = list(token_of(make_link(tenant.admin.id, "escalation", new_id())))
    token[position] = "A" if token[position] != "A" else "B"
    with pytest.raises(LinkUnknown) as unknown:
        open_link("".join(token))
    assert unknown.value.status == 404
    assert views() == []


def test_a_signature_made_for_something_else_is_no_link(app: Flask, tenant: TestTenant) -> None:
    from itsdangerous import URLSafeSerializer

    forged = URLSafeSerializer(app.config["SECRET_KEY"], salt="cursor").dumps([tenant.id.hex])
    with pytest.raises(LinkUnknown):
        open_link(str(forged))
    for nothing in ("", ".", "a.b.c", "ä" * 50):
        with pytest.raises(LinkUnknown):
            open_link(nothing)


def test_a_link_works_in_the_tenant_it_was_made_in_and_in_no_other(
    tenant: TestTenant, new_tenant: Callable[..., TestTenant]
) -> None:
    other = new_tenant("other")
    token = token_of(make_link(tenant.admin.id, "escalation", new_id()))
    with tenant_scope(other.id):
        assert open_link(token).tenant_id == tenant.id
        assert views() == []
        stranger = token_of(make_link(tenant.admin.id, "escalation", new_id()))
    with pytest.raises(LinkUnknown):
        open_link(stranger)
    assert len(views()) == 1


def test_the_link_of_somebody_who_left_leads_nowhere(tenant: TestTenant, make_user: Callable[..., User]) -> None:
    colleague = make_user()
    token = token_of(make_link(colleague.id, "escalation", new_id()))
    with transaction():
        db.session.get_one(User, colleague.id).active = False
    with pytest.raises(LinkUnknown):
        open_link(token, now=clock.real_now())
    assert views() == []
