"""The page behind a link in a message."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.auth.links import make_link
from app.auth.models import User
from app.db import transaction
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company, company, raise_case

__all__ = ["company", "raise_case"]
Raise = Callable[..., dict[str, Any]]


def path_of(user: User, case: dict[str, Any], **options: Any) -> str:
    with transaction():
        url = make_link(user.id, "escalation", UUID(case["id"]), **options)
    return url[url.index("/l/") :]


def test_a_link_shows_its_case_and_the_opening_is_kept(
    raise_case: Raise, company: Company, app: Any, tenant: TestTenant
) -> None:
    case = raise_case(customer_statement="<script>alert(1)</script> Exports fail", title="Exports & imports")
    page = ApiClient(app, None).get(path_of(company.owner, case))
    assert page.status_code == 200
    assert "Exports &amp; imports" in page.text
    assert "<script>" not in page.text
    assert "Owns the account" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    with transaction() as session:
        assert session.scalar(text("select count(*) from link_view where user_id = :id"), {"id": company.owner.id}) == 1


def test_promises_kept_are_folded_away_below_those_that_stand(
    raise_case: Raise, company: Company, app: Any, as_user: Callable[[User], ApiClient]
) -> None:
    case = raise_case()
    as_user(company.owner).post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    page = ApiClient(app, None).get(path_of(company.owner, case)).text
    assert "<summary>1 kept</summary>" in page
    assert page.index("Agree a plan") < page.index("<summary>1 kept</summary>") < page.index("Acknowledge</span>")


def test_a_link_shows_nothing_its_person_may_not_see(raise_case: Raise, company: Company, app: Any) -> None:
    case = raise_case(about_user=company.csm.email)
    page = ApiClient(app, None).get(path_of(company.csm, case))
    assert page.status_code == 404
    assert "leads nowhere" in page.text


def test_an_old_link_says_that_it_has_expired(raise_case: Raise, company: Company, app: Any) -> None:
    path = path_of(company.owner, raise_case(), now=clock.real_now() - timedelta(days=15))
    page = ApiClient(app, None).get(path)
    assert page.status_code == 410
    assert "expired" in page.text


def test_a_tampered_link_leads_nowhere(raise_case: Raise, company: Company, app: Any) -> None:
    path = path_of(company.owner, raise_case())
    assert ApiClient(app, None).get(path[:-2] + "xx").status_code == 404
