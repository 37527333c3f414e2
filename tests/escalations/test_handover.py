"""The draft of a handover brief, as a table of what is known and what it then says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.escalations.handover import MOST, Ground, draft_of, not_again
from app.escalations.path import Attempt

KNOWN: dict[str, Any] = {
    "title": "Exports fail",
    "customer_statement": "Nothing has come out\nsince Monday.",
    "impact": "Payroll stands still.",
    "desired_outcome": "Files by Friday.",
    "value": "120000.00 USD",
    "why": "outside expertise",
    "asked": "Can it be resolved by the specialists?",
}


def attempt(what: str | None, result: str | None = "no change", *, day: int = 2, tier: str = "tier_1") -> Attempt:
    return Attempt(tier, what, result, datetime(2026, 3, day, 10, tzinfo=UTC), None)


def test_everything_known_stands_in_the_order_of_the_brief() -> None:
    tries = (attempt("Restarted it"), attempt("New disk", "fails again", day=3, tier="tier_2"))
    assert draft_of(Ground(**KNOWN, attempts=tries)) == (
        "Problem:\nExports fail\n“Nothing has come out since Monday.”\n\n"
        "Impact:\nPayroll stands still.\n\n"
        "Desired outcome:\nFiles by Friday.\n\n"
        "At stake:\n120000.00 USD\n\n"
        "Why it moves up:\noutside expertise\n\n"
        "Tried, with results, not to be tried again:\n"
        "- 02 Mar 2026, tier 1: Restarted it → no change\n"
        "- 03 Mar 2026, tier 2: New disk → fails again\n\n"
        "Asked of the next tier:\nCan it be resolved by the specialists?"
    )


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("customer_statement", "(the customer's own words are missing: please add)"),
        ("impact", "Impact:\n(not known: please add)"),
        ("desired_outcome", "Desired outcome:\n(not known: please add)"),
        ("value", "At stake:\n(not known: please add)"),
        ("why", "Why it moves up:\n(not known: please add)"),
    ],
)
def test_what_is_missing_is_asked_of_whoever_completes_it(missing: str, line: str) -> None:
    assert line in draft_of(Ground(**{**KNOWN, missing: None}))
    assert "(nothing was logged)" in draft_of(Ground(**KNOWN))


def test_a_draft_always_fits_into_a_brief_and_says_what_it_leaves_out() -> None:
    long = [attempt(f"{number} " + "x" * 5_000, "y" * 5_000, day=1 + number % 28) for number in range(60)]
    wordy = {**KNOWN, "customer_statement": "z" * 20_000, "impact": "i" * 20_000}
    draft = draft_of(Ground(**wordy, attempts=long, earlier=7))

    assert len(draft) <= MOST
    assert "- 04 Mar 2026, tier 1: 59 xxx" in draft  # the newest stand
    shown = draft.count(", tier 1: ")
    assert f"- and {67 - shown} earlier, in the case's timeline" in draft


def test_what_was_tried_twice_is_named_once_and_erased_texts_not_at_all() -> None:
    tries = [attempt("Restarted  it"), attempt("New disk"), attempt("restarted it", day=3), attempt(None)]
    assert not_again(tries) == ["restarted it", "New disk"]
