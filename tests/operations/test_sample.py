from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from app import clock
from app.auth import queries as auth
from app.db import db, finding, tenant_scope, transaction
from app.escalations import timeline
from app.escalations.models import Escalation
from app.operations.sample.build import build
from app.operations.sample.checkins import check_ins
from app.operations.sample.days import last_working_day, working_day
from app.operations.sample.player import Beat, beats
from app.operations.sample.story import read_cases
from app.operations.sample.welcome import SIGN_INS, ensure, find_sample
from app.routing import service as routing
from app.routing.decide import decide, rerun
from app.routing.models import Decision
from app.routing.people import Inputs
from app.routing.policies import compiled
from app.sla.cli import verify_tenants

FRIDAY_EVENING = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
CLOCKS_CHANGED = datetime(2026, 3, 11, 12, tzinfo=UTC)  # in America, not yet in Europe
NEW_YEAR = datetime(2027, 1, 1, 0, 5, tzinfo=UTC)

CASES = text(
    """
    select e.title, e.status, e.outcome, e.verification, e.severity, e.tier, e.raised_at, e.due_at, e.closed_at,
           e.value_amount, e.restricted, a.region, u.email as owner
    from escalation e join account a on a.id = e.account_id left join "user" u on u.id = e.owner_id order by e.number
    """
)
LIVE = {"open", "in_progress", "waiting", "resolved"}
BY_STATUS = {
    "requested": 2,
    "declined": 2,
    "open": 3,
    "in_progress": 7,
    "waiting": 4,
    "resolved": 2,
    "closed": 8,
    "merged": 2,
}
OUTCOMES = {"resolved": 4, "unresolved": 1, "withdrawn": 1, "customer_silent": 1, "mistaken": 1}


@pytest.fixture(scope="module")
def built(app: Flask) -> Iterator[UUID]:
    with app.app_context():
        tenant_id = build(now=FRIDAY_EVENING)
        with tenant_scope(tenant_id):
            yield tenant_id
        db.session.remove()


def rows(question: Any = CASES) -> list[dict[str, Any]]:
    with transaction():
        return [dict(row) for row in db.session.execute(question).mappings()]


def count(question: str) -> dict[Any, int]:
    with transaction():
        return {row[0]: row[1] for row in db.session.execute(text(question))}


def test_forty_accounts_stand_in_three_regions_with_contracts_in_two_currencies(built: UUID) -> None:
    assert count("select region, count(*) from account group by 1") == {"Americas": 15, "EMEA": 14, "APAC": 11}
    assert count("select currency, count(*) from contract group by 1") == {"USD": 28, "EUR": 16}
    assert count("select currency, count(*) from rate group by 1") == {"EUR": 13}
    assert count("select 'parents', count(*) from account where parent_external_id is not null") == {"parents": 3}


def test_the_health_of_two_accounts_fell_within_the_last_months(built: UUID) -> None:
    fell = (
        "select a.name, (h.changes -> 'health' ->> 0)::int - a.health from account_history h"
        " join account a on a.id = h.account_id where h.changes ? 'health'"
    )
    assert count(fell) == {"Cobalt Ridge Energy": 29, "Tasman Ferries": 26}


def test_twelve_people_work_in_three_teams_below_one_executive(built: UUID) -> None:
    people = count('select role, count(*) from "user" group by 1')
    assert people == {"admin": 1, "executive": 1, "manager": 3, "csm": 5, "specialist": 2, "integration": 1}
    assert count("select 'teams', count(*) from team") == {"teams": 3}


def test_people_have_skills_and_hours_and_a_newcomer_weighs_half(built: UUID) -> None:
    masters = count("select s.name, count(*) from user_skill join skill s on s.id = skill_id group by 1")
    assert masters["incident command"] == masters["billing"] == masters["audit"] == 3
    assert count('select calendar, count(*) from "user" where calendar is not null group by 1') == {
        "Long day": 3,
        "Four-day week": 1,
    }
    assert count("select 'teams', count(*) from team where calendar is null") == {"teams": 0}
    half = 'select u.name, m.weight from membership m join "user" u on u.id = m.user_id where m.weight < 1'
    assert count(half) == {"Marco Bellini": Decimal("0.5")}


def test_decisions_show_skills_hours_and_weights_at_work(built: UUID) -> None:
    left_out = (
        "select code, count(*) from decision, jsonb_each(excluded) as left_out (code, ids)"
        " where code in ('out_of_hours', 'lacks_skill', 'lacks_preferred') group by 1"
    )
    assert set(count(left_out)) == {"out_of_hours", "lacks_skill", "lacks_preferred"}
    weighed = (
        "select candidate ->> 'weight', count(*) from decision, jsonb_array_elements(candidates) candidate group by 1"
    )
    assert {weight is not None and float(weight) for weight in count(weighed)} >= {0.5, 1.0}
    assert count("select failure, count(*) from decision group by 1").keys() == {None}


def test_thirty_escalations_stand_in_every_status_and_outcome(built: UUID) -> None:
    cases = rows()
    assert Counter(case["status"] for case in cases) == BY_STATUS
    assert Counter(case["outcome"] for case in cases if case["outcome"]) == OUTCOMES
    assert {case["severity"] for case in cases} == {1, 2, 3, 4}
    assert Counter(case["verification"] for case in cases if case["verification"]) == {"confirmed": 3, "unanswered": 1}


def test_exactly_two_live_cases_are_past_their_thirty_days(built: UUID) -> None:
    overdue = [case for case in rows() if case["status"] in LIVE and case["due_at"] < FRIDAY_EVENING]
    assert {case["title"] for case in overdue} == {
        "Month-end export stops at 50,000 rows",
        "Audit trail promised for September is still not there",
    }


def test_every_live_case_has_an_owner_and_a_value(built: UUID) -> None:
    live = [case for case in rows() if case["status"] in LIVE]
    assert len(live) == 16
    assert all(case["owner"] and case["value_amount"] > 0 for case in live)


def test_every_timeline_verifies(built: UUID) -> None:
    with transaction():
        verified = [timeline.verify(case) for case in db.session.scalars(select(Escalation))]
    assert all(found["intact"] for found in verified)
    assert sum(found["events"] for found in verified) > 300


def test_every_clock_is_what_its_ledger_says(built: UUID) -> None:
    compared = list(verify_tenants([built]))
    assert sum(batch.count for batch in compared) > 100
    assert [str(one) for batch in compared for one in batch.differences] == []


def decisions() -> list[Decision]:
    return list(db.session.scalars(select(Decision).order_by(Decision.id)))


def test_every_decision_made_again_from_its_own_record_gives_the_same_owner(built: UUID) -> None:
    with transaction():
        kept = decisions()
        assert [routing.rerun(decision) for decision in kept] == [decision.owner_id for decision in kept]
        by_rule = [decision for decision in kept if decision.rules]
        assert len(by_rule) > 25
        for decision in by_rule:  # not the owner alone: what was looked at, and the words for it
            again = decide(compiled(decision.policy_number), Inputs.of(decision.inputs))
            assert again.rules == decision.rules
            assert again.candidates == decision.candidates
            assert again.excluded == decision.excluded
            assert (again.rule, again.why, again.failure) == (decision.rule, decision.why, decision.failure)


def test_a_record_that_was_tampered_with_gives_another_owner(built: UUID) -> None:
    """Of every decision by rule: had its owner left, were the case about them, or had they been full, it were not
    theirs; stand-ins need no room."""
    tampered = 0
    with transaction():
        for decision in decisions():
            if not decision.rules:
                continue
            owner = str(decision.owner_id)
            people = decision.inputs["people"]
            changed = [
                {"people": {**people, owner: {**people[owner], "active": False}}},
                {"about_user_id": owner},
            ]
            if decision.failure is None:
                changed.append({"people": {**people, owner: {**people[owner], "load": "1000"}}})
            for change in changed:
                assert rerun(compiled(decision.policy_number), {**decision.inputs, **change}) != owner
                tampered += 1
    assert tampered > 75


def test_nothing_lies_in_the_future_of_the_sample(built: UUID) -> None:
    latest = rows(text("select max(at) as at, max(recorded_at) as recorded_at from event"))[0]
    assert max(latest.values()) <= FRIDAY_EVENING


def test_it_is_a_sandbox_whose_clock_has_come_to_the_present(built: UUID) -> None:
    with transaction():
        tenant = auth.get_tenant()
        assert tenant.sandbox
        assert abs(clock.now() - FRIDAY_EVENING) < timedelta(minutes=2)


def test_reminders_and_breaches_happened_at_their_own_moments(built: UUID) -> None:
    sent = rows(text("select at, fired_at, outcome from step_log where outcome = 'sent'"))
    assert len(sent) > 300
    assert all(abs(step["fired_at"] - step["at"]) < timedelta(minutes=1) for step in sent)


def test_every_address_is_one_that_cannot_exist(built: UUID) -> None:
    addresses = rows(text('select email from "user" union select email from contact'))
    assert all(row["email"].endswith(".example") for row in addresses)


def test_the_same_day_gives_the_same_content(built: UUID, app: Flask) -> None:
    first = rows()
    with tenant_scope(build(now=FRIDAY_EVENING)):
        assert rows() == first


@pytest.mark.parametrize("now", [FRIDAY_EVENING, CLOCKS_CHANGED, NEW_YEAR])
def test_on_any_day_the_story_is_over_and_its_overdue_cases_are_raised_thirty_days_before(now: datetime) -> None:
    told = beats(read_cases(), last_working_day(now))
    assert max(beat.at for beat in told) <= now
    raised = {beat.case.key: beat.at for beat in told if beat.step is None}
    assert raised["bluestem-exports"] < now - timedelta(days=31)
    assert raised["rheintal-audit"] < now - timedelta(days=31)
    assert raised["dorado-validation"] < now - timedelta(days=31)  # its extension is what keeps it in time


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-21T12:00:00+00:00", "2026-11-20"),  # Saturday: Friday is over everywhere
        ("2026-11-21T01:59:00+00:00", "2026-11-19"),  # 17:59 on Friday in Los Angeles
        ("2026-11-23T12:00:00+00:00", "2026-11-20"),  # Monday noon
        ("2026-11-25T03:00:00+00:00", "2026-11-24"),  # 19:00 on Tuesday in Los Angeles
    ],
)
def test_the_last_working_day_is_over_in_every_zone(now: str, day: str) -> None:
    assert last_working_day(datetime.fromisoformat(now)).isoformat() == day


@pytest.mark.parametrize(
    ("days", "day"), [(0, "2026-11-20"), (1, "2026-11-23"), (-4, "2026-11-16"), (-5, "2026-11-13"), (-22, "2026-10-21")]
)
def test_working_days_pass_over_weekends(days: int, day: str) -> None:
    friday = last_working_day(datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert working_day(friday, days).isoformat() == day


def test_check_ins_keep_the_rhythm_until_the_case_ends() -> None:
    told = [(0, "10:00", "acknowledge"), (0, "11:00", "update"), (5, "09:00", "update"), (6, "09:00", "resolve")]
    added = [(day, time) for day, time, _ in check_ins(told, severity=2, until=20, seed=0)]
    assert added == [(2, "11:00"), (4, "11:00")]


def test_a_quiet_case_of_low_severity_gets_no_check_ins() -> None:
    assert list(check_ins([(0, "11:00", "update")], severity=3, until=20, seed=0)) == []


def test_every_case_and_colleague_of_the_story_is_named_once() -> None:
    keys = [case.key for case in read_cases()]
    assert len(keys) == len(set(keys)) == 30


def tenant_ids() -> set[UUID]:
    with finding() as session:
        return set(session.scalars(text("select id from tenant")))


def test_a_start_that_breaks_in_the_middle_of_the_sample_leaves_nothing_and_the_next_one_makes_it(
    app: Flask, tmp_path: Path
) -> None:
    @contextmanager
    def until_the_power_fails(story: Sequence[Beat]) -> Iterator[Iterable[Beat]]:
        def told() -> Iterator[Beat]:
            yield from story[:3]
            raise KeyboardInterrupt

        yield told()

    with app.app_context():
        before = tenant_ids()
        with pytest.raises(KeyboardInterrupt):
            ensure(tmp_path, follow=until_the_power_fails)
        assert tenant_ids() == before
        assert find_sample(tmp_path) is None
        ensure(tmp_path, follow=lambda story: nullcontext(story[:3]))
        (made,) = tenant_ids() - before
        assert find_sample(tmp_path).tenant_id == str(made)  # type: ignore[union-attr]
        with transaction(tenant=made) as session:
            assert session.scalar(text("select count(*) from api_token")) == len(SIGN_INS)
        db.session.remove()
