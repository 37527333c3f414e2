"""The way up the tiers told from events: each stage with its answer, time, attempts and hop."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.escalations.path import Said, Stage, not_again, stage_of, stages_of, tried
from app.sla.calendar import compile_calendar

PATH = ("tier_1", "tier_2", "tier_3", "vendor", "management")
OFFICE = {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
ANN, BEN = {"name": "Ann"}, {"name": "Ben"}


def at(day: int, hour: int) -> datetime:
    """Monday is the 2nd of March 2026."""
    return datetime(2026, 3, day, hour, tzinfo=UTC)


class Tale:
    """Events in order, each with the next number."""

    def __init__(self) -> None:
        self.events: list[Said] = []

    def then(self, kind: str, moment: datetime, by: Any = ANN, texts: Any = None, **facts: Any) -> "Tale":
        self.events.append(Said(len(self.events) + 1, kind, moment, by, facts, texts or {}))
        return self

    def stages(self, *, live: bool = True) -> tuple[Stage, ...]:
        return stages_of(self.events, PATH, calendar=compile_calendar(OFFICE), live=live)


def begun() -> Tale:
    return Tale().then("raise", at(2, 10), tier="tier_1")


def test_a_case_that_waits_for_approval_has_its_way_ahead() -> None:
    tale = Tale().then("request", at(2, 10)).then("attempt", at(2, 11), texts={"what": "Restart", "result": "none"})
    stages = tale.stages()
    assert [(stage.tier, stage.state) for stage in stages] == [(tier, "ahead") for tier in PATH]
    assert [one.what for one in stages[0].attempts] == ["Restart"]


def test_each_hop_leaves_a_tier_with_its_reason_brief_and_who_did_it() -> None:
    tale = begun().then(
        "escalate",
        at(3, 12),
        texts={"brief": "All tried."},
        tier="tier_2",
        reason="time",
        automatic=False,
        passed_over=[],
    )
    first, second, *ahead = tale.stages()

    assert (first.state, first.entered_at, first.left_at, first.left_by) == ("left", at(2, 10), at(3, 12), ANN)
    assert (first.reason, first.automatic, first.brief) == ("time", False, "All tried.")
    assert (second.tier, second.state, second.entered_at, second.left_at) == ("tier_2", "current", at(3, 12), None)
    assert [(stage.tier, stage.state) for stage in ahead] == [
        ("tier_3", "ahead"),
        ("vendor", "ahead"),
        ("management", "ahead"),
    ]


def test_an_answer_says_how_much_open_time_it_took() -> None:
    """Monday 10:00 to Tuesday 12:00: 7 hours on Monday, 3 on Tuesday."""
    [first, *_] = begun().then("qualify", at(3, 12), BEN, {"reason": "Known"}, resolvable=True).stages()

    assert first.answer is not None
    assert (first.answer.word, first.answer.by, first.answer.reason) == ("yes", BEN, "Known")
    assert first.answer.after_seconds == 10 * 3600
    assert first.worked_by == BEN


HOP = {"tier": "tier_2", "reason": "severity", "passed_over": []}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([("escalate", {**HOP, "automatic": False})], [("moved_up", "severity")]),
        ([("escalate", {**HOP, "automatic": True})], [("unanswered", None)]),
        (
            [("qualify", {"resolvable": False, "reason": "uncertainty"}), ("escalate", {**HOP, "automatic": False})],
            [("no", "uncertainty")],
        ),
        (
            [("qualify", {"resolvable": True}), ("escalate", {**HOP, "automatic": False})],
            [("yes", None), ("moved_up", "severity")],
        ),
        ([("qualify", {"resolvable": True}), ("escalate", {**HOP, "automatic": True})], [("yes", None)]),
        ([("resolve", {})], [("resolved", None)]),
        ([("qualify", {"resolvable": True}), ("resolve", {})], [("yes", None)]),
        ([("resolve", {}), ("escalate", {**HOP, "automatic": False})], [("resolved", None), ("moved_up", "severity")]),
        ([], []),
    ],
)
def test_what_was_answered_follows_from_what_was_said_and_done(told: Any, words: Any) -> None:
    tale = begun()
    for kind, facts in told:
        tale.then(kind, at(2, 11), **facts)
    assert [(reply.word, reply.reason) for reply in tale.stages()[0].replies] == words


def test_tiers_led_past_say_why() -> None:
    tale = begun().then("escalate", at(2, 11), tier="management", reason="time", passed_over=["tier_3", "vendor"])
    assert [(stage.tier, stage.state, stage.why) for stage in tale.stages()] == [
        ("tier_1", "left", None),
        ("tier_2", "skipped", "to_tier"),
        ("tier_3", "passed_over", "nobody_there"),
        ("vendor", "passed_over", "no_vendor"),
        ("management", "current", None),
    ]


def test_an_attempt_belongs_to_the_tier_of_its_own_time_however_late_it_is_logged() -> None:
    tale = begun().then("escalate", at(3, 10), **HOP)
    tale.then("attempt", at(3, 9), texts={"what": "Restart", "result": "none"})
    tale.then("attempt", at(3, 11), BEN, {"what": "New disk", "result": "better"})
    stages = tale.stages()

    assert [(one.tier, one.what) for one in tried(stages)] == [("tier_1", "Restart"), ("tier_2", "New disk")]
    assert [one.what for one in not_again(stages)] == ["Restart"]
    moments = (at(1, 9), at(2, 11), at(3, 11))
    assert [stage_of(stages, seq=9, at=moment).tier for moment in moments] == ["tier_1", "tier_1", "tier_2"]
    assert [stage_of(stages, seq=seq, at=at(3, 10)).tier for seq in (1, 2)] == ["tier_1", "tier_2"]


def test_a_brief_that_follows_an_automatic_hop_belongs_to_the_tier_that_was_left() -> None:
    tale = begun().then("escalate", at(3, 10), None, **HOP, automatic=True)
    first, second, *_ = tale.then("edit", at(3, 12), texts={"handover_brief": "Late."}).stages()
    assert (first.brief, second.brief) == ("Late.", None)


def test_the_vendors_contacts_stand_in_order_and_only_where_a_vendor_works() -> None:
    acme = {"vendor_name": "Acme", "vendor_contact": "Jo"}
    tale = begun().then("edit", at(2, 11), texts=acme)
    tale.then("escalate", at(3, 10), texts=acme, tier="vendor", reason="time")
    tale.then("edit", at(4, 10), BEN, {**acme, "vendor_contact": "Max", "vendor_reference": "C-7"})
    stages = {stage.tier: stage for stage in tale.stages()}

    assert stages["tier_1"].vendors == []
    assert [(one["contact"], one["reference"], one["at"], one["by"]) for one in stages["vendor"].vendors] == [
        ("Jo", None, at(3, 10), ANN),
        ("Max", "C-7", at(4, 10), BEN),
    ]


def test_a_case_that_has_ended_has_no_way_ahead() -> None:
    assert [(stage.tier, stage.state) for stage in begun().stages(live=False)] == [("tier_1", "ended")]


def test_a_case_from_before_tiers_were_noted_began_in_the_first() -> None:
    assert Tale().then("raise", at(2, 10)).stages()[0].tier == "tier_1"
