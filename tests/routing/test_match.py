import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.names import SEGMENTS
from app.escalations.lifecycle import RAISED_BY_KINDS
from app.escalations.tiers import TIERS
from app.routing.fields import FIELDS, OPERATORS, freeze_facts, thaw_facts
from app.routing.lookup import Lookup
from app.routing.match import (
    MAX_DEPTH,
    MAX_LEAVES,
    ConditionRefused,
    TooLarge,
    UnknownField,
    WrongShape,
    WrongType,
    compile_condition,
)

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "escalation.severity": 2,
    "escalation.reason": "billing",
    "escalation.title": "Invoices doubled since March",
    "escalation.raised_at": datetime(2026, 11, 19, 12, tzinfo=UTC),
    "escalation.restricted": False,
    "escalation.systems": ["zendesk", "jira"],
    "escalation.tier": "tier_1",
    "account.name": "Groß & Partner",
    "account.segment": "enterprise",
    "account.region": "",
    "account.health": None,
    "account.attributes.industry": "Energy",
    "account.attributes.seats": 250,
    "account.attributes.pilot": True,
    "value.amount": Decimal("185000.00"),
    "value.renewal_on": date(2027, 1, 1),
}


def holds(tree: Any, facts: dict[str, Any] = FACTS) -> bool:
    return compile_condition(tree).matches(facts, today=TODAY, now=NOW)


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("account.segment", "=", "enterprise", True),
        ("account.segment", "=", "small", False),
        ("account.segment", "!=", "small", True),
        ("account.segment", "in", ["small", "enterprise"], True),
        ("account.segment", "in", ["small"], False),
        ("account.segment", "contains", "prise", True),
        ("account.name", "=", "gross & PARTNER", True),
        ("escalation.reason", "=", "Billing", True),
        ("escalation.title", "contains", "DOUBLED", True),
        ("escalation.title", "contains", "halved", False),
        ("escalation.severity", "=", 2, True),
        ("escalation.severity", "=", 2.0, True),
        ("escalation.severity", "!=", 2, False),
        ("escalation.severity", "in", [1, 2], True),
        ("escalation.severity", "<", 2, False),
        ("escalation.severity", "<=", 2, True),
        ("escalation.severity", ">", 1, True),
        ("escalation.severity", ">=", 3, False),
        ("escalation.restricted", "=", False, True),
        ("escalation.restricted", "!=", False, False),
        ("escalation.systems", "contains", "Jira", True),
        ("escalation.systems", "contains", "ji", False),
        ("value.amount", ">=", "185000", True),
        ("value.amount", ">", 185000, False),
        ("value.amount", "=", "185000.0", True),
        ("value.renewal_on", "=", "2027-01-01", True),
        ("value.renewal_on", "<", "2027-01-01", False),
        ("value.renewal_on", "within_days", 42, True),
        ("value.renewal_on", "within_days", 41, False),
        ("value.renewal_on", "within_days", -90, False),
        ("escalation.raised_at", "within_days", -1, True),
        ("escalation.raised_at", "within_days", 0, False),
        ("escalation.raised_at", "<", "2026-11-19T14:00:00+01:00", True),
        ("account.attributes.industry", "=", "energy", True),
        ("account.attributes.seats", "=", "250", True),
        ("account.attributes.pilot", "=", "true", True),
        ("escalation.severity", "is_set", True, True),
        ("escalation.severity", "is_set", False, False),
    ],
)
def test_an_operator_compares_in_the_type_of_the_field(field: str, op: str, value: Any, expected: bool) -> None:
    assert holds(leaf(field, op, value)) is expected


@pytest.mark.parametrize("field", ["account.health", "counts.repeats"])
@pytest.mark.parametrize(("op", "value"), [("=", 5), ("in", [5]), ("<", 5), ("<=", 5), (">", 5), (">=", 5)])
def test_a_missing_fact_fails_every_comparison(field: str, op: str, value: Any) -> None:
    assert not holds(leaf(field, op, value))


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("account.health", "!=", 5, True),
        ("account.health", "is_set", True, False),
        ("account.health", "is_set", False, True),
        ("account.region", "is_set", False, True),
        ("account.region", "contains", "e", False),
        ("account.attributes.unheard_of", "!=", "x", True),
        ("value.renewal_value", "<", "1", False),
    ],
)
def test_a_missing_fact_is_unequal_to_everything_and_not_set(field: str, op: str, value: Any, expected: bool) -> None:
    assert holds(leaf(field, op, value)) is expected


@pytest.mark.parametrize(
    ("ahead", "days", "expected"),
    [(0, 0, True), (1, 0, False), (0, 5, True), (-1, 5, False), (0, -5, True), (1, -5, False), (-5, -5, True)],
)
def test_within_days_includes_today_and_the_last_day(ahead: int, days: int, expected: bool) -> None:
    facts = {"value.renewal_on": TODAY + timedelta(days=ahead)}
    assert holds(leaf("value.renewal_on", "within_days", days), facts) is expected


def test_is_set_without_a_value_asks_whether_it_is() -> None:
    assert holds({"field": "account.segment", "op": "is_set"})


def test_a_tree_joins_its_parts() -> None:
    tree = {
        "all": [
            leaf("account.segment", "in", ["strategic", "enterprise"]),
            {"any": [leaf("escalation.severity", "=", 1), leaf("value.amount", ">=", 100000)]},
            {"not": leaf("account.region", "=", "APAC")},
        ]
    }
    assert holds(tree)
    assert not holds(tree, FACTS | {"value.amount": Decimal("99999.99")})
    assert not holds(tree, FACTS | {"account.region": "apac"})


def test_all_of_nothing_is_the_catch_all_and_any_of_nothing_never_holds() -> None:
    assert compile_condition({"all": []}).is_catch_all
    assert not compile_condition({"all": [{"all": []}, leaf("account.health", ">", 1)]}).is_catch_all
    assert holds({"all": []}, {})
    assert not holds({"any": []}, {})


def test_the_explanation_names_what_each_comparison_saw() -> None:
    tree = {"all": [leaf("value.amount", ">=", "200000"), {"not": leaf("account.health", "<", 30)}]}
    results = compile_condition(tree).explain(FACTS, today=TODAY, now=NOW)
    assert [result.as_record() for result in results] == [
        {
            "pointer": "/all/0",
            "field": "value.amount",
            "op": ">=",
            "value": "200000",
            "actual": "185000.00",
            "ok": False,
        },
        {
            "pointer": "/all/1/not",
            "field": "account.health",
            "op": "<",
            "value": "30",
            "actual": None,
            "ok": False,
        },
    ]


@pytest.mark.parametrize("name", ["account.colour", "segment", "account.attributes.", "", 7, None, ["account.name"]])
def test_an_unknown_field_is_refused_where_it_stands(name: Any) -> None:
    with pytest.raises(UnknownField) as refused:
        compile_condition({"any": [{"all": []}, {"not": {"field": name, "op": "=", "value": 1}}]})
    assert refused.value.pointer == "/any/1/not/field"
    assert refused.value.code == "unknown_field"


@pytest.mark.parametrize(
    ("field", "op", "value", "pointer"),
    [
        ("account.segment", "<", "small", "/op"),
        ("account.segment", "like", "small", "/op"),
        ("account.segment", None, "small", "/op"),
        ("account.segment", ["="], "small", "/op"),
        ("account.segment", "=", "gigantic", "/value"),
        ("account.segment", "=", 5, "/value"),
        ("account.segment", "=", None, "/value"),
        ("account.name", "=", "", "/value"),
        ("account.name", "contains", "x" * 1001, "/value"),
        ("account.segment", "in", "small", "/value"),
        ("account.segment", "in", [], "/value"),
        ("account.segment", "in", ["small", "tiny"], "/value/1"),
        ("escalation.severity", "=", "2", "/value"),
        ("escalation.severity", "=", True, "/value"),
        ("escalation.severity", "<", float("nan"), "/value"),
        ("escalation.severity", "within_days", 3, "/op"),
        ("value.amount", ">", "much", "/value"),
        ("value.amount", ">", "Infinity", "/value"),
        ("value.renewal_on", "<", "20270101", "/value"),
        ("value.renewal_on", "<", "2027-W01-1", "/value"),
        ("value.renewal_on", "<", "2027-02-30", "/value"),
        ("value.renewal_on", "within_days", 1.5, "/value"),
        ("value.renewal_on", "within_days", True, "/value"),
        ("value.renewal_on", "within_days", 10**9, "/value"),
        ("escalation.raised_at", "<", "2026-11-19T14:00:00", "/value"),
        ("escalation.raised_at", "=", "2026-11-19T14:00:00Z", "/op"),
        ("escalation.restricted", "=", "false", "/value"),
        ("escalation.restricted", "is_set", "yes", "/value"),
        ("escalation.systems", "=", "jira", "/op"),
    ],
)
def test_a_wrong_type_is_refused_where_it_stands(field: str, op: Any, value: Any, pointer: str) -> None:
    with pytest.raises(WrongType) as refused:
        compile_condition({"all": [leaf(field, op, value)]})
    assert refused.value.pointer == f"/all/0{pointer}"
    assert refused.value.code == "wrong_type"


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        (None, ""),
        ([], ""),
        ("all", ""),
        ({}, ""),
        ({"none": []}, ""),
        ({"all": [], "any": []}, ""),
        ({"all": {}}, "/all"),
        ({"any": [5]}, "/any/0"),
        ({"not": []}, "/not"),
        ({"field": "account.name", "op": "=", "value": "x", "weight": 3}, ""),
    ],
)
def test_a_tree_of_another_shape_is_refused_where_it_breaks(tree: Any, pointer: str) -> None:
    with pytest.raises(WrongShape) as refused:
        compile_condition(tree)
    assert refused.value.pointer == pointer


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = leaf("account.segment", "=", "small")
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


def test_a_tree_may_be_as_deep_and_as_large_as_the_limit_and_no_more() -> None:
    one = leaf("account.segment", "=", "small")
    compile_condition(nested(MAX_DEPTH))
    compile_condition({"any": [one] * MAX_LEAVES})
    for tree in (nested(MAX_DEPTH + 1), nested(50_000), {"any": [one] * (MAX_LEAVES + 1)}):
        with pytest.raises(TooLarge):
            compile_condition(tree)


def test_words_that_other_packages_own_are_the_same_here() -> None:
    assert FIELDS["escalation.tier"].values == TIERS
    assert FIELDS["escalation.raised_by_kind"].values == RAISED_BY_KINDS
    assert FIELDS["account.segment"].values == SEGMENTS


def test_every_field_has_a_type_with_operators_and_a_sentence() -> None:
    for field in FIELDS.values():
        assert field.operators == OPERATORS[field.type]
        assert field.doc.endswith(".")


def test_facts_survive_the_decision_record() -> None:

    assert thaw_facts(json.loads(json.dumps(freeze_facts(FACTS)))) == FACTS


LEAVES = st.sampled_from(
    [
        leaf("account.segment", "=", "enterprise"),
        leaf("account.segment", "!=", "small"),
        leaf("account.health", "<", 50),
        leaf("account.health", "is_set", True),
        leaf("escalation.severity", "in", [1, 2]),
        leaf("escalation.systems", "contains", "jira"),
        leaf("value.amount", ">=", "1000"),
        leaf("value.renewal_on", "within_days", 90),
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.builds(lambda t: {"all": t}, st.lists(below, max_size=3)),
        st.builds(lambda t: {"any": t}, st.lists(below, max_size=3)),
        st.builds(lambda t: {"not": t}, below),
    ),
    max_leaves=12,
)
SOME_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "account.segment": st.sampled_from(SEGMENTS) | st.none(),
        "account.health": st.integers(0, 100) | st.none(),
        "escalation.severity": st.integers(1, 4),
        "escalation.systems": st.lists(st.sampled_from(["jira", "zendesk"])),
        "value.amount": st.decimals(0, 5000, places=2),
        "value.renewal_on": st.integers(-200, 200).map(lambda n: TODAY + timedelta(days=n)),
    },
)


@given(st.lists(TREES, max_size=3), SOME_FACTS)
def test_not_turns_all_into_any_and_any_into_all(trees: list[Any], facts: dict[str, Any]) -> None:
    negated = [{"not": tree} for tree in trees]
    assert holds({"not": {"all": trees}}, facts) == holds({"any": negated}, facts)
    assert holds({"not": {"any": trees}}, facts) == holds({"all": negated}, facts)


@given(st.sampled_from(SEGMENTS), SOME_FACTS)
def test_unequal_is_exactly_the_opposite_of_equal(segment: str, facts: dict[str, Any]) -> None:
    equal, unequal = leaf("account.segment", "=", segment), leaf("account.segment", "!=", segment)
    assert holds(equal, facts) != holds(unequal, facts)


@given(st.lists(TREES, max_size=5), st.lists(SOME_FACTS, min_size=1, max_size=3))
def test_conditions_asked_together_say_what_each_says_alone(trees: list[Any], cases: list[dict[str, Any]]) -> None:
    compiled = [compile_condition(tree) for tree in trees]
    lookup = Lookup(enumerate(compiled))
    for facts in cases:  # the same object, so that what it remembers is asked, too
        together = list(lookup.ask(facts, today=TODAY, now=NOW))
        assert together == [
            (
                n,
                condition.matches(facts, today=TODAY, now=NOW),
                "".join("1" if ok else "0" for ok in condition.held(facts, today=TODAY, now=NOW)),
            )
            for n, condition in enumerate(compiled)
        ]


@given(TREES, SOME_FACTS)
def test_the_leaves_of_the_explanation_give_the_same_answer_as_the_tree(tree: Any, facts: dict[str, Any]) -> None:
    compiled = compile_condition(tree)
    oks = {r.pointer: r.ok for r in compiled.explain(facts, today=TODAY, now=NOW)}

    def fold(node: Any, pointer: str) -> bool:
        if "field" in node:
            return oks[pointer]
        if "not" in node:
            return not fold(node["not"], f"{pointer}/not")
        ((word, below),) = node.items()
        answers = [fold(t, f"{pointer}/{word}/{i}") for i, t in enumerate(below)]
        return all(answers) if word == "all" else any(answers)

    assert fold(tree, "") == compiled.matches(facts, today=TODAY, now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "op", "value", "x"]), below, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON)
def test_anything_that_is_no_condition_is_refused_and_never_breaks(tree: Any) -> None:
    try:
        answer = holds(tree)
    except ConditionRefused:
        return
    assert answer in (True, False)
