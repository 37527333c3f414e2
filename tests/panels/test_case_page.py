"""The page of one case: what it shows in which state, to whom, and that each action works through its form."""

import re

import pytest

from app import clock
from app.db import transaction
from app.escalations import overview
from tests.conftest import actor_of
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


@pytest.fixture
def case(raise_case):
    return raise_case(customer_statement="It stops <b>every</b> night", impact="No reports", desired_outcome="A fix")


@pytest.fixture
def owner(panel, company):
    return panel(company.owner)


def path(case, *more):
    return "/".join(["/escalations", case["id"], *more])


def goes_to(answer):
    """Where the panel goes after a form was taken."""
    assert answer.status_code == 200, answer.text
    return answer.json if answer.is_json else __import__("json").loads(answer.headers["HX-Trigger"])["fh-go"]["path"]


def test_the_page_is_read_in_at_most_ten_statements(case, owner, statements):
    owner.get(path(case))
    with statements() as sent:
        answer = owner.get(path(case))
    assert answer.status_code == 200, answer.text
    assert len(sent) <= 10


def test_every_form_that_is_offered_opens(case, owner, company):
    with transaction():
        found = overview.get_overview(case["id"], actor=actor_of(company.owner), now=clock.now())
    shown = owner.get(path(case)).text
    forms = set(re.findall(rf"#/escalations/{case['id']}/([a-z-]+)\"", shown)) - {
        "value",
        "routing",
        "schedule",
        "print",
    }
    assert {"acknowledge", "updates", "escalate", "edit", "assign"} <= forms
    for form in sorted(forms | (found.allowed - {"watch", "playbook"})):
        answer = owner.get(path(case, form))
        assert (form, answer.status_code) == (form, 200), answer.text


def test_acknowledging_goes_on_with_the_case(case, owner):
    assert goes_to(owner.post(path(case, "acknowledge"))) == path(case)
    assert "In progress" in owner.get(path(case)).text


@pytest.mark.parametrize(
    "part", ["value", "routing", "schedule", "duplicates", "print", "timeline", "timeline/1", "live", "attachments"]
)
def test_what_the_page_opens_is_there(part, case, owner):
    answer = owner.get(path(case, part))
    assert answer.status_code == 200, answer.text
