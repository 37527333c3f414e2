"""What an outage says is offered to each open case, sent or waived by people, and never twice open."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs
from app.escalations.models import Escalation
from app.escalations.outages import offering
from app.rows import insert_all
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.outage import (
    Raise,
    case_path,
    do,
    draft,
    edit,
    end,
    events,
    hit,
    offers,
    open_offer,
    opened,
    outage,
    path_of,
    resolve,
    run_job,
    send,
    tell,
)

__all__ = ["hit", "outage"]

BY_CUSTOMER = {"raised_by": {"kind": "customer", "email": "jo@globex.example"}}


def test_an_update_is_a_task_of_the_cases_owner_with_the_message_on_it(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, company: Company
) -> None:
    case = raise_case(outage_id=outage["id"], **BY_CUSTOMER)
    tell(client, outage, "The certificate is being renewed.", channel="email")
    task, shown = open_offer(client, case), draft(client, case)

    assert (task["kind"], task["assignee_id"], task["required"]) == ("outage_update", str(company.owner.id), False)
    assert task["title"] == "Login is down: tell the customer where it stands"
    message = shown["message"]
    assert (shown["channel"], shown["resolution"], message["gaps"]) == ("email", None, [])
    assert message["subject"] == f"Login is down: where it stands ({case['number']})"
    assert message["text"].startswith("Good day,\n\nThe certificate is being renewed.\n\nYou hear from us again by")
    assert [one["clock"] for one in message["meets"]] == ["respond"]
    assert events(client, case_path(case), "update") == []


def test_sending_it_records_the_update_keeps_the_promise_and_does_the_task(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case = raise_case(outage_id=outage["id"], **BY_CUSTOMER)
    tell(client, outage, "The certificate is being renewed.")
    offer = open_offer(client, case)
    sent = send(client, case)

    assert offers(client, case) == [("update", "done")]
    assert [one["state"] for one in sent["clocks"] if one["kind"] == "respond"] == ["met"]
    (update,) = events(client, case_path(case), "update")
    assert "The certificate is being renewed." in update["texts"]["text"]
    assert (update["facts"]["outage"], update["facts"]["offer"]) == (outage["id"], offer["id"])
    assert events(client, case_path(case), "task")[-1]["facts"] == {"task": offer["id"], "state": "done"}
    assert client.get(case_path(case, "timeline", "verify")).json["intact"]


def test_its_sender_may_change_the_words(client: ApiClient, outage: dict[str, Any], raise_case: Raise) -> None:
    case = raise_case(outage_id=outage["id"])
    tell(client, outage, "We renew it.")
    send(client, case, text="Dear Jo, it is the certificate.", subject="Login")
    (update,) = events(client, case_path(case), "update")
    assert update["texts"] == {"text": "Dear Jo, it is the certificate.", "subject": "Login"}


def test_each_audience_reads_its_own_words(client: ApiClient, outage: dict[str, Any], raise_case: Raise) -> None:
    case = raise_case(outage_id=outage["id"])
    tell(client, outage, "We renew it.", audience=["customer", "executive"], texts={"executive": "Over by noon."})
    message = draft(client, case)["message"]
    assert message["audience"] == ["customer", "executive"]
    assert message["texts"] == {"executive": f"Globex ({case['number']}): Over by noon."}
    send(client, case, audience=["customer", "executive"])
    (update,) = events(client, case_path(case), "update")
    assert update["texts"]["text_executive"] == f"Globex ({case['number']}): Over by noon."


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"audience": "executive"}, "/audience"),
        ({"audience": "account_team", "text": "Among us"}, "/audience"),
    ],
)
def test_an_offer_for_the_customer_is_answered_by_telling_the_customer(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, body: dict[str, Any], pointer: str
) -> None:
    case = raise_case(outage_id=outage["id"])
    tell(client, outage)
    assert send(client, case, 422, **body)["errors"][0]["pointer"] == pointer
    assert offers(client, case) == [("update", "open")]


def test_an_answered_offer_another_cases_and_another_task_are_refused_by_field(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, hit: list[str]
) -> None:
    case, other = (raise_case(outage_id=outage["id"], account_id=account) for account in hit[:2])
    tell(client, outage)
    theirs, mine = open_offer(client, other)["id"], open_offer(client, case)["id"]
    send(client, case)
    plain = client.post(case_path(case, "tasks"), json={"title": "Call them"}).json["id"]
    before = len(events(client, case_path(case), "update"))
    for task_id in (theirs, mine, plain):
        body = {"audience": "customer", "channel": "email", "text": "Again", "task_id": task_id}
        assert do(client, case, "updates", 422, **body)["errors"][0]["pointer"] == "/task_id"
    assert len(events(client, case_path(case), "update")) == before
    assert client.get(case_path(case, "tasks", plain, "draft")).status_code == 404


def test_a_newer_update_takes_the_place_of_one_that_was_not_answered(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, hit: list[str]
) -> None:
    sent, unsent = (raise_case(outage_id=outage["id"], account_id=account) for account in hit[:2])
    tell(client, outage, "First")
    old = open_offer(client, unsent)
    send(client, sent)
    tell(client, outage, "Second")

    assert offers(client, sent) == [("update", "done"), ("update", "open")]
    assert offers(client, unsent) == [("update", "waived"), ("update", "open")]
    assert "Second" in draft(client, unsent)["message"]["text"]
    ended = [one for one in events(client, case_path(unsent), "task") if one["facts"]["task"] == old["id"]]
    assert [(one["actor"], one["facts"]["state"], one["texts"]["reason"]) for one in ended] == [
        (None, "waived", "the outage has newer word")
    ]
    assert client.get(case_path(unsent, "timeline", "verify")).json["intact"]


def test_a_waived_offer_stays_waived_until_the_next_word(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case = raise_case(outage_id=outage["id"])
    tell(client, outage)
    task = open_offer(client, case)
    path = case_path(case, "tasks", task["id"])
    refused = client.patch(path, json={"state": "done"}, if_match=task["version"])
    waived = client.patch(path, json={"state": "waived", "reason": "Told by phone"}, if_match=task["version"])
    again = client.patch(path, json={"state": "open"}, if_match=waived.json["version"])

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/state")
    assert waived.status_code == 200
    assert (again.status_code, again.json["errors"][0]["pointer"]) == (422, "/state")
    assert run_job(tenant) == 0
    assert offers(client, case) == [("update", "waived")]
    tell(client, outage, "Second")
    assert offers(client, case) == [("update", "waived"), ("update", "open")]


def test_who_joins_later_is_offered_the_latest_word(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant, hit: list[str]
) -> None:
    tell(client, outage, "First")
    tell(client, outage, "Second")
    raised = raise_case(outage_id=outage["id"])
    linked = raise_case(account_id=hit[1])
    edit(client, linked, outage_id=outage["id"])
    assert run_job(tenant) == 2
    for case in (raised, linked):
        assert offers(client, case) == [("update", "open")]
        assert "Second" in draft(client, case)["message"]["text"]
    assert run_job(tenant) == 0


def test_a_request_is_offered_it_once_it_is_approved(
    client: ApiClient,
    outage: dict[str, Any],
    company: Company,
    as_user: Callable[..., ApiClient],
    tenant: TestTenant,
    raise_case: Raise,
) -> None:
    settings = client.get("/api/v1/settings")
    asked = {"approval": {"asked": True, "approvers": [company.manager.email]}}
    assert client.patch("/api/v1/settings", json=asked, if_match=settings.headers["ETag"]).status_code == 200
    case = raise_case(outage_id=outage["id"])
    tell(client, outage)
    assert (case["status"], offers(client, case)) == ("requested", [])
    assert client.get(path_of(outage)).json["escalations"]["requested"] == 1
    do(as_user(company.manager), case, "approve")
    run_job(tenant)
    assert offers(client, case) == [("update", "open")]


def test_a_closed_case_is_offered_nothing_and_a_reopened_one_the_latest(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case = raise_case(outage_id=outage["id"])
    do(client, case, "close-unresolved", outcome="mistaken", reason="Another fault")
    tell(client, outage)
    assert offers(client, case) == []
    do(client, case, "reopen", reason="It was this one")
    run_job(tenant)
    assert offers(client, case) == [("update", "open")]


def test_the_end_is_offered_as_a_resolution_that_resolving_answers(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case = raise_case(outage_id=outage["id"])
    do(client, case, "acknowledge")
    tell(client, outage)
    ended = end(client, outage, text="Everybody can sign in again since 14:00.")
    task, shown = open_offer(client, case), draft(client, case)

    assert offers(client, case) == [("update", "waived"), ("resolution", "open")]
    assert task["title"] == "Login is down: resolve this case too, and have its customer verify it"
    assert "Everybody can sign in again since 14:00." in shown["message"]["text"]
    assert shown["message"]["subject"] == f"Login is down: is everything well again? ({case['number']})"
    assert shown["resolution"] == {
        "summary": "The certificate is renewed",
        "root_cause": "Nobody watched its end",
        "preventable": True,
    }
    assert ended["escalations"] == {"open": 1, "resolved": 0, "closed": 0, "requested": 0}
    assert client.get(case_path(case)).json["status"] == "in_progress"
    send(client, case)
    assert offers(client, case)[-1] == ("resolution", "open")  # told, and still to be resolved
    assert resolve(client, case)["status"] == "resolved"
    assert offers(client, case)[-1] == ("resolution", "done")
    assert client.get(path_of(outage)).json["escalations"] == {"open": 0, "resolved": 1, "closed": 0, "requested": 0}


def test_a_case_that_is_resolved_already_is_offered_updates_and_no_resolution(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case = raise_case(outage_id=outage["id"])
    do(client, case, "acknowledge")
    do(client, case, "resolve", summary="A way around", root_cause="The certificate", preventable=True)
    tell(client, outage)
    assert offers(client, case) == [("update", "open")]
    end(client, outage)
    assert offers(client, case) == [("update", "waived")]


def test_an_ended_outage_is_left_alone_once_everything_is_offered(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case = raise_case(outage_id=outage["id"])
    end(client, outage)
    run_job(tenant)
    with transaction():
        settled = db.session.scalar(text("select settled from outage where id = :id"), {"id": outage["id"]})
    assert settled
    do(client, case, "close-unresolved", outcome="mistaken", reason="Another fault")
    do(client, case, "reopen", reason="It was this one")
    assert run_job(tenant) == 0


def test_a_case_that_was_closed_before_the_end_and_is_reopened_after_it_is_offered_the_end(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case = raise_case(outage_id=outage["id"])
    do(client, case, "close-unresolved", outcome="mistaken", reason="Another fault")
    end(client, outage)
    assert run_job(tenant) == 0
    do(client, case, "reopen", reason="It was this one")
    assert run_job(tenant) == 1
    assert offers(client, case) == [("resolution", "open")]


def test_an_ended_outage_waits_for_no_case_that_can_be_reopened_no_more(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case = raise_case(outage_id=outage["id"])
    do(client, case, "close-unresolved", outcome="mistaken", reason="Another fault")
    end(client, outage)

    def settled(days: int) -> bool:
        jobs.offer_outages_tenant(tenant.id, clock.now() + timedelta(days=days))
        with transaction():
            return bool(db.session.scalar(text("select settled from outage where id = :id"), {"id": outage["id"]}))

    assert [settled(days) for days in (14, 16)] == [False, True]


def test_what_the_job_finds_in_all_tenants_it_offers(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    tell(client, outage)
    case = raise_case(outage_id=outage["id"])
    assert jobs.offer_outages() >= 1
    assert offers(client, case) == [("update", "open")]


def test_the_owner_hears_of_it_once_and_who_stands_in_too(
    client: ApiClient,
    outage: dict[str, Any],
    raise_case: Raise,
    company: Company,
    as_user: Callable[..., ApiClient],
    make_user: Callable[..., User],
    tenant: TestTenant,
) -> None:
    case = raise_case(outage_id=outage["id"])
    helper = make_user("csm", "helper@example.com")
    away = {"starts_at": clock.now() - timedelta(hours=1), "ends_at": clock.now() + timedelta(days=1)}
    absence = {name: at.isoformat() for name, at in away.items()} | {"delegate_email": helper.email, "mode": "cover"}
    assert client.post(f"/api/v1/users/{company.owner.id}/absences", json=absence).status_code == 201
    tell(client, outage)
    run_job(tenant)

    def heard(user: User) -> list[tuple[str, str]]:
        items = as_user(user).get("/api/v1/notifications").json["items"]
        return [(one["subject"], one["why"]) for one in items if one["kind"] == "outage_offer"]

    subject = f"Globex: Login is down · {case['number']}"
    assert heard(company.owner) == [(subject, "You get this because you own the case.")]
    assert heard(helper) == [(subject, "You get this in place of Owner, who is absent.")]


def test_a_chain_of_stand_ins_breaks_at_whom_the_case_is_about(
    client: ApiClient,
    outage: dict[str, Any],
    raise_case: Raise,
    company: Company,
    as_user: Callable[..., ApiClient],
    make_user: Callable[..., User],
    tenant: TestTenant,
) -> None:
    about, next_one = make_user("csm", "about@example.com"), make_user("csm", "next@example.com")
    case = raise_case(outage_id=outage["id"], restricted=True, about_user=about.email)
    for user, delegate in ((company.owner, about), (about, next_one)):
        away = {"starts_at": clock.now() - timedelta(hours=1), "ends_at": clock.now() + timedelta(days=1)}
        absence = {name: at.isoformat() for name, at in away.items()} | {"delegate_email": delegate.email}
        assert client.post(f"/api/v1/users/{user.id}/absences", json=absence).status_code == 201
    tell(client, outage)
    run_job(tenant)
    assert as_user(next_one).get(case_path(case)).status_code == 404
    assert as_user(next_one).get("/api/v1/notifications").json["items"] == []


def test_a_playbook_says_it_in_its_own_words(client: ApiClient, outage: dict[str, Any], raise_case: Raise) -> None:
    own = {
        "key": "outage_update",
        "title": "Zum Stand",
        "audience": ["customer"],
        "subject": "{{ outage.title }}",
        "text": "Guten Tag, {{ outage.update }} Wir sagen Ihnen {{ 'wann' | write }} mehr.",
    }
    when = {"field": "escalation.has_outage", "op": "=", "value": True}
    book = {"name": "Störung", "about": "Auf Deutsch.", "when": when, "drafts": [own]}
    made = client.post("/api/v1/playbooks", json={"definition": book})
    assert made.status_code == 201, made.text
    assert client.post(f"/api/v1/playbooks/{made.json['id']}/publish", json={}).status_code == 200
    case = raise_case(outage_id=outage["id"])
    tell(client, outage, "Wir erneuern es.")

    assert draft(client, case)["message"]["text"] == "Guten Tag, Wir erneuern es. Wir sagen Ihnen ⟦wann⟧ mehr."
    refused = send(client, case, 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("gaps_left", "/text")
    send(client, case, text="Guten Tag, wir erneuern es.")
    assert offers(client, case) == [("update", "done")]


def test_every_draft_may_name_the_outage_and_what_it_says_among_us_stays_among_us(client: ApiClient) -> None:
    fields = {one["field"]: one for one in client.get("/api/v1/drafts/fields").json["fields"]}
    said = {name: one["internal"] for name, one in fields.items() if name.startswith("outage.")}
    assert said == {
        "outage.title": False,
        "outage.statement": True,
        "outage.opened_at": False,
        "outage.updated_at": False,
        "outage.update": False,
        "outage.update_account_team": True,
        "outage.update_executive": True,
        "outage.resolution": False,
        "outage.root_cause": False,
    }


def test_a_thousand_cases_are_offered_it_in_batches_of_few_statements(
    client: ApiClient,
    outage: dict[str, Any],
    raise_case: Raise,
    tenant: TestTenant,
    statements: Callable[[], Any],
) -> None:
    """However many cases a batch has, its statements are the same."""
    case = raise_case(outage_id=outage["id"])
    copies(case["id"], 999)
    tell(client, outage, "First")  # the first 200 at once
    assert run_job(tenant) == 800
    tell(client, outage, "Second")
    with statements() as sent, transaction():
        assert offering.offer_batch(clock.now()) == offering.BATCH
    assert len([one for one in sent if "set_config" not in one and "from tenant" not in one]) <= 8
    assert run_job(tenant) == 600
    with transaction():
        found = db.session.execute(
            text("select state, count(*) from task where outage_event_id is not null group by state order by state")
        )
        assert [tuple(row) for row in found] == [("open", 1000), ("waived", 1000)]


def copies(case_id: str, count: int) -> None:
    """More cases like this one, without clocks or timeline."""
    with transaction() as session:
        first = session.scalars(select(Escalation).where(Escalation.id == case_id)).one()
        columns = [column.name for column in Escalation.__table__.columns if column.name != "id"]
        values = {name: getattr(first, name) for name in columns}
        start = {"event_count": 0, "event_hash": b"\x00" * 32}
        insert_all(Escalation(**{**values, **start, "number": 1000 + n}) for n in range(count))


def test_two_open_offers_on_one_case_are_impossible(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case = raise_case(outage_id=outage["id"])
    tell(client, outage)
    again = text(
        "insert into task select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*"
        " from task t where t.outage_event_id is not null"
    )
    with pytest.raises(Exception, match="uq_task_offer"), transaction() as session:
        session.execute(again)
    assert offers(client, case) == [("update", "open")]
    assert opened(client, "Another")["state"] == "open"
