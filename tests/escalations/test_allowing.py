"""What a reader is offered is what the doors take: in every status, for everybody who may stand to a case."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app import clock
from app.db import db, transaction
from app.errors import AppError
from app.escalations import allowing, criteria, editing, surveys
from app.escalations import service as escalations
from app.escalations.action_routes import USE_CASES
from app.escalations.attachments import filing
from app.escalations.case import Act
from app.escalations.errors import CustomerNotSilent, NoDecision, NotReady
from app.escalations.lifecycle import STATUSES
from app.escalations.models import Escalation
from tests.conftest import actor_of
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]

TOMORROW = clock.real_now() + timedelta(days=1)
LATER = clock.real_now() + timedelta(days=90)
BODIES = {
    "approve": {},
    "decline": {"reason": "No"},
    "acknowledge": {},
    "assign": {"owner_email": "csm@example.com", "reason": "Shift"},
    "qualify": {"resolvable": False, "reason": "time"},
    "escalate": {"reason": "time", "brief": "Tried everything", "vendor": {"name": "V", "contact": "C"}},
    "wait": {"party": "customer", "reason": "Logs", "resume_on": (clock.real_now() + timedelta(days=3)).date()},
    "resume": {},
    "resolve": {"summary": "Done", "root_cause": "Disk", "preventable": True},
    "verify": {"accepted": True, "confirmed_by": "Jo", "channel": "call"},
    "reopen": {"reason": "Again"},
    "close-unresolved": {"outcome": "withdrawn", "reason": "They said so"},
    "decision": {"choice": "go_on", "reason": "Patience"},
    "extend": {"until": LATER, "reason": "Parts", "customer_agreed": True},
    "plan": {"plan": "Fix it", "forecast_close_on": TOMORROW.date() + timedelta(days=2), "customer_agreed": True},
    "watch": {"watching": True},
    "attempts": {"what": "Restart", "result": "No"},
    "updates": {"audience": ["customer"], "channel": "email", "text": "News"},
    "messages": {"from": "Jo", "channel": "call", "text": "And?"},
    "comments": {"text": "Hm"},
    "links": {"system": "jira", "external_id": "1"},
}
# What a door says of a body that lacks something, when action and caller are right.
LACKS = (NoDecision, CustomerNotSilent, NotReady)


class RolledBackError(Exception):
    """Ends a try without leaving anything."""


def trials(case_id, elder_id):
    """Every action with a call that its door would make."""
    for name, body in BODIES.items():
        yield name, lambda act, name=name, body=body: USE_CASES[name].run(case_id, dict(body), act)
    yield "merge", lambda act: escalations.merge(case_id, act=act, into_id=elder_id, reason="Same")
    yield "edit", lambda act: editing.edit(case_id, act=act, changes={"title": "Other"})
    yield "tasks", lambda act: escalations.add_task(case_id, act=act, new=escalations.NewTask("Call"))
    yield "exit-criteria", lambda act: criteria.agree(case_id, act=act, content="Works", agreed_with="Jo")
    yield "attachments", lambda act: filing.check_room(case_id, act=act, size=1)
    yield "survey", lambda act: surveys.ask(case_id, act=act, now=clock.real_now())


def is_taken(call, actor):
    try:
        with transaction():
            call(Act(actor, clock.now()))
            raise RolledBackError
    except (RolledBackError, *LACKS):
        return True
    except AppError as refused:
        if refused.status in (403, 404, 409):
            return False
        raise


def offered(case_id, actor):
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == case_id)).one()
        return set(allowing.list_allowed(record, actor, now=clock.now()))


@pytest.fixture
def people(company, make_user, tenant):
    """Everybody who may stand to the case, and one who does not."""
    return {
        "owner": company.owner,
        "manager": company.manager,
        "executive": company.boss,
        "admin": tenant.admin,
        "stranger": make_user("specialist", "stranger@example.com"),
        "other manager": make_user("manager", "other@example.com"),
    }


STEPS = {
    "in_progress": ("acknowledge",),
    "waiting": ("acknowledge", "wait"),
    "resolved": ("acknowledge", "resolve"),
    "closed": ("acknowledge", "resolve", "verify"),
    "declined": ("decline",),
}
LIVE = ("open", "in_progress", "waiting", "resolved")


@pytest.fixture
def bring_to(raise_case, company, client, as_user, tenant):
    """A case in a status by the steps that lead there, with an older one beside it."""

    def do(case_id, user, step):
        with transaction():
            USE_CASES[step].run(case_id, dict(BODIES[step]), Act(actor_of(user), clock.now()))

    def bring(status, *, pending):
        elder_id = UUID(raise_case(title="The elder")["id"])
        asked = status in ("requested", "declined")
        if asked:
            setting = {"approval": {"asked": True, "approvers": []}}
            assert client.patch("/api/v1/settings", json=setting, if_match="*").status_code == 200
        body = {"account_id": company.account_id, "title": "Exports fail", "severity": 2}
        raiser = as_user(company.csm) if asked else client
        case_id = UUID(raiser.post("/api/v1/escalations", json=body).json["id"])
        for step in STEPS.get(status, ()):
            do(case_id, tenant.admin if step == "decline" else company.owner, step)
        if pending:
            do(case_id, company.owner, "extend")
        if status == "merged":
            with transaction():
                act = Act(actor_of(company.manager), clock.now())
                escalations.merge(case_id, act=act, into_id=elder_id, reason="Same")
        return case_id, elder_id

    return bring


@pytest.mark.parametrize(
    ("status", "pending"), [*((status, False) for status in STATUSES), *((status, True) for status in LIVE)]
)
def test_what_is_offered_is_what_the_doors_take(status, pending, people, bring_to):
    case_id, elder_id = bring_to(status, pending=pending)
    for who, user in people.items():
        actor = actor_of(user)
        shown = offered(case_id, actor) - {"playbook"}
        taken = {name for name, call in trials(case_id, elder_id) if is_taken(call, actor)}
        if status == "merged":
            assert (who, shown) == (who, set())  # its page leads to the survivor, where the actions are
        else:
            assert (who, sorted(shown)) == (who, sorted(taken))


def test_nothing_is_offered_to_whom_the_case_is_about(raise_case, company, people):
    about = raise_case(about_user="stranger@example.com")
    assert offered(about["id"], actor_of(people["stranger"])) == set()
    assert "acknowledge" in offered(about["id"], actor_of(company.owner))


def test_a_restricted_case_is_offered_to_those_who_see_it(raise_case, company, people):
    hidden = raise_case(restricted=True)
    for who, sees in (("stranger", False), ("owner", True), ("manager", True), ("admin", True)):
        assert (who, bool(offered(hidden["id"], actor_of(people[who])))) == (who, sees)
