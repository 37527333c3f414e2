"""Learning who closes what: histories with a known structure, so that the right answer is known by construction."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.learning.course import TooFew, divide, train
from app.routing.learning.features import Row, Shape, traits_of
from app.routing.learning.fit import learn
from app.routing.learning.measures import lookup_table, measure
from app.routing.learning.model import Learnt, UnknownForm, reason

SHAPE = Shape(
    categories=("escalation.reason", "account.region"),
    texts=("escalation.title",),
    prefixes=("account.attributes.",),
    lookup=(("escalation.reason", "account.region"), ("escalation.reason",)),
)
BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
OWNERS = {"billing": ("ann", "bob"), "outage": ("cy", "cy"), "data_loss": ("dana", "dana")}


def row(n: int, reason: str, owner: str, *, region: str = "EU", title: str = "It fails", **more: Any) -> Row:
    facts = {"escalation.reason": reason, "account.region": region, "escalation.title": title}
    return Row(BEGAN + timedelta(hours=n), {**facts, **more}, owner, first="bob")


def history(cases: int, seed: int = 1) -> list[Row]:
    """Billing ends with Ann 7 times of 10, else with Bob; outages with Cy, lost data with Dana; a region says nothing;
    whatever the reason, what is called a migration ends with Eve."""
    chance = Random(seed)
    rows = []
    for n in range(cases):
        why, region = chance.choice(list(OWNERS)), chance.choice(["EU", "US"])
        mostly, else_ = OWNERS[why]
        owner, title = (mostly if chance.random() < 0.7 else else_), "It fails"
        if chance.random() < 0.15:
            owner, title = "eve", "Migration to the new release fails"
        rows.append(row(n, why, owner, region=region, title=title))
    return rows


@pytest.fixture(scope="module")
def learnt() -> Learnt:
    return learn(history(600), SHAPE)


def told(model: Learnt, reason: str, title: str = "It fails") -> dict[str, float]:
    facts = {"escalation.reason": reason, "account.region": "EU", "escalation.title": title}
    return {suggestion.owner: suggestion.confidence for suggestion in model.suggest(facts)}


@pytest.mark.parametrize(("why", "owner"), [("billing", "ann"), ("outage", "cy"), ("data_loss", "dana")])
def test_who_closes_such_cases_is_suggested_first(learnt: Learnt, why: str, owner: str) -> None:
    assert next(iter(told(learnt, why))) == owner


@pytest.mark.parametrize("why", list(OWNERS))
def test_a_word_of_the_title_can_outweigh_the_reason(learnt: Learnt, why: str) -> None:
    assert next(iter(told(learnt, why, "Migration to the new release fails"))) == "eve"


def test_the_confidence_is_how_often_it_is_so(learnt: Learnt) -> None:
    shares = told(learnt, "billing")
    assert list(shares)[:2] == ["ann", "bob"]
    assert shares["ann"] == pytest.approx(0.7, abs=0.07)
    assert shares["bob"] == pytest.approx(0.3, abs=0.07)
    assert told(learnt, "outage")["cy"] > 0.9


def test_on_unseen_cases_confidence_lies_within_six_points_of_the_truth(learnt: Learnt) -> None:
    """By construction the best possible first choice is right in 0.15 + 0.85 × (0.7 + 1 + 1) / 3 of the cases."""
    found = measure(learnt, history(600), history(2000, seed=2))
    assert found.ece < 0.06
    assert found.first_choice == pytest.approx(0.915, abs=0.03)
    assert found.top_3 > 0.97
    assert found.lookup == pytest.approx(0.85 * 0.9, abs=0.03)
    assert found.commonest < 0.35
    sure = {level.confidence: level for level in found.at_confidence}
    assert sure[0.9].right is not None
    assert sure[0.9].right > 0.95
    assert sure[0.3].share > sure[0.9].share


def test_reasons_count_the_earlier_cases() -> None:
    """14 billing cases, 12 of them closed by Ann; 20 others by Bob."""
    rows = [row(n, "billing", "ann" if n < 12 else "bob", title="") for n in range(14)]
    rows += [row(20 + n, "outage", "bob", title="", region="US") for n in range(20)]
    best = learn(rows, SHAPE).suggest({"escalation.reason": "billing", "account.region": "EU"})[0]
    assert best.owner == "ann"
    assert set(best.reasons) == {
        "12 of 14 earlier cases with reason “billing” ended with this owner",
        "12 of 14 earlier cases with region “EU” ended with this owner",
    }


def test_at_most_three_reasons_the_strongest_first(learnt: Learnt) -> None:
    facts = {
        "escalation.reason": "outage", "account.region": "EU", "escalation.title": "Migration to the new release fails",
    }  # fmt: skip
    best = learnt.suggest(facts)[0]
    assert best.owner == "eve"
    assert len(best.reasons) == 3
    assert all("title says" in why for why in best.reasons)


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ("escalation.reason=data_loss", "with reason “data_loss”"),
        ("escalation.raised_by_kind=customer", "with raised by kind “customer”"),
        ("account.segment=", "without segment"),
        ("account.id=4f", "of this account"),
        ("escalation.title~invoice", "whose title says “invoice”"),
        ("account.attributes.a~b=c", "whose a says “b=c”"),
    ],
)
def test_reasons_are_written_in_plain_words(trait: str, words: str) -> None:
    assert reason(trait, 1, 1) == f"1 of 1 earlier case {words} ended with this owner"
    assert reason(trait, 0, 2) == f"0 of 2 earlier cases {words} ended with this owner"


def test_the_stored_form_is_plain_json_and_answers_the_same(learnt: Learnt) -> None:
    again = Learnt.of(json.loads(json.dumps(learnt.as_json())))
    assert again == learnt
    for case in history(50, seed=3):
        assert again.suggest(case.facts) == learnt.suggest(case.facts)


@pytest.mark.parametrize("form", [None, 0, 2, "1"])
def test_a_model_of_another_form_is_refused(learnt: Learnt, form: Any) -> None:
    with pytest.raises(UnknownForm):
        Learnt.of({**learnt.as_json(), "form": form})


def test_the_newest_of_two_habits_counts_more() -> None:
    """Ann closed billing for a long time, then Bob took it over."""
    rows = [row(n, "billing", "ann") for n in range(120)] + [row(120 + n, "billing", "bob") for n in range(60)]
    rows += [row(n, "outage", "cy") for n in range(180)]
    assert next(iter(told(learn(rows, SHAPE), "billing"))) == "bob"


def test_an_owner_the_model_never_saw_lowers_its_confidence() -> None:
    """In the newest quarter half of the cases end with somebody new: nobody known can be surer than about a half."""
    rows = [row(n, "outage" if n % 2 else "billing", "cy" if n % 2 else "ann") for n in range(120)]
    rows += [row(120 + n, "outage", "new" if n % 2 else "cy") for n in range(40)]
    assert learn(rows, SHAPE).known == pytest.approx(0.5, abs=0.03)


later = st.lists(
    st.builds(
        row,
        n=st.integers(1000, 5000),
        reason=st.sampled_from([*OWNERS, "unheard_of"]),
        owner=st.sampled_from(["ann", "bob", "cy", "somebody new"]),
        title=st.sampled_from(["It fails", "Migration again", ""]),
    ),
    max_size=30,
)


def answers(older: Sequence[Row], asked: Sequence[Row]) -> list[Any]:
    model, table = learn(older, SHAPE), lookup_table(older, SHAPE)
    return [(model.suggest(case.facts), table(case.facts)) for case in asked]


@settings(max_examples=8)
@given(later)
def test_what_comes_later_changes_no_answer_about_what_came_before(more: list[Row]) -> None:
    """However much is added to the newest part, what is learnt from the oldest and answered stays as it was."""
    rows = history(90)
    older, newer = divide(rows)
    longer, rest = divide([*rows, *more], share=len(older) / (len(rows) + len(more)) + 1e-9)
    assert longer == older
    assert answers(older, newer) == answers(longer, rest)[: len(newer)]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (history(49), "49 closed cases, expected at least 50"),
        ([row(n, "billing", "ann") for n in range(60)], "1 person closed 5 cases or more, expected at least 2"),
        ([row(n, "billing", f"p{n % 20}") for n in range(60)], "0 people closed 5 cases or more, expected at least 2"),
        ([], "0 closed cases, expected at least 50"),
    ],
)
def test_too_short_a_history_says_what_is_missing(rows: list[Row], why: str) -> None:
    with pytest.raises(TooFew, match=why):
        train(rows, SHAPE)


def test_training_measures_on_the_newest_cases_and_learns_from_all() -> None:
    model, measures = train(history(200), SHAPE)
    assert measures.cases == 60
    assert measures.people == pytest.approx(sum(r.owner == "bob" for r in history(200)[140:]) / 60, abs=1e-4)
    assert sum(model.traits[f"escalation.reason={why}"].cases for why in OWNERS) == 200


def test_an_older_part_of_one_owner_still_learns() -> None:
    rows = [row(n, "billing", "ann") for n in range(80)] + [row(80 + n, "outage", "cy") for n in range(20)]
    model, measures = train(rows, SHAPE)
    assert measures.first_choice == pytest.approx(1 / 3, abs=0.01)
    assert next(iter(told(model, "outage"))) == "cy"


def test_traits_are_values_words_and_attributes_once_each() -> None:
    facts = {
        "escalation.reason": "billing",
        "escalation.title": "Invoice: the INVOICE is wrong, see 4711 or a\x00",
        "account.attributes.products": ["Mail", "Mail", "Calendar"],
        "account.attributes.nested": {"a": 1},
    }
    assert traits_of(facts, SHAPE) == [
        "escalation.reason=billing",
        "account.region=",
        "account.attributes.nested=",
        "account.attributes.products=Mail",
        "account.attributes.products=Calendar",
        *(f"escalation.title~{word}" for word in ("invoice", "see", "the", "wrong")),
    ]
