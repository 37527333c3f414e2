"""The way up the tiers as people read it: path, draft of the brief, vendor, dossier; and who is led past."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import User
from app.db import db, transaction
from app.escalations.history import way_of
from app.escalations.models import Escalation
from tests.conftest import ApiClient
from tests.escalations.conftest import Company
from tests.escalations.moved_up import do, events, publish, put_team, read, tasks

Raise = Callable[..., dict[str, Any]]
TIERS = ("tier_1", "tier_2", "tier_3", "onsite", "vendor", "management")
PATH = [{"tier": tier, "within": {"business_days": 2}, "ask": f"Can {tier} do it"} for tier in TIERS]
HOP = {"reason": "time", "brief": "All tried."}
ACME = {"name": "Acme", "contact": "Jo, +49 30 1", "reference": "C-7"}


@pytest.fixture
def owner(as_user: Callable[..., ApiClient], company: Company) -> ApiClient:
    return as_user(company.owner)


def stage(client: ApiClient, case: dict[str, Any], tier: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in read(client, case, "path")["items"] if one["tier"] == tier)
    return found


def test_the_path_shows_each_tier_with_its_answer_attempts_and_time(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company
) -> None:
    publish(client, tiers=PATH[:3])
    case = raise_case()
    do(owner, case, "attempts", what="Restarted it", result="No change")
    do(owner, case, "qualify", resolvable=False, reason="outside_expertise", note="Never seen it.", brief="Restarted.")
    do(owner, case, "attempts", what="New disk", result="Better")
    path = read(client, case, "path")

    assert (path["tier"], path["path"]) == ("tier_2", ["tier_1", "tier_2", "tier_3"])
    assert [(one["what"], one["tier"]) for one in path["not_again"]] == [("Restarted it", "tier_1")]
    assert [(one["kind"], one["of"]["email"]) for one in path["asked"]] == [("qualification", company.owner.email)]
    first, second, third = path["items"]
    assert [one["state"] for one in path["items"]] == ["left", "current", "ahead"]
    assert (first["reason"], first["brief"], first["automatic"]) == ("outside_expertise", "Restarted.", False)
    answer = first["qualification"]
    assert (answer["word"], answer["by"]["email"], answer["note"]) == ("no", company.owner.email, "Never seen it.")
    assert first["left_at"] == second["entered_at"]
    assert (first["clock"]["state"], first["clock"]["target_seconds"]) == ("met", 2 * 8 * 3600)
    assert (second["clock"]["state"], second["qualification"]) == ("running", None)
    assert [one["what"] for one in second["attempts"]] == ["New disk"]
    assert (third["entered_at"], third["clock"]) == (None, None)


def test_the_path_is_read_in_few_statements_however_long_the_case(
    client: ApiClient, owner: ApiClient, raise_case: Raise, statements: Any
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    for number in range(5):
        do(owner, case, "attempts", what=f"Attempt {number}", result="No change")
    do(owner, case, "escalate", **HOP)
    read(owner, case, "path")
    for what, most in (("path", 6), ("handover", 4), ("dossier", 5), ("playbook", 4)):
        with statements() as sent:
            read(owner, case, what)
        assert len(sent) <= most, (what, sent)


def test_of_very_many_attempts_the_newest_are_shown_and_the_others_counted(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    for number in range(4):
        do(owner, case, "attempts", what=f"Attempt {number}", result="No change")
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == UUID(case["id"]))).one()
        way = way_of(record, attempts=3)

    assert [one.what for one in way.stages[0].attempts] == ["Attempt 1", "Attempt 2", "Attempt 3"]
    assert way.earlier_attempts == 1


def test_the_draft_of_the_brief_is_drawn_from_the_case(client: ApiClient, owner: ApiClient, raise_case: Raise) -> None:
    publish(client, tiers=PATH)
    said = {
        "customer_statement": "Nothing comes out.",
        "impact": "Payroll stands.",
        "desired_outcome": "Files by Friday.",
    }
    case = raise_case(**said)
    do(owner, case, "attempts", what="Restarted it", result="No change")
    do(owner, case, "qualify", resolvable=False, reason="options_exhausted")
    draft = read(client, case, "handover")

    assert (draft["to_tier"], draft["asked"]) == ("tier_2", "Can tier_2 do it?")
    assert (draft["problem"], draft["impact"], draft["desired_outcome"]) == tuple(said.values())
    assert (draft["value_at_stake"], draft["reason"]) == ("120000.00 USD", "options exhausted")
    assert draft["not_again"] == ["Restarted it"]
    for part in (*said.values(), "120000.00 USD", "Restarted it → No change", "Can tier_2 do it?"):
        assert part in draft["brief"]
    assert do(owner, case, "escalate", reason="time", brief=draft["brief"])["tier"] == "tier_2"


def test_a_brief_can_be_drafted_for_a_tier_above_and_not_for_one_below(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "escalate", **HOP)

    assert read(client, case, "handover?to_tier=onsite")["asked"] == "Can onsite do it?"
    assert read(client, case, "handover?to_tier=tier_1", status=409)["code"] == "tier_not_above"
    assert "close it unresolved" in read(client, case, "handover?to_tier=management")["asked"]
    do(owner, case, "escalate", **HOP, to_tier="management")
    assert read(client, case, "handover", status=409)["code"] == "no_tier_above"


def test_the_next_tier_is_told_the_brief_or_else_what_was_tried(
    client: ApiClient,
    owner: ApiClient,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
) -> None:
    second, third = make_user("specialist"), make_user("specialist")
    put_team(client, "tier_2", second)
    put_team(client, "tier_3", third)
    publish(client, tiers=PATH)
    case = raise_case(severity=1)
    do(owner, case, "attempts", what="Restarted it", result="No change")
    do(owner, case, "escalate", reason="severity")
    do(owner, case, "escalate", **HOP)

    def told(user: User) -> list[str]:
        inbox = as_user(user).get("/api/v1/notifications").json["items"]
        return [one["body"] for one in inbox if one["kind"] == "qualification"]

    assert told(second) == ["Can tier_2 do it (tier 2)?\n\nTried already, not to be tried again:\n- Restarted it"]
    assert told(third) == ["Can tier_3 do it (tier 3)?\n\nAll tried."]


def test_the_vendors_name_contact_and_reference_are_kept_and_changed(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}"
    early = owner.patch(path, json={"vendor": ACME}, if_match=owner.get(path).json["version"])
    assert (early.status_code, early.json["errors"][0]["pointer"]) == (422, "/vendor")
    assert do(owner, case, "escalate", status=422, **HOP, to_tier="vendor")["errors"][0]["pointer"] == "/vendor"

    there = do(owner, case, "escalate", **HOP, to_tier="vendor", vendor=ACME)
    assert {name: there["vendor"][name] for name in ACME} == ACME
    changed = owner.patch(path, json={"vendor": {"name": "Acme", "contact": "Max"}}, if_match=there["version"])
    assert (changed.json["vendor"]["contact"], changed.json["vendor"]["reference"]) == ("Max", None)
    contacts = [one["contact"] for one in stage(client, case, "vendor")["vendors"]]
    assert contacts == ["Jo, +49 30 1", "Max"]
    assert do(owner, case, "escalate", **HOP)["vendor"]["contact"] == "Max"  # management speaks with them as well


def test_a_tier_where_nobody_is_and_an_unnamed_vendor_are_led_past(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    put_team(client, "tier_2")
    publish(client, tiers=PATH)
    case = raise_case()
    assert do(owner, case, "escalate", **HOP)["tier"] == "tier_3"
    assert do(owner, case, "escalate", **HOP)["tier"] == "onsite"
    assert do(owner, case, "escalate", **HOP)["tier"] == "management"

    states = [(one["tier"], one["state"], one["why"]) for one in read(client, case, "path")["items"]]
    assert states == [
        ("tier_1", "left", None),
        ("tier_2", "passed_over", "nobody_there"),
        ("tier_3", "left", None),
        ("onsite", "left", None),
        ("vendor", "passed_over", "no_vendor"),
        ("management", "current", None),
    ]


def test_a_deserted_tier_named_by_hand_leads_on_to_the_next_even_past_the_vendor(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    put_team(client, "onsite")
    publish(client, tiers=PATH)
    case = raise_case()
    assert do(owner, case, "escalate", **HOP, to_tier="onsite")["tier"] == "management"


def test_at_a_deserted_end_of_the_path_management_is_asked_and_nobody_else(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company
) -> None:
    put_team(client, "tier_2")
    publish(client, tiers=PATH[:2])
    case = raise_case()
    do(owner, case, "escalate", **HOP)

    assert [assignee for _, assignee, _ in tasks(client, case, "decision")] == [str(company.manager.id)]
    assert [state for _, _, state in tasks(client, case, "qualification")] == ["done"]
    assert do(owner, case, "escalate", status=409, **HOP)["code"] == "no_tier_above"


def test_a_path_that_ends_with_the_vendor_wants_the_vendors_name(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    publish(client, tiers=[PATH[0], PATH[4]])
    case = raise_case()
    assert do(owner, case, "escalate", status=422, **HOP)["errors"][0]["pointer"] == "/vendor"
    assert do(owner, case, "escalate", **HOP, vendor=ACME)["tier"] == "vendor"


def test_the_dossier_has_everything_done_in_order_page_by_page(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "attempts", what="Restarted it", result="No change")
    do(owner, case, "updates", audience="customer", channel="email", text="We are on it.")
    until = "2100-01-01T12:00:00Z"
    do(owner, case, "extend", until=until, reason="Parts come late.", customer_agreed=True)
    do(owner, case, "watch", watching=True)
    do(owner, case, "escalate", **HOP, to_tier="management")
    manager = as_user(company.manager)
    dossier = read(manager, case, "dossier")

    kinds = [one["kind"] for one in dossier["items"]]
    assert kinds == [
        "raise",
        "assign",
        "acknowledge",
        "attempt",
        "update",
        "extension_asked",
        "task",
        "escalate",
        "decision_asked",
    ]
    assert [one["tier"] for one in dossier["items"]][-3:] == ["tier_1", "management", "management"]
    assert dossier["items"][6]["task"] == "Can tier_1 do it (tier 1)?"
    assert [one["choice"] for one in dossier["options"]] == [
        "extend",
        "vendor",
        "concession",
        "close_unresolved",
        "go_on",
    ]
    assert [(one["kind"], one["of"]["email"]) for one in dossier["asked"]] == [("decision", company.manager.email)]
    assert [one["state"] for one in dossier["path"]] == ["left", *["skipped"] * 4, "current"]
    assert (dossier["escalation"]["id"], dossier["attempts"]) == (case["id"], 1)

    pages, cursor = [], ""
    while cursor is not None:
        page = read(manager, case, f"dossier?limit=3{cursor and f'&cursor={cursor}'}")
        pages += [one["kind"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert pages == kinds


def test_whoever_may_not_see_a_case_reads_none_of_its_way(
    client: ApiClient, raise_case: Raise, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case(restricted=True)
    stranger = as_user(make_user("specialist"))
    for what in ("path", "handover", "dossier"):
        assert read(stranger, case, what, status=404)["code"] == "not_found"


def test_a_request_that_waits_for_approval_has_its_way_ahead(
    client: ApiClient, raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    settings = client.get("/api/v1/settings")
    asked = {"approval": {"asked": True, "approvers": [company.manager.email]}}
    assert client.patch("/api/v1/settings", json=asked, if_match=settings.headers["ETag"]).status_code == 200
    publish(client, tiers=PATH[1:3])
    case = raise_case()
    assert [one["state"] for one in read(client, case, "path")["items"]] == ["ahead", "ahead"]
    assert read(client, case, "dossier")["items"][0]["kind"] == "request"

    do(as_user(company.manager), case, "approve")
    assert [one["state"] for one in read(client, case, "path")["items"]] == ["current", "ahead"]
    assert [event["facts"]["tier"] for event in events(client, case, "approve")] == ["tier_2"]
