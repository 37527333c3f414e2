"""A playbook's own ladders: which step of which clock fires when, every moment worked out by hand.

NOW is Monday 2 March 2026, 10:00; the tenant's hours are Monday to Friday, 9 to 17, in UTC.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.accounts import service as accounts
from app.db import db, transaction
from app.escalations import replacing, service
from app.escalations.schedule import schedule_of
from app.escalations.service import NewOwner, Resolution, Wait, Word
from app.escalations.sweep import Swept, sweep_batch
from app.playbooks import books
from app.playbooks.built_in import definition_of
from app.playbooks.models import Task
from app.sla import calendars, ladders, versions
from app.sla.models import Application
from app.sla.targets import CLOCK_KINDS
from app.sla.verifying import verify_batch
from app.sla.versions import find_ladders
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_applying import apply, numbers, preview
from tests.escalations.test_sweep import Watched, april, march

Steps = list[dict[str, Any]]
ACKNOWLEDGE: Steps = [
    {"offset": "25%", "audience": ["owner"]},
    {"offset": "-PT30M", "audience": ["owner_manager"]},
    {"offset": "0", "audience": ["owner", "sponsor"]},
    {"offset": "+PT1H", "audience": ["owner_manager"], "repeat": {"every": "PT1H", "times": 2}},
]
CLOSE: Steps = [
    {"offset": "-P14D", "audience": ["owner", "csm"]},
    {"offset": "-P10D", "audience": ["sponsor"]},
    {"offset": "0", "audience": ["sponsor"]},
]
HALF: Steps = [{"offset": "50%", "audience": ["owner"]}]


@pytest.fixture(autouse=True)
def rebuilt(tenant: TestTenant) -> Iterator[None]:
    """After each test every clock is what its ledger says, and the sweep waits for it at the right moment."""
    yield
    with transaction():
        assert [str(one) for one in verify_batch().differences] == []


def publish(tenant: TestTenant, name: str, **members: Any) -> UUID:
    with transaction():
        definition = {"name": name, "about": "A book.", **members}
        made = books.save_playbook(definition, actor=tenant.actor, now=NOW)
        return books.publish_playbook(made.id).id


def publish_ladder(kind: str, steps: Steps) -> int:
    with transaction():
        return ladders.publish_ladder(kind, steps, now=NOW).number


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just been started."""
    for kept in ("_calendars", "_ladders", "_levels"):
        monkeypatch.setattr(versions, kept, {})


def upcoming(watched: Watched, kind: str, now: datetime) -> list[tuple[datetime, str]]:
    record = watched.record()
    with transaction():
        shown = schedule_of(record, now)["upcoming"]
    return [(step["at"], step["step"]) for step in shown if step["clock"] == kind]


def test_the_named_kinds_take_the_playbooks_steps_and_the_rest_the_tenants(
    tenant: TestTenant, company: Company
) -> None:
    """Four hours from 10:00 are due at 14:00: a quarter is 11:00. Five days of eight hours from Monday 11:30 are due
    there a week later; half of them is 5:30 of Monday, Tuesday's eight and 6:30 of Wednesday: 15:30."""
    publish(tenant, "Book", ladders={"acknowledge": ACKNOWLEDGE, "close": CLOSE})
    publish_ladder("plan", HALF)
    watched = Watched(tenant, company)
    assert upcoming(watched, "acknowledge", NOW) == [
        (march(2, 11), "25%"),
        (march(2, 13, 30), "-PT30M"),
        (march(2, 14), "0"),
        (march(2, 15), "+PT1H"),
        (march(2, 16), "+PT1H"),
    ]
    watched.sweep(march(2, 11))
    watched.do(service.acknowledge, march(2, 11, 30))
    watched.sweep(march(4, 15, 29))
    assert watched.log("plan") == []
    watched.sweep(march(4, 15, 30))
    assert watched.log("acknowledge") == [(march(2, 11), "25%", "owner")]
    watched.sweep(march(18))
    watched.sweep(march(20, 17))
    assert watched.log("plan") == [(march(4, 15, 30), "50%", "owner")]
    # due 1 April 10:00; fourteen days before is Wednesday the 18th, ten Sunday the 22nd, set to Friday's closing
    assert watched.log("close") == [
        (march(18), "-P14D", "csm"),
        (march(18), "-P14D", "owner"),
        (march(20, 17), "-P10D", "boss"),
    ]
    assert upcoming(watched, "close", march(23)) == [(april(1), "0")]


def test_a_later_version_and_a_retired_playbook_leave_open_cases_their_steps(
    tenant: TestTenant, company: Company
) -> None:
    """The acknowledgement that a new owner owes from 11:00 is due at 15:00; a quarter of it is noon."""
    book = publish(tenant, "Book", ladders={"acknowledge": ACKNOWLEDGE})
    watched = Watched(tenant, company)
    publish(tenant, "Book", ladders={"acknowledge": HALF})
    with transaction():
        books.retire_playbook(book, now=NOW)
    later = Watched(tenant, company)
    watched.do(service.assign, march(2, 11), to=NewOwner(owner_id=company.csm.id), reason="Knows it")
    assert upcoming(watched, "acknowledge", march(2, 11))[:2] == [(march(2, 12), "25%"), (march(2, 14, 30), "-PT30M")]
    assert upcoming(later, "acknowledge", NOW)[:2] == [(march(2, 13), "75%"), (march(2, 14), "0")]


def test_new_ladders_of_the_tenant_reach_open_cases_for_the_kinds_that_the_playbook_does_not_name(
    tenant: TestTenant, company: Company
) -> None:
    publish(tenant, "Book", ladders={"acknowledge": ACKNOWLEDGE})
    watched = Watched(tenant, company)
    publish_ladder("acknowledge", HALF)
    number = publish_ladder("close", HALF)
    shown = preview("ladder", march(2, 10, 30))
    assert numbers(shown) == (1, 0, 0, 0)
    done: Application = apply(tenant, "ladder", march(2, 10, 30))
    assert (done.phase, done.escalations) == ("done", 1)
    assert watched.record().ladder_number == number
    assert [step for _, step in upcoming(watched, "acknowledge", march(2, 10, 30))] == [
        "25%",
        "-PT30M",
        "0",
        *["+PT1H"] * 2,
    ]
    assert upcoming(watched, "close", march(2, 10, 30)) == [(march(17, 10), "50%")]
    watched.do(service.assign, march(2, 13), to=NewOwner(owner_id=company.csm.id), reason="Knows it")
    assert upcoming(watched, "acknowledge", march(2, 13))[0] == (march(2, 14), "25%")


def replace(watched: Watched, playbook_id: UUID, at: datetime) -> dict[str, Any]:
    """As shown just before; answers what was shown."""
    with transaction():
        shown = replacing.preview(watched.id, playbook_id, act=watched.act(at)).view()
    with transaction():
        act, digest = watched.act(at), shown["digest"]
        replacing.replace(watched.id, playbook_id, act=act, reason="Another", digest=digest)
    return shown


def test_replaced_in_flight_the_new_steps_begin_then_and_what_lies_behind_is_passed_over(
    tenant: TestTenant, company: Company
) -> None:
    """At 13:45 a quarter (11:00) and half an hour before (13:30) have gone by: they never fire, the due step does."""
    publish(tenant, "Plain", when={"field": "escalation.reason", "op": "=", "value": "other"})
    watched = Watched(tenant, company)
    book = publish(tenant, "Book", rank=900, ladders={"acknowledge": ACKNOWLEDGE, "decide": HALF})
    watched.sweep(march(2, 13))
    shown = replace(watched, book, march(2, 13, 45))
    changes = {one["kind"]: one for one in shown["ladders"]}
    assert set(changes) == {"acknowledge", "decide"}
    assert [(one["at"], one["step"]) for one in changes["acknowledge"]["passed_over"]] == [
        (march(2, 11), "25%"),
        (march(2, 13, 30), "-PT30M"),
    ]
    assert (changes["acknowledge"]["clocks"], changes["acknowledge"]["next_at"]) == (1, march(2, 14))
    assert [step["offset"] for step in changes["acknowledge"]["was"]] == ["75%", "0", "+P1D"]
    assert [step["offset"] for step in changes["acknowledge"]["becomes"]] == ["25%", "-PT30M", "0", "+PT1H"]
    assert (changes["decide"]["clocks"], changes["decide"]["next_at"]) == (0, None)
    assert watched.clock("acknowledge").due_at == march(2, 14)

    watched.sweep(march(2, 14))
    watched.sweep(march(2, 15))
    assert watched.log("acknowledge") == [
        (march(2, 13), "75%", "owner"),
        (march(2, 14), "0", "boss"),
        (march(2, 14), "0", "owner"),
        (march(2, 15), "+PT1H", "manager"),
    ]
    assert watched.log("acknowledge", "passed_over") == [(march(2, 11), "25%", "-"), (march(2, 13, 30), "-PT30M", "-")]


def test_a_clock_that_gets_another_time_and_other_steps_is_re_targeted_once(
    tenant: TestTenant, company: Company
) -> None:
    """One of six hours used at 11:00; of twelve, eleven are left: seven that day's to 17:00 less one, five on Tuesday,
    which is 14:00. Half of twelve is Monday 16:00."""
    tiers = {"tier_1": {"business_hours": 6}}
    when = {"field": "escalation.reason", "op": "=", "value": "other"}
    publish(tenant, "Old", when=when, tiers=[{"tier": "tier_1", "within": tiers["tier_1"]}])
    watched = Watched(tenant, company)
    book = publish(
        tenant,
        "New",
        rank=900,
        tiers=[{"tier": "tier_1", "within": {"business_hours": 12}}],
        ladders={"tier": [{"offset": "5%", "audience": ["owner"]}, *HALF]},
    )
    shown = replace(watched, book, march(2, 11))
    [tier] = shown["ladders"]
    assert [one["step"] for one in tier["passed_over"]] == ["5%"]  # 36 minutes after 10:00
    assert (shown["clocks"][0]["becomes"], tier["next_at"]) == (march(3, 14), march(2, 16))
    clock = watched.clock("tier")
    assert (clock.due_at, clock.entries, clock.due_version) == (march(3, 14), 2, 2)
    watched.sweep(march(2, 16))
    assert watched.log("tier") == [(march(2, 16), "50%", "owner")]


def test_a_paused_clock_takes_the_new_steps_when_it_runs_on(tenant: TestTenant, company: Company) -> None:
    """The tier has eight hours from Monday 10:00. Two are used when the wait begins at noon; resumed on Tuesday at
    9:00 the other six are over at 15:00. Half of the time is used up at 11:00."""
    path = [{"tier": "tier_1", "within": {"business_hours": 8}}]
    publish(tenant, "Plain", when={"field": "escalation.reason", "op": "=", "value": "other"}, tiers=path)
    watched = Watched(tenant, company)
    watched.do(service.acknowledge, march(2, 11))
    watched.do(service.wait, march(2, 12), on=Wait("internal", "the night build", march(3).date()))
    book = publish(tenant, "Book", rank=900, tiers=path, ladders={"tier": HALF})
    [change] = replace(watched, book, march(2, 13))["ladders"]
    assert (change["clocks"], change["passed_over"], change["next_at"]) == (1, [], None)
    watched.do(service.resume, march(3, 9))
    assert watched.clock("tier").due_at == march(3, 15)
    assert upcoming(watched, "tier", march(3, 9)) == [(march(3, 11), "50%")]


def test_the_replacing_is_a_sign_of_work_whose_next_cycle_takes_the_new_steps(
    tenant: TestTenant, company: Company
) -> None:
    """Forty hours from Tuesday 12:00 are over on the Tuesday after at noon; half: Thursday the 5th, 16:00."""
    publish(tenant, "Plain", when={"field": "escalation.reason", "op": "=", "value": "other"})
    watched = Watched(tenant, company)
    watched.do(service.acknowledge, march(2, 11))
    book = publish(tenant, "Book", rank=900, ladders={"still_on_it": [{"offset": "1%", "audience": ["csm"]}, *HALF]})
    [change] = replace(watched, book, march(3, 12))["ladders"]
    # 1 % of forty hours is 24 minutes
    assert (change["clocks"], change["passed_over"], change["next_at"]) == (1, [], march(3, 12, 24))
    assert (watched.clock("still_on_it").cycle, watched.clock("still_on_it").entries) == (2, 1)
    assert upcoming(watched, "still_on_it", march(3, 12)) == [(march(3, 12, 24), "1%"), (march(5, 16), "50%")]


def test_what_is_taken_up_again_goes_on_with_the_playbooks_steps(tenant: TestTenant, company: Company) -> None:
    """Resolved on the 3rd and refused on the 4th, both at 10:00. Verify: five days from the 3rd, a tenth is 14:00."""
    steps: Steps = [{"offset": "10%", "audience": ["csm"]}, {"offset": "0", "audience": [], "action": "close"}]
    publish(tenant, "Book", ladders={"verify": steps, "plan": HALF})
    watched = Watched(tenant, company)
    watched.do(service.acknowledge, march(2, 11))
    words = Resolution(summary="Fixed", root_cause="A bug", preventable=True)
    watched.do(service.resolve, march(3), resolution=words)
    watched.sweep(march(3, 14))
    assert watched.log("verify") == [(march(3, 14), "10%", "csm")]
    refused = Word(accepted=False, confirmed_by="Jo", channel="call")
    watched.do(service.verify, march(4), word=refused)
    # 40 hours from Monday 11:00, 7 of them used and the day in `resolved` left out: 20 are used on Thursday at 15:00
    assert upcoming(watched, "plan", march(4)) == [(march(5, 15), "50%")]


def test_silence_closes_the_case_by_the_playbooks_ladder_of_verify(tenant: TestTenant, company: Company) -> None:
    publish(tenant, "Book", ladders={"verify": [{"offset": "0", "audience": [], "action": "close"}]})
    watched = Watched(tenant, company)
    watched.do(service.acknowledge, march(2, 11))
    words = Resolution(summary="Fixed", root_cause="A bug", preventable=True)
    watched.do(service.resolve, march(3), resolution=words)
    watched.sweep(march(10))
    assert (watched.record().status, watched.record().verification) == ("closed", "unanswered")
    assert watched.log("verify") == []


def test_a_tier_moves_on_by_itself_when_the_playbooks_ladder_says_so(tenant: TestTenant, company: Company) -> None:
    """Two hours for tier 1, over at noon; its ladder leaves an hour more."""
    steps: Steps = [{"offset": "0", "audience": ["owner"]}, {"offset": "+PT1H", "audience": [], "action": "escalate"}]
    path = [{"tier": "tier_1", "within": {"business_hours": 2}, "automatic": True}, {"tier": "management"}]
    publish(tenant, "Book", tiers=path, ladders={"tier": steps})
    watched = Watched(tenant, company)
    watched.sweep(march(2, 12))
    assert (watched.record().tier, watched.log("tier")) == ("tier_1", [(march(2, 12), "0", "owner")])
    watched.sweep(march(2, 13))
    assert watched.record().tier == "management"


def test_a_request_waits_for_its_approval_by_the_playbooks_ladder(
    tenant: TestTenant, company: Company, client: ApiClient
) -> None:
    """Eight hours from Monday 10:00; half of them at 14:00."""
    asked = {"approval": {"asked": True, "approvers": [company.boss.email]}}
    present = client.get("/api/v1/settings").headers["ETag"]
    assert client.patch("/api/v1/settings", json=asked, headers={"If-Match": present}).status_code == 200
    publish(tenant, "Book", ladders={"decide": [{"offset": "50%", "audience": ["approver_manager"]}]})
    watched = Watched(tenant, company, raised_by=company.csm)
    assert watched.record().status == "requested"
    assert upcoming(watched, "decide", NOW) == [(march(2, 14), "50%")]


def test_tasks_take_the_playbooks_ladder_and_keep_what_ends_out_of_it(tenant: TestTenant, company: Company) -> None:
    """`call` is due at 14:00; an hour before is 13:00."""
    call = {"key": "call", "title": "Call", "due": {"business_hours": 4}}
    gone = {"key": "gone", "title": "Gone", "due": {"business_hours": 2}}
    when = {"field": "escalation.reason", "op": "=", "value": "other"}
    publish(tenant, "Old", when=when, tasks=[call, gone])
    watched = Watched(tenant, company)
    steps = [{"offset": "-PT1H", "audience": ["owner"]}]
    book = publish(tenant, "New", rank=900, tasks=[call], ladders={"task": steps})
    [change] = replace(watched, book, march(2, 11))["ladders"]
    assert (change["kind"], change["clocks"], change["next_at"]) == ("task", 1, march(2, 13))
    assert upcoming(watched, "task", march(2, 11)) == [(march(2, 13), "-PT1H")]


def test_a_step_that_goes_by_between_the_preview_and_the_doing_is_shown_anew(
    tenant: TestTenant, company: Company
) -> None:
    publish(tenant, "Plain", when={"field": "escalation.reason", "op": "=", "value": "other"})
    watched = Watched(tenant, company)
    book = publish(tenant, "Book", rank=900, ladders={"acknowledge": ACKNOWLEDGE})
    with transaction():
        digest = replacing.preview(watched.id, book, act=watched.act(march(2, 10, 30))).digest()
    with transaction():
        same = replacing.preview(watched.id, book, act=watched.act(march(2, 10, 59))).digest()
    assert digest == same
    with pytest.raises(replacing.ShownOtherwise), transaction():
        replacing.replace(watched.id, book, act=watched.act(march(2, 11)), reason="Another", digest=digest)


def test_the_tenants_ladders_show_nothing_of_a_playbooks_and_keep_their_numbers_apart(
    tenant: TestTenant, client: ApiClient
) -> None:
    publish(tenant, "Book", ladders={"plan": HALF})
    assert client.get("/api/v1/ladders/plan").json["number"] == 1
    assert [one["number"] for one in client.get("/api/v1/ladders/plan/versions").json["items"]] == [1]
    made = client.post("/api/v1/ladders", json={"kind": "reply", "steps": HALF})
    assert (made.status_code, made.json["number"]) == (201, 3)  # 2 is the playbook's
    with transaction():
        assert [step.offset for step in find_ladders(3)["plan"]] == ["75%", "0", "+P1D"]
        assert [step.offset for step in find_ladders(2)["plan"]] == ["50%"]


def test_a_raise_and_a_sweep_cost_as_many_statements_with_a_playbooks_ladders(
    tenant: TestTenant, company: Company, statements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept by the process that raises first, nor by the one that sweeps."""
    by_kind: dict[str, Steps] = {kind: [*HALF, {"offset": "0", "audience": ["owner"]}] for kind in CLOCK_KINDS}
    by_kind["verify"] = [{"offset": "0", "audience": [], "action": "close"}]
    publish(tenant, "Book", updates={"executive": {"business_days": 2}}, ladders=by_kind)
    Watched(tenant, company)
    with statements() as sent:
        watched = Watched(tenant, company)
    assert len(sent) <= 16, sent
    forget(monkeypatch)
    with statements() as sent:
        assert sweep_batch(tenant.id, march(2, 12)) == Swept(fired=2, more=False)
    assert len(sent) <= 9, sent
    assert watched.log("acknowledge") == [(march(2, 12), "50%", "owner")]


def test_another_calendar_moves_the_clocks_and_leaves_them_their_steps(tenant: TestTenant, company: Company) -> None:
    """From 10:30 the tenant closes at 13:00 and opens on at 9:00: of the four hours half an hour was used, two and a
    half are left that day, and one on Tuesday. 25 % is one hour: 11:00. Half an hour before 10:00 is 9:30."""
    publish(tenant, "Book", ladders={"acknowledge": ACKNOWLEDGE})
    watched = Watched(tenant, company)
    short = {"timezone": "UTC", "weekly": {day: [["09:00", "13:00"]] for day in calendars.WORKDAYS}}
    with transaction():
        calendars.publish_calendar("default", short, now=NOW)
    assert apply(tenant, "calendar", march(2, 10, 30)).escalations == 1
    assert watched.clock("acknowledge").due_at == march(3, 10)
    assert upcoming(watched, "acknowledge", march(2, 10, 30))[:3] == [
        (march(2, 11), "25%"),
        (march(3, 9, 30), "-PT30M"),
        (march(3, 10), "0"),
    ]


YAML = """\
name: Strategic
about: Higher, and earlier.
ladders:
  close:
    - {offset: -P20D, audience: [sponsor]}
    - {offset: "0", audience: [owner, sponsor]}
"""


def test_from_a_file_to_the_schedule_of_a_case_and_back(
    client: ApiClient, tenant: TestTenant, raise_case: Callable[..., dict[str, Any]]
) -> None:
    saved = client.post("/api/v1/playbook-files", data=YAML.encode(), content_type="application/yaml")
    assert saved.status_code == 201, saved.text
    book = saved.json["id"]
    assert client.post(f"/api/v1/playbooks/{book}/publish", json={}).status_code == 200
    exported = client.get(f"/api/v1/playbooks/{book}/versions/1.yaml").text
    again = client.post("/api/v1/playbook-files", data=exported.encode(), content_type="application/yaml")
    assert (again.status_code, again.json["draft"]) == (201, saved.json["definition"])

    path = f"/api/v1/escalations/{raise_case()['id']}"
    steps = client.get(f"{path}/schedule").json["upcoming"]
    assert [(one["step"], one["recipients"]) for one in steps if one["clock"] == "close"] == [
        ("-P20D", ["boss@example.com"]),
        ("0", ["boss@example.com", "owner@example.com"]),
    ]
    assert client.get(f"{path}/playbook").json["ladders"] == ["close"]
    plain = publish(tenant, "Plain", rank=900)
    shown = client.post(f"{path}/playbook/preview", json={"playbook_id": str(plain)}).json
    [close] = shown["ladders"]
    assert (close["kind"], close["clocks"], close["passed_over"]) == ("close", 1, [])
    assert [step["offset"] for step in close["becomes"]][:2] == ["50%", "-P7D"]
    body = {"playbook_id": str(plain), "reason": "As everybody", "digest": shown["digest"]}
    assert client.post(f"{path}/playbook", json=body).status_code == 200
    steps = client.get(f"{path}/schedule").json["upcoming"]
    assert [one["step"] for one in steps if one["clock"] == "close"][:3] == ["50%", "-P7D", "-P3D"]
    assert client.get(f"{path}/playbook").json["ladders"] == []


def test_replaced_at_the_very_moment_of_the_raise_the_new_steps_begin_at_their_foot(
    tenant: TestTenant, company: Company
) -> None:
    """The first of the old steps is due at 13:00, the first of the new ones at 11:00."""
    publish(tenant, "Plain", when={"field": "escalation.reason", "op": "=", "value": "other"})
    watched = Watched(tenant, company)
    book = publish(tenant, "Book", rank=900, ladders={"acknowledge": ACKNOWLEDGE})
    replace(watched, book, NOW)
    watched.sweep(march(2, 11))
    assert watched.log("acknowledge") == [(march(2, 11), "25%", "owner")]


def adopt(tenant: TestTenant, key: str) -> None:
    with transaction():
        made = books.save_playbook(definition_of(key), actor=tenant.actor, now=NOW)
        books.publish_playbook(made.id)


def test_in_a_major_outage_executives_hear_early_and_an_idle_owner_loses_the_case(
    tenant: TestTenant, company: Company
) -> None:
    """Tier 1 has an hour: 11:00. Four hours to acknowledge: 14:00, half of them 12:00, 75 % 13:00; two hours after it
    was due somebody else gets it. 10 % of the thirty days is Thursday 10:00, a quarter Monday the 9th at 22:00, which
    is set to that day's closing."""
    adopt(tenant, "major_outage")
    watched = Watched(tenant, company)
    watched.id = watched.raise_case(severity=1, reason="prolonged_outage")
    for hour, minute in ((10, 30), (11, 0), (12, 0), (13, 0), (14, 0)):
        watched.sweep(march(2, hour, minute))
    assert watched.log("tier") == [
        (march(2, 10, 30), "50%", "owner"),
        *((march(2, 11), "0", who) for who in ("boss", "manager", "owner")),
    ]
    assert watched.record().tier == "tier_3"
    assert watched.log("acknowledge") == [
        (march(2, 12), "50%", "owner"),
        *((march(2, 13), "75%", who) for who in ("manager", "owner")),
        *((march(2, 14), "0", who) for who in ("boss", "manager", "owner")),
    ]
    owner_id = watched.record().owner_id
    watched.sweep(march(2, 15, 59))
    assert watched.record().owner_id == owner_id
    watched.sweep(march(2, 16))
    assert watched.record().owner_id != owner_id
    assert upcoming(watched, "close", march(2, 16))[:2] == [(march(5), "10%"), (march(9, 17), "25%")]


def test_with_a_renewal_at_risk_the_sponsor_hears_two_weeks_before_and_a_decision_is_asked_for_in_the_end(
    tenant: TestTenant, company: Company
) -> None:
    """The contract ends on the 30th of April, within ninety days. Due Wednesday 1 April 10:00."""
    with transaction():
        accounts.upsert_contract("crm", "A-1", "K-1", {"ends_on": "2026-04-30"}, now=NOW)
    adopt(tenant, "renewal_at_risk")
    watched = Watched(tenant, company)
    watched.do(service.acknowledge, march(2, 11))
    close = upcoming(watched, "close", march(2, 11))
    # a quarter of thirty days is Monday the 9th at 22:00, set to the closing; three before is a Sunday
    assert [(at, step) for at, step in close[:8]] == [
        (march(9, 17), "25%"),
        (march(17), "50%"),
        (march(18), "-P14D"),
        (march(25), "-P7D"),
        (march(27, 17), "-P3D"),
        (march(31), "-P1D"),
        (april(1), "0"),
        (april(1), "0"),
    ]
    for day in (9, 17, 18, 25, 27, 31):
        watched.sweep(march(day, 17))
    heard = [(at, step) for at, step, who in watched.log("close") if who == "boss"]
    assert heard == [(march(18), "-P14D"), (march(25), "-P7D"), (march(31), "-P1D")]
    assert watched.log("close", "done") == []
    watched.sweep(april(1))
    assert watched.log("close", "done") == [(april(1), "0", "-")]
    with transaction():
        asked = select(Task.title).where(Task.escalation_id == watched.id, Task.kind == "decision")
        assert len(db.session.scalars(asked).all()) == 1
