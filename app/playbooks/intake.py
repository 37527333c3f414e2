"""What to ask when a case is raised: the customer's words first. Missing answers never refuse the raise."""

from collections.abc import Mapping
from typing import Any

QUESTIONS: Mapping[str, str] = {
    "customer_statement": "What did the customer say, in their own words?",
    "desired_outcome": "What would make it right for them?",
    "impact": "What does it do to them?",
}


def missing(answers: Mapping[str, Any]) -> tuple[str, ...]:
    """The questions without an answer."""
    return tuple(question for question in QUESTIONS if not str(answers.get(question) or "").strip())


def completeness(answers: Mapping[str, Any]) -> int:
    """Percent of the questions answered, rounded down."""
    return 100 * (len(QUESTIONS) - len(missing(answers))) // len(QUESTIONS)
