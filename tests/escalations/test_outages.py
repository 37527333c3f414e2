"""Outages themselves: who opens, changes, tells and ends them, and what their timeline keeps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from app import clock
from app.auth import service as auth
from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs, timeline
from app.escalations.models import OutageText
from app.escalations.timeline_models import TimelineSeal
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.outage import OUTAGES, Raise, end, events, opened, outage, path_of, tell
from tests.escalations.test_timeline import as_database_owner

__all__ = ["outage"]


def test_an_outage_is_its_openers_own_and_in_no_count(client: ApiClient, tenant: TestTenant) -> None:
    body = {"title": "Login is down", "statement": "A certificate ran out"}
    made = client.post(OUTAGES, json=body)
    found = client.get(made.headers["Location"])

    assert made.status_code == 201
    said = {name: found.json[name] for name in ("title", "statement", "state", "resolved_at", "last_word")}
    assert said == {**body, "state": "open", "resolved_at": None, "last_word": None}
    assert found.json["owner"]["email"] == tenant.admin.email
    assert found.json["escalations"] == {"open": 0, "resolved": 0, "closed": 0, "requested": 0}
    assert client.get("/api/v1/escalations").json["items"] == []


def test_whoever_works_on_cases_may_open_one_and_an_integration_may_not(
    make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    for role in ("csm", "specialist", "manager", "executive", "admin"):
        assert as_user(make_user(role)).post(OUTAGES, json={"title": "Down"}).status_code == 201
    feeder = as_user(make_user("integration"))
    assert feeder.post(OUTAGES, json={"title": "Down"}).status_code == 403
    assert feeder.get(OUTAGES).status_code == 403


def test_a_named_owner_is_told_and_an_unknown_one_refused_by_field(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], make_user: Callable[..., User]
) -> None:
    made = opened(client, owner_email="OWNER@example.com")
    inbox = as_user(company.owner).get("/api/v1/notifications").json["items"]
    feeder = make_user("integration")
    refusals = [
        client.post(OUTAGES, json={"title": "Down", "owner_email": email})
        for email in ("nobody@example.com", feeder.email)
    ]

    assert made["owner"]["email"] == company.owner.email
    assert [(one["kind"], one["subject"]) for one in inbox] == [("outage_owner", "Login is down: you own this outage")]
    for refused in refusals:
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/owner_email")


def test_its_owner_the_line_above_who_stands_in_and_admins_act_on_it(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], make_user: Callable[..., User]
) -> None:
    made = opened(client, owner_email=company.owner.email)
    helper = make_user("csm", "helper@example.com")
    body = {"text": "We are at it"}

    assert as_user(company.csm).post(path_of(made, "updates"), json=body).status_code == 403
    assert as_user(helper).post(path_of(made, "updates"), json=body).status_code == 403
    for actor in (company.owner, company.manager, company.boss):
        assert as_user(actor).post(path_of(made, "updates"), json=body).status_code == 200
    away = {"starts_at": clock.now() - timedelta(hours=1), "ends_at": clock.now() + timedelta(days=1)}
    absence = {name: at.isoformat() for name, at in away.items()} | {"delegate_email": helper.email, "mode": "cover"}
    assert client.post(f"/api/v1/users/{company.owner.id}/absences", json=absence).status_code == 201
    assert as_user(helper).post(path_of(made, "updates"), json=body).status_code == 200

    told = events(client, path_of(made), "update")
    by = {one["actor"]["email"]: one["acting_for_id"] for one in told}
    instead = str(company.owner.id)
    assert by == {
        "owner@example.com": None,
        "manager@example.com": instead,
        "boss@example.com": instead,
        "helper@example.com": instead,
    }


def test_who_may_not_act_hears_so_before_a_faulty_body_is_described(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], outage: dict[str, Any]
) -> None:
    for path in ("updates", "resolve", "escalations"):
        refused = as_user(company.csm).post(path_of(outage, path), json={"nonsense": 1})
        assert (path, refused.status_code, refused.json["code"]) == (path, 403, "not_yours")
    assert as_user(company.csm).get(path_of(outage)).status_code == 200


def test_a_change_needs_the_version_that_was_read(client: ApiClient, outage: dict[str, Any]) -> None:
    path, body = path_of(outage), {"title": "Sign-in is down"}
    version = client.get(path).headers["ETag"]
    assert client.patch(path, json=body).status_code == 428
    changed = client.patch(path, json=body, if_match=version)
    assert (changed.status_code, changed.json["title"]) == (200, "Sign-in is down")
    assert client.patch(path, json={"title": "Again"}, if_match=version).status_code == 412
    assert client.post(f"{path}/updates", json={"text": "Late"}, if_match=version).status_code == 412
    assert [one["facts"]["fields"] for one in events(client, path, "edit")] == [["title"]]


def test_what_changes_nothing_is_no_event(client: ApiClient, outage: dict[str, Any]) -> None:
    version = client.get(path_of(outage)).headers["ETag"]
    same = {"title": "Login is down", "owner_email": outage["owner"]["email"]}
    assert client.patch(path_of(outage), json=same, if_match=version).headers["ETag"] == version
    assert events(client, path_of(outage), "edit") == []


def test_an_outage_handed_on_is_the_next_ones_to_act_on(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    made = opened(as_user(company.csm))
    version = client.get(path_of(made)).headers["ETag"]
    moved = client.patch(path_of(made), json={"owner_email": company.owner.email}, if_match=version)

    assert moved.json["owner"]["email"] == company.owner.email
    assert as_user(company.csm).post(path_of(made, "updates"), json={"text": "Mine?"}).status_code == 403
    assert as_user(company.owner).post(path_of(made, "updates"), json={"text": "Mine"}).status_code == 200
    facts = events(client, path_of(made), "edit")[0]["facts"]["owner"]
    assert facts == {"was": str(company.csm.id), "is": str(company.owner.id)}


def test_the_last_word_is_what_is_offered_now(client: ApiClient, outage: dict[str, Any]) -> None:
    tell(client, outage, "First")
    told = tell(client, outage, "Second", texts={"executive": "Two customers"}, audience=["customer", "executive"])
    assert {name: told["last_word"][name] for name in ("kind", "audiences", "texts")} == {
        "kind": "update",
        "audiences": ["customer", "executive"],
        "texts": {"text": "Second", "text_executive": "Two customers"},
    }


def test_what_has_ended_is_neither_told_of_nor_ended_again(client: ApiClient, outage: dict[str, Any]) -> None:
    ended = end(client, outage)
    assert (ended["state"], ended["last_word"]["kind"]) == ("resolved", "resolve")
    assert ended["resolved_at"] is not None
    for path, body in (("updates", {"text": "More"}), ("resolve", {"summary": "Again"})):
        refused = client.post(path_of(outage, path), json=body)
        assert (refused.status_code, refused.json["code"]) == (409, "outage_resolved")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("updates", {}, "/text"),
        ("updates", {"text": "  "}, "/text"),
        ("updates", {"text": "x" * 10_001}, "/text"),
        ("updates", {"text": "x", "audience": ["press"]}, "/audience/0"),
        ("updates", {"text": "x", "texts": {"executive": "y"}}, "/texts"),
        ("updates", {"audience": ["customer", "executive"], "texts": {"executive": "y"}}, "/text"),
        ("resolve", {"root_cause": "x"}, "/summary"),
        ("escalations", {"severity": 2}, "/accounts"),
        ("escalations", {"severity": 2, "accounts": []}, "/accounts"),
        ("escalations", {"accounts": [{}]}, "/severity"),
        ("escalations", {"severity": 2, "accounts": [{}] * 201}, "/accounts"),
    ],
)
def test_a_faulty_body_is_refused_by_field(
    client: ApiClient, outage: dict[str, Any], path: str, body: dict[str, Any], pointer: str
) -> None:
    refused = client.post(path_of(outage, path), json=body)
    assert (refused.status_code, [one["pointer"] for one in refused.json["errors"]]) == (422, [pointer])


def test_the_list_is_newest_first_in_pages_by_state_and_owner(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    made = [opened(client, f"Outage {n}") for n in range(3)]
    theirs = opened(as_user(company.csm), "Theirs")
    end(client, made[1])

    def titles(query: str, who: ApiClient = client) -> list[str]:
        return [one["title"] for one in who.get(f"{OUTAGES}?{query}").json["items"]]

    first = client.get(f"{OUTAGES}?limit=2").json
    assert [one["title"] for one in first["items"]] == ["Theirs", "Outage 2"]
    assert titles(f"limit=2&cursor={first['next_cursor']}") == ["Outage 1", "Outage 0"]
    assert titles("state=resolved") == ["Outage 1"]
    assert titles("state=open&owner=admin@example.com") == ["Outage 2", "Outage 0"]
    assert titles("owner=me", as_user(company.csm)) == [theirs["title"]]
    refused = client.get(f"{OUTAGES}?state=closed")
    assert (refused.status_code, refused.json["errors"][0]["parameter"]) == (422, "state")


def test_the_timeline_is_a_chain_of_its_own_in_pages(client: ApiClient, outage: dict[str, Any]) -> None:
    tell(client, outage, "We renew it", note="Told by phone first")
    end(client, outage)
    path = path_of(outage, "timeline")
    first = client.get(f"{path}?limit=2").json
    rest = client.get(f"{path}?limit=2&cursor={first['next_cursor']}").json

    found = [*first["items"], *rest["items"]]
    assert [(one["seq"], one["kind"]) for one in found] == [(1, "open"), (2, "update"), (3, "resolve")]
    assert found[1]["texts"] == {"text": "We renew it", "note": "Told by phone first"}
    assert rest["next_cursor"] is None
    kept = client.get(f"{path}/verify").json
    assert kept == {"intact": True, "events": 3, "erased_texts": 0, "first_fault": None}


def test_a_changed_event_and_a_missing_tail_show(client: ApiClient, outage: dict[str, Any], app: Flask) -> None:
    tell(client, outage)
    path = path_of(outage, "timeline", "verify")
    with as_database_owner(app, "outage_event") as connection:
        change = text("update outage_event set kind = cast(:kind as text) where outage_id = :id and seq = 2")
        connection.execute(change, {"kind": "resolve", **outage})
    assert client.get(path).json["first_fault"] == {"seq": 2, "detail": "an event was changed"}
    with as_database_owner(app, "outage_text") as connection:
        connection.execute(text("delete from outage_text where outage_id = :id"), outage)
    with as_database_owner(app, "outage_event") as connection:
        connection.execute(text("delete from outage_event where outage_id = :id and seq = 2"), outage)
    assert client.get(path).json["first_fault"] == {"seq": 2, "detail": "the timeline's tail is missing"}


def test_an_erased_text_is_gone_and_the_chain_still_verifies(client: ApiClient, outage: dict[str, Any]) -> None:
    tell(client, outage, "Ask Nora Lind")
    with transaction() as session:
        ids = list(session.scalars(select(OutageText.id).where(OutageText.text == "Ask Nora Lind")))
        assert timeline.erase_texts(ids) == 1
    kept = client.get(path_of(outage, "timeline", "verify")).json
    assert (kept["intact"], kept["erased_texts"]) == (True, 1)
    assert client.get(path_of(outage)).json["last_word"]["texts"] == {"text": None}


def test_the_daily_signed_list_names_outages_too(tenant: TestTenant, client: ApiClient, outage: dict[str, Any]) -> None:
    tell(client, outage)
    assert jobs.seal_timelines_tenant(tenant.id)
    with transaction():
        (entries,) = db.session.scalars(select(TimelineSeal.entries))
    assert [(entry[0], entry[1]) for entry in entries] == [(outage["id"], 2)]
    assert client.get(path_of(outage, "timeline", "verify")).json["intact"]


def test_another_tenants_outage_is_no_outage(
    client: ApiClient, company: Company, raise_case: Raise, new_tenant: Callable[..., TestTenant], app: Flask
) -> None:
    others = new_tenant("Others")
    with transaction(tenant=others.id):
        plain = auth.create_token(auth.get_user(others.admin.id), name="", now=clock.real_now())[1]
    theirs = opened(ApiClient(app, plain))
    assert client.get(path_of(theirs)).status_code == 404
    assert client.post(path_of(theirs, "updates"), json={"text": "Hello"}).status_code == 404
    assert client.get(OUTAGES).json["items"] == []
    case, unknown = raise_case(), "01900000-0000-7000-8000-000000000000"
    body = {"account_id": company.account_id, "title": "T", "severity": 2}
    for outage_id in (theirs["id"], unknown):
        raised = client.post("/api/v1/escalations", json={**body, "outage_id": outage_id})
        etag = client.get(f"/api/v1/escalations/{case['id']}").headers["ETag"]
        path = f"/api/v1/escalations/{case['id']}"
        linked = client.patch(path, json={"outage_id": outage_id}, if_match=etag)
        for refused in (raised, linked):
            assert refused.status_code == 422
            assert refused.json["errors"] == [{"pointer": "/outage_id", "detail": "there is no such outage"}]
    assert len(client.get("/api/v1/escalations").json["items"]) == 1


def test_the_owner_who_leaves_hands_the_outage_to_their_manager(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], tenant: TestTenant
) -> None:
    made = opened(client, owner_email=company.owner.email)
    etag = client.get(f"/api/v1/users/{company.owner.id}").headers["ETag"]
    left = client.patch(f"/api/v1/users/{company.owner.id}", json={"active": False}, if_match=etag)
    assert left.status_code == 200, left.text
    jobs.move_work_tenant(tenant.id)

    assert client.get(path_of(made)).json["owner"]["email"] == company.manager.email
    inbox = as_user(company.manager).get("/api/v1/notifications").json["items"]
    assert "Login is down: you own this outage" in [one["subject"] for one in inbox]
    moved = events(client, path_of(made), "edit")[0]
    assert moved["actor"] is None
    assert moved["facts"]["owner"] == {"was": str(company.owner.id), "is": str(company.manager.id)}


def test_an_outage_that_nobody_can_own_is_logged_and_found_again_by_the_day(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], tenant: TestTenant
) -> None:
    made = opened(client, owner_email=company.owner.email)
    etag = client.get(f"/api/v1/users/{company.owner.id}").headers["ETag"]
    assert client.patch(f"/api/v1/users/{company.owner.id}", json={"active": False}, if_match=etag).status_code == 200
    set_active(False)
    with capture_logs() as logged:
        jobs.move_work_tenant(tenant.id)
    [line] = [line for line in logged if line["event"] == "outages_without_owner"]
    assert (line["log_level"], line["outage_ids"]) == ("error", [made["id"]])

    set_active(True, id=tenant.admin.id)
    with transaction():
        jobs.note_left_work(clock.now())
    jobs.move_work_tenant(tenant.id)
    assert client.get(path_of(made)).json["owner"]["email"] == tenant.admin.email
    inbox = client.get("/api/v1/notifications").json["items"]
    assert "Login is down: you own this outage" in [one["subject"] for one in inbox]


def set_active(active: bool, **named: Any) -> None:
    with transaction():
        db.session.execute(update(User).filter_by(**named).values(active=active))
