"""What a playbook may say, and what is refused with its place."""

from typing import Any

import pytest

from app.playbooks.compiling import FaultyPlaybook, compile_playbook
from app.playbooks.order import find_cycle, ready

SMALL: dict[str, Any] = {"name": "Small", "about": "Of little use."}


def faults_of(**members: Any) -> list[tuple[str, str]]:
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({**SMALL, **members})
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


def task(key: str, **members: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), **members}


def test_a_name_and_what_it_is_for_are_enough() -> None:
    playbook = compile_playbook(SMALL)

    assert playbook.when.is_catch_all
    assert playbook.rank == 100
    assert (playbook.tasks, playbook.questions, playbook.criteria, dict(playbook.updates)) == ((), (), (), {})
    assert playbook.path == ("tier_1", "tier_2", "tier_3", "onsite", "vendor", "management")


def test_every_part_is_understood() -> None:
    playbook = compile_playbook(
        {
            **SMALL,
            "rank": 5,
            "when": {"field": "escalation.reason", "op": "=", "value": "billing"},
            "questions": [{"key": "invoice", "ask": "Which invoice?", "reasons": ["billing"], "required": False}],
            "tasks": [
                task("call", due={"business_hours": 4}),
                task("check", after=["call"], due={"business_days": 2}, required=True, role="csm"),
            ],
            "tiers": [
                {"tier": "tier_1", "within": {"business_hours": 8}, "automatic": True},
                {"tier": "vendor", "within": {"business_days": 5}},
            ],
            "updates": {"executive": {"business_days": 5}},
            "exit_criteria": [{"key": "credited", "text": "The credit note is sent."}],
        }
    )

    assert playbook.tasks[0].due == {"business_seconds": 4 * 3600}
    assert (playbook.tasks[1].due, playbook.tasks[1].after) == ({"business_days": 2}, ("call",))
    assert playbook.path == ("tier_1", "vendor")
    assert playbook.updates == {"executive_update": {"business_days": 5}}
    assert [question.key for question in playbook.asked_of("billing")] == ["invoice"]
    assert playbook.asked_of("security") == ()
    assert playbook.criteria[0].key == "credited"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"surprise": 1}, ("/surprise", "unknown_field")),
        ({"name": " "}, ("/name", "wrong_type")),
        ({"rank": 0}, ("/rank", "wrong_type")),
        ({"when": {"field": "nonsense", "op": "=", "value": 1}}, ("/when/field", "unknown_field")),
        ({"tasks": [task("a", after=["a"])]}, ("/tasks/0/after/0", "cycle")),
        ({"tasks": [task("a", after=["b"])]}, ("/tasks/0/after/0", "unknown_task")),
        ({"tasks": [task("a"), task("a")]}, ("/tasks/1/key", "duplicate")),
        ({"tasks": [task("a", role="boss")]}, ("/tasks/0/role", "wrong_type")),
        ({"tasks": [task("a", role="tier")]}, ("/tasks/0/role", "wrong_type")),
        ({"tasks": [task("A b")]}, ("/tasks/0/key", "wrong_type")),
        ({"tasks": [task("a", due={"days": 1})]}, ("/tasks/0/due", "wrong_type")),
        ({"tasks": [task("a", due={"business_days": 0})]}, ("/tasks/0/due/business_days", "wrong_type")),
        ({"tiers": [{"tier": "vendor"}, {"tier": "tier_1"}]}, ("/tiers/1/tier", "wrong_type")),
        ({"tiers": [{"tier": "tier_1"}, {"tier": "tier_1"}]}, ("/tiers/1/tier", "wrong_type")),
        ({"tiers": [{"tier": "tier_1"}], "tasks": [task("a", tier="vendor")]}, ("/tasks/0/tier", "wrong_type")),
        ({"tasks": [task("a", after=["b"]), task("b", tier="vendor")]}, ("/tasks/0/after/0", "cycle")),
        ({"updates": {"everybody": {"business_days": 1}}}, ("/updates/everybody", "unknown_field")),
        ({"exit_criteria": [{"key": "a"}]}, ("/exit_criteria/0/text", "wrong_type")),
        ({"tasks": "all"}, ("/tasks", "wrong_type")),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(members: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in faults_of(**members)


def test_tasks_that_wait_for_each_other_in_a_circle_are_shown() -> None:
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({**SMALL, "tasks": [task("a", after=["b"]), task("b", after=["c"]), task("c", after=["a"])]})

    (fault,) = caught.value.faults
    assert fault.code == "cycle"
    assert fault.detail.count("→") == 3


def test_all_faults_come_at_once() -> None:
    assert len(faults_of(rank="first", tasks=[task("a", role="boss"), task("b", due=7)])) == 3


def test_a_task_is_ready_when_all_it_waits_for_have_ended() -> None:
    waits = {"a": [], "b": ["a"], "c": ["a", "b"], "d": ["gone"]}

    assert ready(waits, []) == {"a", "d"}
    assert ready(waits, ["a"]) == {"b", "d"}
    assert ready(waits, ["a", "b", "d"]) == {"c"}


def test_what_waits_for_nothing_in_a_circle_has_none() -> None:
    assert find_cycle({"a": [], "b": ["a"], "c": ["a", "b"]}) == []
    assert find_cycle({"a": ["b"], "b": ["a"]})[0] in ("a", "b")
