"""The bars of promises: places in percent, worked out by hand on a bar of ten days."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from app.panels.clock_bars import bars_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(number):
    return START + timedelta(days=number)


@dataclass
class View:
    """A clock as the overview gives it: due on the tenth day unless said."""

    due: float | None = 10
    original: float | None = None
    state: str = "running"
    entries: list[Any] = field(default_factory=list)
    kind: str = "close"

    def seen(self):
        due_at = day(self.due) if self.due is not None else None
        original = day(self.original) if self.original is not None else due_at
        state = SimpleNamespace(
            state=self.state, cycle_started_at=START, due_at=due_at, original_due_at=original, flags=(), void=()
        )
        row = SimpleNamespace(id=self.kind, kind=self.kind, subject="-", cycle=1)
        return SimpleNamespace(state=state, row=row, entries=self.entries)


def entry(type_, at, seq=1):
    return SimpleNamespace(type=type_, at=day(at), seq=seq)


def coming(at, view, *roles):
    return SimpleNamespace(at=day(at), clock=view.row, action="notify", roles=roles)


def line(at, outcome, clock="close"):
    return {"clock_id": clock, "cycle": 1, "at": day(at), "outcome": outcome}


def bar(view, steps=(), sent=(), now=3):
    [found] = bars_of([view], steps, sent, now=day(now))
    return found


def test_a_bar_reaches_from_start_to_due_and_is_filled_to_now():
    found = bar(View().seen())
    assert (found.used, found.due_x, found.original_x) == (30, 100, None)


def test_of_a_missed_promise_the_due_time_is_a_mark_on_the_way_to_now():
    found = bar(View(state="breached").seen(), now=20)
    assert (found.used, found.due_x, found.is_late) == (100, 50, True)


def test_an_extended_promise_keeps_the_mark_of_its_first_due_time():
    found = bar(View(due=20, original=10).seen())
    assert (found.used, found.original_x, found.is_extended) == (15, 50, True)


def test_stretches_that_stood_still_are_places_with_widths():
    pauses = [entry("pause", 1), entry("resume", 2, 2), entry("pause", 5, 3)]
    found = bar(View(due=None, original=10, state="paused", entries=pauses).seen(), now=8)
    assert found.paused == ((10, 10), (50, 30))
    assert found.due_x is None


def test_reminders_are_hollow_to_come_filled_when_sent_and_crossed_when_held_back():
    view = View().seen()
    steps = [coming(5, view, "owner"), coming(15, view, "owner")]
    sent = [line(1, "suppressed"), line(2, "sent"), line(2, "suppressed"), line(2.5, "sent", clock="other")]
    found = bar(view, steps, sent)
    assert [(tick.x, tick.mark) for tick in found.ticks] == [(10, "suppressed"), (20, "sent"), (50, "coming")]


def test_what_happens_next_is_the_first_step_to_come():
    view = View().seen()
    found = bar(view, [coming(5, view, "owner", "csm"), coming(6, view, "owner")])
    assert (found.next.at, found.next.roles) == (day(5), ("owner", "csm"))


def test_what_comes_first_stands_first_and_what_stands_still_last():
    views = [View(due=None, original=10, state="paused", kind="tier"), View(due=9), View(due=4, kind="plan")]
    found = bars_of([view.seen() for view in views], (), (), now=day(3))
    assert [one.kind for one in found] == ["plan", "close", "tier"]


def test_promises_that_ended_have_no_bar():
    assert bars_of([View(state="met").seen()], (), (), now=day(3)) == []
