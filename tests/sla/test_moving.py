"""Bringing a case's clocks to other versions: nothing used is given back, nothing falls due before its own moment."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import new_id, transaction
from app.sla import levels, service
from app.sla.clocks import Clocks
from app.sla.ledger import Target
from app.sla.moving import CaseNow, bring
from app.sla.service import Basis
from tests import NOW
from tests.conftest import TestTenant

CASE = CaseNow(severity=3, tier="tier_1", working=True)
HOURS = (1, 2, 3, 5, 8, 13)


@pytest.fixture
def bases(tenant: TestTenant) -> dict[int, Basis]:
    """The basis under a level that promises the first answer within so many business hours."""
    found = {}
    for hours in HOURS:
        with transaction():
            levels.publish_level("gold", {"respond": {"business_hours": hours}}, now=NOW)
        with transaction():
            found[hours] = service.basis(level_names=["gold"], now=NOW)
    return found


def opened(basis: Basis, kind: str = "respond", target: Target | None = None) -> Clocks:
    """One clock of a case that is nowhere stored, begun at NOW."""
    case_id = new_id()
    started = service.start_clock(
        kind, escalation_id=case_id, basis=basis, at=NOW, now=NOW, target=target, severity=3, cycle=1, subject="-"
    )
    return Clocks(case_id, [started])


def test_what_was_used_stays_used_and_no_promise_falls_due_before_it_was_made(
    tenant: TestTenant, bases: dict[int, Basis]
) -> None:
    """Any sequence of tighter and softer promises at any times, the clock never met."""

    @settings(max_examples=150, deadline=None, database=None)
    @given(
        st.sampled_from(HOURS),
        st.lists(st.tuples(st.sampled_from(HOURS), st.integers(1, 900)), min_size=1, max_size=6),
    )
    def holds(first: int, changes: list[tuple[int, int]]) -> None:
        clocks, now, at = opened(bases[first]), first, NOW
        for hours, minutes in changes:
            at += timedelta(minutes=minutes)
            check_one(clocks, bases[now], bases[hours], hours, at)
            now = hours

    with transaction():
        holds()


def check_one(clocks: Clocks, old: Basis, new: Basis, hours: int, at: datetime) -> None:
    calendar = new.calendar
    row = clocks.get("respond")
    assert row is not None
    stood = row.due_at
    shifts = bring(clocks, CASE, old=old, new=new, at=at, because="gold")
    if old == new:
        assert shifts == []
        return
    used = calendar.between(NOW, at)
    left = hours * 3600 - used
    assert row.elapsed_seconds == used
    assert stood is not None
    if left > 0:
        assert (row.state, row.due_at) == ("running", calendar.add(at, left))
    else:  # broken already it stays due as it was; else it is due now, not before
        assert (row.state, row.due_at) == ("breached", min(stood, at))
    assert shifts[0].was == stood


def test_a_promise_given_for_one_clock_alone_follows_only_a_level_that_states_its_kind(
    tenant: TestTenant, bases: dict[int, Basis]
) -> None:
    with transaction():
        levels.publish_level("gold", {"reply": {"business_hours": 2}}, now=NOW)
    with transaction():
        silent = service.basis(level_names=["gold"], now=NOW)
        own = opened(bases[5], target=Target("business_seconds", 7 * 3600))
        assert bring(own, CASE, old=bases[5], new=silent, at=NOW, because="gold") == []
        [shift] = bring(own, CASE, old=silent, new=bases[3], at=NOW, because="gold")
    assert (shift.was, shift.becomes) == (NOW + timedelta(hours=7), NOW + timedelta(hours=3))


def test_where_the_level_falls_silent_the_settings_speak(tenant: TestTenant, bases: dict[int, Basis]) -> None:
    with transaction():
        levels.publish_level("gold", {"reply": {"business_hours": 2}}, now=NOW)
    with transaction():
        silent = service.basis(level_names=["gold"], now=NOW)
        [shift] = bring(opened(bases[5]), CASE, old=bases[5], new=silent, at=NOW, because="gold")
    assert shift.becomes == NOW + timedelta(days=1)  # one business day


@pytest.mark.parametrize("kind", ["close", "acknowledge", "plan", "verify"])
def test_a_level_moves_no_clock_that_it_does_not_promise(
    tenant: TestTenant, bases: dict[int, Basis], kind: str
) -> None:
    with transaction():
        clocks = opened(bases[5], kind)
        assert bring(clocks, CASE, old=bases[5], new=bases[1], at=NOW + timedelta(hours=1), because="gold") == []
