"""The cases of an outage: raised with it, linked, moved, merged, many accounts at once, hidden from who may not see."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.outage import (
    CASES,
    Raise,
    case_path,
    do,
    draft,
    edit,
    end,
    events,
    hit,
    offers,
    opened,
    outage,
    path_of,
    run_job,
    send,
    tell,
)

__all__ = ["hit", "outage"]

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def affect(client: ApiClient, outage: dict[str, Any], *accounts: Any, **more: Any) -> dict[str, Any]:
    done = client.post(path_of(outage, "escalations"), json={"severity": 1, "accounts": list(accounts), **more})
    assert done.status_code == 200, done.text
    return dict(done.json)


def numbers(client: ApiClient, outage: dict[str, Any], query: str = "") -> list[str]:
    found = client.get(path_of(outage, f"escalations{query}"))
    assert found.status_code == 200, found.text
    return sorted(one["number"] for one in found.json["items"])


def test_a_raise_names_its_outage_and_the_record_shows_it(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case, alone = raise_case(outage_id=outage["id"]), raise_case(outage_id=None)
    shown = {"id": outage["id"], "title": "Login is down", "state": "open"}
    assert case["outage"] == client.get(case_path(case)).json["outage"] == shown
    assert alone["outage"] is client.get(case_path(alone)).json["outage"] is None
    assert events(client, case_path(case), "raise")[0]["facts"]["outage"] == outage["id"]
    assert numbers(client, outage) == [case["number"]]
    listed = client.get(f"{CASES}?outage={outage['id']}").json["items"]
    assert [one["id"] for one in listed] == [case["id"]]


def test_what_has_ended_takes_no_case(client: ApiClient, outage: dict[str, Any], raise_case: Raise) -> None:
    case = raise_case()
    end(client, outage)
    body = {"account_id": case["account"]["id"], "title": "T", "severity": 2, "outage_id": outage["id"]}
    raised = client.post(CASES, json=body)
    linked = edit(client, case, 409, outage_id=outage["id"])
    for refused in (raised.json, linked):
        assert refused["code"] == "outage_resolved"
        assert refused["errors"] == [{"pointer": "/outage_id", "detail": "it is resolved"}]
    rows = affect(client, outage, {"account_id": body["account_id"]}, {"escalation_id": case["id"]})
    assert [(one["outcome"], one["code"]) for one in rows["items"]] == [("rejected", "outage_resolved")] * 2


def test_the_major_outage_book_is_chosen_and_the_raise_stays_within_sixteen_statements(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, statements: Callable[[], Any]
) -> None:
    for key in ("customer_success", "major_outage"):
        adopted = client.post(f"/api/v1/built-in-playbooks/{key}/adopt", json={"publish": True})
        assert adopted.status_code == 201, adopted.text
    alone = raise_case(severity=3)
    with statements() as sent:
        case = raise_case(severity=3, outage_id=outage["id"])
    assert len(sent) <= 16, sent
    titles = [{one["key"] for one in client.get(case_path(one, "tasks")).json["items"]} for one in (alone, case)]
    assert "tell_at_once" not in titles[0]
    assert "tell_at_once" in titles[1]
    tell(client, outage, "We renew it.")
    message = draft(client, case)["message"]
    assert (message["gaps"], "We renew it." in message["text"]) == ([], True)


def test_a_rule_routes_by_it_and_the_fields_say_so(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, company: Company
) -> None:
    listed = {one["name"]: one for one in client.get("/api/v1/routing/fields").json["items"]}
    assert "=" in listed["escalation.has_outage"]["operators"]
    when = {"field": "escalation.has_outage", "op": "=", "value": True}
    rules = [
        {"name": "outages", "when": when, "target": {"kind": "user", "user_id": str(company.boss.id)}},
        {"name": "rest", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}},
    ]
    saved = client.put("/api/v1/routing/policy", json={"rules": rules}, if_match="*")
    assert saved.status_code == 200, saved.text
    body = {"number": saved.json["draft"]["number"]}
    assert client.post("/api/v1/routing/policy/publish", json=body).status_code == 200
    assert raise_case(outage_id=outage["id"])["owner"]["email"] == company.boss.email
    assert raise_case()["owner"]["email"] == company.owner.email


def test_a_case_leaves_its_outage_and_what_it_was_offered_falls_away(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    case, other = raise_case(outage_id=outage["id"]), opened(client, "Mail is slow")
    tell(client, outage)
    tell(client, other, "The queue is long")
    moved = edit(client, case, outage_id=other["id"])
    assert (moved["outage"]["title"], offers(client, case)) == ("Mail is slow", [("update", "waived")])
    run_job(tenant)
    assert offers(client, case) == [("update", "waived"), ("update", "open")]
    assert "The queue is long" in draft(client, case)["message"]["text"]
    assert edit(client, case, outage_id=None)["outage"] is None
    assert offers(client, case) == [("update", "waived"), ("update", "waived")]
    moves = [one["facts"]["outage"] for one in events(client, case_path(case), "edit")]
    assert moves == [{"was": outage["id"], "is": other["id"]}, {"was": other["id"], "is": None}]
    assert (numbers(client, outage), numbers(client, other)) == ([], [])
    waived = [one["texts"] for one in events(client, case_path(case), "task")]
    assert waived == [{"reason": "the case is not of this outage any more"}] * 2


def test_only_who_works_on_a_case_moves_it(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case()
    edit(as_user(company.csm), case, 403, outage_id=outage["id"])
    assert edit(as_user(company.owner), case, outage_id=outage["id"])["outage"]["id"] == outage["id"]


def test_each_account_that_is_hit_gets_one_case_however_often_it_is_sent(
    client: ApiClient, outage: dict[str, Any], hit: list[str], raise_case: Raise
) -> None:
    there = raise_case(account_id=hit[2])
    sent = [
        {"account_id": hit[0], "impact": "Forty people wait"},
        {"account": {"source": "crm", "external_id": "A-2"}, "severity": 3, "title": "Hooli cannot log in"},
        {"escalation_id": there["id"]},
    ]
    first = affect(client, outage, *sent)
    again = affect(client, outage, *sent)

    assert [one["outcome"] for one in first["items"]] == ["raised", "raised", "linked"]
    assert {name: first[name] for name in ("raised", "linked", "known", "rejected")} == {
        "raised": 2,
        "linked": 1,
        "known": 0,
        "rejected": 0,
    }
    assert [one["outcome"] for one in again["items"]] == ["known"] * 3
    ids = [one["escalation_id"] for one in first["items"]]
    assert [one["escalation_id"] for one in again["items"]] == ids
    cases = [client.get(f"{CASES}/{id_}").json for id_ in ids]
    said = [(one["title"], one["severity"], one["reason"], one["impact"]) for one in cases]
    assert said == [
        ("Login is down", 1, "prolonged_outage", "Forty people wait"),
        ("Hooli cannot log in", 3, "prolonged_outage", None),
        ("Exports fail", 2, "other", None),
    ]
    assert numbers(client, outage) == sorted(one["number"] for one in cases)


def test_an_account_whose_case_is_closed_is_known_and_one_that_was_declined_or_merged_is_not(
    client: ApiClient, outage: dict[str, Any], hit: list[str]
) -> None:
    made = affect(client, outage, *({"account_id": one} for one in hit[:2]))["items"]
    closed, merged = ({"id": one["escalation_id"]} for one in made)
    do(client, closed, "close-unresolved", outcome="mistaken", reason="Not hit")
    alone = client.post(CASES, json={"account_id": hit[1], "title": "T", "severity": 2}).json
    do(client, alone, "merge", into_id=merged["id"], reason="Same")
    found = affect(client, outage, *({"account_id": one} for one in hit[:2]))["items"]
    assert [(one["outcome"], one["escalation_id"]) for one in found] == [
        ("known", closed["id"]),
        ("known", merged["id"]),
    ]


def test_what_is_wrong_with_one_account_stops_no_other(
    client: ApiClient, outage: dict[str, Any], hit: list[str], raise_case: Raise
) -> None:
    elsewhere = raise_case(outage_id=opened(client, "Mail is slow")["id"])
    sent = [
        {"account_id": UNKNOWN},
        {"account": {"source": "crm", "external_id": "A-99"}},
        {"account_id": hit[0], "severity": 9},
        "Globex",
        {},
        {"account_id": hit[0], "escalation_id": UNKNOWN},
        {"escalation_id": UNKNOWN},
        {"escalation_id": elsewhere["id"]},
        {"account_id": hit[1], "colour": "red"},
        {"account_id": hit[2]},
    ]
    done = affect(client, outage, *sent)
    assert [(one["index"], one["outcome"]) for one in done["items"]] == [(n, "rejected") for n in range(9)] + [
        (9, "raised")
    ]
    assert [[fault["pointer"] for fault in one["errors"]] for one in done["items"]] == [
        ["/account_id"],
        ["/account"],
        ["/severity"],
        [""],
        ["/account_id"],
        ["/account_id"],
        ["/escalation_id"],
        ["/escalation_id"],
        ["/colour"],
        [],
    ]
    assert (done["raised"], done["rejected"]) == (1, 9)


def test_a_key_repeats_the_answer(client: ApiClient, outage: dict[str, Any], hit: list[str]) -> None:
    body = {"severity": 1, "accounts": [{"account_id": hit[0]}]}
    first, again = (client.post(path_of(outage, "escalations"), json=body, key="k-1") for _ in range(2))
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json["raised"] == 1


def test_where_approval_is_asked_the_cases_of_an_outage_wait_for_it_too(
    client: ApiClient, company: Company, as_user: Callable[..., ApiClient], outage: dict[str, Any], hit: list[str]
) -> None:
    settings = client.get("/api/v1/settings")
    asked = {"approval": {"asked": True, "approvers": [company.manager.email]}}
    assert client.patch("/api/v1/settings", json=asked, if_match=settings.headers["ETag"]).status_code == 200
    mine = opened(as_user(company.csm), "Mail is slow")
    (made,) = affect(as_user(company.csm), mine, {"account_id": hit[0]})["items"]
    assert client.get(f"{CASES}/{made['escalation_id']}").json["status"] == "requested"


def test_accounts_are_hit_by_who_may_act_on_the_outage(
    company: Company, outage: dict[str, Any], hit: list[str], as_user: Callable[..., ApiClient]
) -> None:
    body = {"severity": 1, "accounts": [{"account_id": hit[0]}]}
    refused = as_user(company.csm).post(path_of(outage, "escalations"), json=body)
    assert (refused.status_code, refused.json["code"]) == (403, "not_yours")
    missing = as_user(company.csm).post(f"/api/v1/outages/{UNKNOWN}/escalations", json=body)
    assert missing.status_code == 404


def test_a_restricted_case_is_hidden_from_who_may_not_see_it(
    client: ApiClient,
    company: Company,
    outage: dict[str, Any],
    raise_case: Raise,
    as_user: Callable[..., ApiClient],
    make_user: Callable[..., User],
) -> None:
    plain, hidden = raise_case(outage_id=outage["id"]), raise_case(outage_id=outage["id"], restricted=True)
    stranger = as_user(make_user("specialist"))
    tell(client, outage)

    assert numbers(stranger, outage) == [plain["number"]]
    assert numbers(as_user(company.owner), outage) == sorted([plain["number"], hidden["number"]])
    assert stranger.get(path_of(outage)).json["escalations"]["open"] == 1
    assert client.get(path_of(outage)).json["escalations"]["open"] == 2
    assert hidden["id"] not in stranger.get(path_of(outage, "timeline")).text
    task = client.get(case_path(hidden, "tasks")).json["items"][-1]
    assert stranger.get(case_path(hidden, "tasks", task["id"], "draft")).status_code == 404


@pytest.mark.parametrize("hidden", [{"restricted": True}, {"about_user": "stranger@example.com"}])
def test_a_case_that_the_caller_may_not_see_is_known_and_not_named(
    client: ApiClient,
    company: Company,
    raise_case: Raise,
    as_user: Callable[..., ApiClient],
    make_user: Callable[..., User],
    hidden: dict[str, Any],
) -> None:
    stranger = as_user(make_user("specialist", "stranger@example.com"))
    theirs = opened(stranger, "Theirs")
    case = raise_case(outage_id=theirs["id"], **hidden)
    row = {"account_id": company.account_id}

    (found,) = affect(stranger, theirs, row)["items"]
    assert (found["outcome"], found["escalation_id"], found["number"]) == ("known", None, None)
    (found,) = affect(client, theirs, row)["items"]
    assert (found["outcome"], found["escalation_id"], found["number"]) == ("known", case["id"], case["number"])


def test_a_hidden_case_is_linked_by_nobody_who_may_not_see_it(
    outage: dict[str, Any], raise_case: Raise, as_user: Callable[..., ApiClient], make_user: Callable[..., User]
) -> None:
    hidden = raise_case(restricted=True)
    stranger = as_user(make_user("specialist"))
    theirs = opened(stranger, "Theirs")
    found = affect(stranger, theirs, {"escalation_id": hidden["id"]}, {"escalation_id": UNKNOWN})["items"]
    said = [(one["outcome"], one["errors"]) for one in found]
    assert said == [("rejected", [{"pointer": "/escalation_id", "detail": "there is no such escalation"}])] * 2


def test_in_a_merge_the_survivor_takes_the_outage_with_its_offer(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant
) -> None:
    first, second = raise_case(), raise_case(outage_id=outage["id"])
    tell(client, outage)
    survivor = do(client, second, "merge", into_id=first["id"], reason="Same")
    assert (survivor["id"], survivor["outage"]["id"]) == (first["id"], outage["id"])
    assert offers(client, first) == [("update", "open")]
    assert numbers(client, outage) == [first["number"]]
    assert run_job(tenant) == 0
    send(client, first)
    assert offers(client, first) == [("update", "done")]


@pytest.mark.parametrize("same", [True, False])
def test_in_a_merge_a_survivor_with_an_outage_keeps_its_own(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise, tenant: TestTenant, same: bool
) -> None:
    other = outage if same else opened(client, "Mail is slow")
    first, second = raise_case(outage_id=outage["id"]), raise_case(outage_id=other["id"])
    tell(client, outage)
    if not same:
        tell(client, other)
    survivor = do(client, second, "merge", into_id=first["id"], reason="Same")
    assert survivor["outage"]["id"] == outage["id"]
    assert offers(client, first) == [("update", "open")]
    run_job(tenant)
    assert offers(client, first) == [("update", "open")]


def test_the_cases_come_in_pages_with_what_became_of_each_offer(
    client: ApiClient, outage: dict[str, Any], hit: list[str]
) -> None:
    made = affect(client, outage, *({"account_id": one} for one in hit))["items"]
    tell(client, outage)
    send(client, {"id": made[0]["escalation_id"]})
    path = path_of(outage, "escalations")
    first = client.get(f"{path}?limit=2&sort=raised").json
    rest = client.get(f"{path}?limit=2&sort=raised&cursor={first['next_cursor']}").json
    found = [*first["items"], *rest["items"]]
    assert [one["id"] for one in found] == [one["escalation_id"] for one in made]
    assert [one["offer"]["state"] for one in found] == ["done", "open", "open"]
    assert rest["next_cursor"] is None
    assert numbers(client, outage, "?status=closed") == []
    assert client.get(f"{CASES}?limit=1").json["items"][0]["offer"] is None


def test_the_list_reads_stay_within_four_statements(
    client: ApiClient, outage: dict[str, Any], hit: list[str], statements: Callable[[], Any]
) -> None:
    affect(client, outage, *({"account_id": one} for one in hit))
    tell(client, outage)
    for path in ("/api/v1/outages", path_of(outage), path_of(outage, "escalations"), path_of(outage, "timeline")):
        with statements() as sent:
            assert client.get(path).status_code == 200
        assert len(sent) <= 5, (path, sent)


def test_the_same_account_raised_twice_in_one_call_is_known_the_second_time(
    client: ApiClient, outage: dict[str, Any], hit: list[str]
) -> None:
    found = affect(client, outage, {"account_id": hit[0]}, {"account_id": hit[0]})["items"]
    assert [one["outcome"] for one in found] == ["raised", "known"]
