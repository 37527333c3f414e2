"""What to ask when a case is raised: the customer's words first. Missing answers never refuse the raise."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.playbooks.definition import KEY, Playbook, Question

QUESTIONS: Mapping[str, str] = {
    "customer_statement": "What did the customer say, in their own words?",
    "desired_outcome": "What would make it right for them?",
    "impact": "What does it do to them?",
}
# An answer's text in the timeline is named after its question.
ANSWER = "answer."
OTHER_ANSWERS = "other_answers"


def asked_for(playbook: Playbook | None, reason: str) -> tuple[Question, ...]:
    """Everything asked of a case with this reason, in order: the three of every case, then the playbook's, which may
    word one of the three its own way."""
    of_book = {question.key: question for question in (playbook.asked_of(reason) if playbook else ())}
    always = (Question(key, of_book[key].ask if key in of_book else ask, (), True) for key, ask in QUESTIONS.items())
    return (*always, *(question for key, question in of_book.items() if key not in QUESTIONS))


def questions_for(playbook: Playbook | None, reason: str) -> Mapping[str, str]:
    """What must be answered of a case with this reason, by key."""
    return {question.key: question.ask for question in asked_for(playbook, reason) if question.required}


def missing(answers: Mapping[str, Any], asked: Mapping[str, str] = QUESTIONS) -> tuple[str, ...]:
    """The questions without an answer."""
    return tuple(question for question in asked if not str(answers.get(question) or "").strip())


def completeness(answers: Mapping[str, Any], asked: Mapping[str, str] = QUESTIONS) -> int:
    """Percent of the questions answered, rounded down."""
    return 100 * (len(asked) - len(missing(answers, asked))) // len(asked)


def task_title(open_questions: Iterable[str], asked: Mapping[str, str]) -> str:
    """What the intake task says: the questions still open."""
    return "Ask the customer: " + " ".join(asked[question] for question in open_questions)


def texts_of(answers: Mapping[str, Any]) -> dict[str, str | None]:
    """Answers as texts of the timeline. Names that are no keys are somebody's words too and stand inside a text, since
    the name of a text stays when the text is erased."""
    keyed = {ANSWER + key: said for key, said in answers.items() if is_key(key)}
    others = "\n".join(f"{key}: {said}" for key, said in answers.items() if not is_key(key))
    return {**keyed, OTHER_ANSWERS: others or None}


def is_key(name: str) -> bool:
    """Whether a question could have this key."""
    return re.fullmatch(KEY, name) is not None
