"""What to ask when a case is raised: the customer's words first. Missing answers never refuse the raise."""

from collections.abc import Mapping
from typing import Any

from app.playbooks.definition import Playbook

QUESTIONS: Mapping[str, str] = {
    "customer_statement": "What did the customer say, in their own words?",
    "desired_outcome": "What would make it right for them?",
    "impact": "What does it do to them?",
}


def questions_for(playbook: Playbook | None, reason: str) -> Mapping[str, str]:
    """What must be answered of a case with this reason, by key: the three of every case, then the playbook's."""
    asked = playbook.asked_of(reason) if playbook else ()
    return {**QUESTIONS, **{question.key: question.ask for question in asked if question.required}}


def missing(answers: Mapping[str, Any], asked: Mapping[str, str] = QUESTIONS) -> tuple[str, ...]:
    """The questions without an answer."""
    return tuple(question for question in asked if not str(answers.get(question) or "").strip())


def completeness(answers: Mapping[str, Any], asked: Mapping[str, str] = QUESTIONS) -> int:
    """Percent of the questions answered, rounded down."""
    return 100 * (len(asked) - len(missing(answers, asked))) // len(asked)
