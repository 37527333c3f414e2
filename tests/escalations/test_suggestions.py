"""From closed cases to a suggested owner: trained in the background, explained, and taken by a rule only when sure."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app import queue
from app.accounts import service as accounts
from app.auth import service as auth
from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant
from app.auth.service import change_user, get_user
from app.auth.settings import current_version
from app.db import db, transaction
from app.escalations import service
from app.escalations.case import Act
from app.operations.persons.erase import erase
from app.operations.persons.tables import find_person
from app.operations.rq_worker import TimeLimit
from app.routing import jobs
from app.routing import service as routing
from app.routing.asking import case_of
from app.routing.learning import course, history, store, training
from app.routing.learning.features import Row, traits_of
from app.routing.learning.fit import learn
from app.routing.models import Decision, SuggestionModel
from app.routing.schemas import ExplainBody
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company

SUGGESTIONS = "/api/v1/routing/suggestions"
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
SUGGESTED: dict[str, Any] = {"name": "history", "when": {"all": []}, "target": {"kind": "suggested"}}
LAST: dict[str, Any] = {"name": "last", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}}
Make = Callable[..., User]
Tell = Callable[..., None]


@pytest.fixture
def expert(make_user: Make) -> User:
    return make_user("specialist", "expert@example.com")


@pytest.fixture
def tell(tenant: TestTenant, company: Company, expert: User) -> Tell:
    """`tell(60)`: 60 closed cases, first given to the account owner, who keeps what is no billing and hands over what
    is: in the end every second one is the expert's."""

    def tell_cases(count: int, *, begin: datetime = BEGAN) -> None:
        with transaction():
            for n in range(count):
                close_one(company, expert if n % 2 else None, begin + timedelta(hours=n), title=f"Case {n}")

    return tell_cases


@pytest.fixture
def taught(company: Company, expert: User) -> None:
    """A model of 60 cases: the expert ended 30 on billing, the account owner the others."""
    with transaction():
        number = store.want(BEGAN, closed=60).number
        store.keep(number, learn(_told(company, expert), history.SHAPE), {}, cases=60, now=BEGAN)


def _told(company: Company, expert: User) -> list[Row]:
    reasons = {"billing": expert, "prolonged_outage": company.owner}
    known = {
        "account.id": company.account_id,
        "escalation.severity": 2,
        "escalation.source": "api",
        "escalation.raised_by_kind": "colleague",
        "escalation.title": "It fails",
    }
    return [
        Row(BEGAN + timedelta(hours=n), {**known, "escalation.reason": reason}, str(owner.id))
        for n in range(30)
        for reason, owner in reasons.items()
    ]


@pytest.fixture
def asks_history(tenant: TestTenant, taught: None) -> None:
    publish(tenant, SUGGESTED, LAST)


def raise_one(company: Company, at: datetime, **fields: Any) -> UUID:
    """As the CSM raises it; call inside a transaction."""
    new = {"severity": 2, "title": "It fails", "account_id": UUID(company.account_id), **fields}
    found: UUID = service.raise_escalation(service.NewEscalation(**new), act=Act(actor_of(company.csm), at)).record.id
    return found


def close_one(company: Company, taker: User | None, at: datetime, *, by: User | None = None, **fields: Any) -> UUID:
    """A billing case that the taker ends with, or another that its first owner does."""
    case = raise_one(company, at, **{"reason": "billing" if taker else "prolonged_outage", **fields})
    closer = Act(actor_of(by or company.boss), at)
    if taker:
        service.assign(case, act=closer, to=service.NewOwner(owner_id=taker.id), reason="knows invoices")
    service.close_unresolved(case, act=closer, outcome="withdrawn", reason="no longer needed")
    return case


def train(client: ApiClient, tenant: TestTenant) -> dict[str, Any]:
    """Asked for over HTTP and done by the job; the newest version as the list shows it."""
    assert client.post(f"{SUGGESTIONS}/train").status_code == 202
    assert training.train_tenant(tenant.id)
    newest: dict[str, Any] = client.get(f"{SUGGESTIONS}/models").json["items"][0]
    return newest


def asked(company: Company, **body: Any) -> dict[str, Any]:
    return {"account_id": company.account_id, "severity": 2, "title": "It fails", "reason": "billing", **body}


def be_sure(confidence: float | None) -> None:
    with transaction():
        update_settings(get_tenant(), {"suggestion_confidence": confidence})


def publish(tenant: TestTenant, *rules: dict[str, Any]) -> None:
    with transaction():
        number = routing.save_policy(list(rules), {}, actor=tenant.actor, now=BEGAN).number
        routing.publish_policy(number, actor=tenant.actor, now=BEGAN)


def decide(company: Company, at: datetime = BEGAN + timedelta(days=4), **fields: Any) -> Decision:
    """The decision of a raise now."""
    with transaction():
        case = raise_one(company, at, **{"reason": "billing", **fields})
        return db.session.scalars(select(Decision).where(Decision.escalation_id == case)).one()


def test_a_model_is_trained_and_shown_with_its_measures(tenant: TestTenant, client: ApiClient, tell: Tell) -> None:
    """Of the newest 18 of 60 every case ends as its reason says; the first owner was right in every second one."""
    tell(60)
    shown = train(client, tenant)
    assert (shown["number"], shown["state"], shown["current"], shown["cases"]) == (1, "trained", True, 60)
    assert shown["asked_by"] == str(tenant.admin.id)
    measures = shown["measures"]
    assert (measures["cases"], measures["first_choice"], measures["top_3"]) == (18, 1.0, 1.0)
    assert (measures["people"], measures["lookup"], measures["commonest"]) == (0.5, 1.0, 0.5)


def test_who_is_likely_is_explained_before_anything_is_switched_on(
    client: ApiClient, company: Company, expert: User, taught: None
) -> None:
    told = client.post(f"{SUGGESTIONS}/explain", json=asked(company)).json
    assert told["model"] == 1
    first, second = told["items"]
    assert (first["owner"]["email"], second["owner"]["email"]) == (expert.email, company.owner.email)
    assert first["confidence"] > 0.7
    assert first["confidence"] + second["confidence"] == pytest.approx(1, abs=0.05)
    assert not first["sure_enough"]
    assert first["reasons"][0] == "30 of 30 earlier cases with reason “billing” ended with this owner"
    other = client.post(f"{SUGGESTIONS}/explain", json=asked(company, reason="prolonged_outage")).json
    assert other["items"][0]["owner"]["email"] == company.owner.email


def test_without_a_model_nobody_is_suggested(client: ApiClient, company: Company) -> None:
    nobody = {"model": None, "suggestion_confidence": None, "items": []}
    assert client.post(f"{SUGGESTIONS}/explain", json=asked(company)).json == nobody


@pytest.mark.parametrize(("body", "pointer"), [({"severity": 9}, "/severity"), ({"colour": "red"}, "/colour")])
def test_a_wrong_question_is_refused_by_name(
    client: ApiClient, company: Company, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post(f"{SUGGESTIONS}/explain", json=asked(company, **body))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_too_few_cases_are_skipped_with_a_reason_and_the_model_before_goes_on(
    tenant: TestTenant, client: ApiClient, tell: Tell, company: Company, taught: None
) -> None:
    tell(10)
    shown = train(client, tenant)
    assert client.post(f"{SUGGESTIONS}/explain", json=asked(company)).json["model"] == 1
    assert (shown["state"], shown["problem"]) == ("skipped", "10 closed cases, expected at least 50")
    assert (shown["current"], shown["measures"], shown["cases"]) == (False, None, 10)


def test_a_training_that_fails_says_how_and_the_model_before_goes_on(
    tenant: TestTenant,
    client: ApiClient,
    tell: Tell,
    company: Company,
    taught: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An installation that is broken half-way: the library is there and can't be loaded."""
    tell(50)
    monkeypatch.delitem(sys.modules, "app.routing.learning.fit")
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    shown = train(client, tenant)
    assert (shown["number"], shown["state"], shown["current"]) == (2, "failed", False)
    assert shown["problem"].startswith("ModuleNotFoundError: import of sklearn.linear_model halted")
    assert client.post(f"{SUGGESTIONS}/explain", json=asked(company)).json["model"] == 1
    with transaction():
        assert jobs.want_model(BEGAN)


def test_a_training_asked_for_twice_is_done_once(tenant: TestTenant, client: ApiClient) -> None:
    numbers = [client.post(f"{SUGGESTIONS}/train").json["number"] for _ in range(2)]
    assert numbers == [1, 1]
    assert training.train_tenant(tenant.id)
    assert not training.train_tenant(tenant.id)


def test_a_training_whose_worker_died_is_taken_over_after_its_lease(tenant: TestTenant) -> None:
    with transaction():
        store.want(BEGAN, closed=0)
    claims = []
    for minutes in (0, 14, 15):
        with transaction():
            claims.append(store.claim(BEGAN + timedelta(minutes=minutes)))
    assert claims == [1, None, 1]


def test_without_the_extra_it_says_what_to_install(
    client: ApiClient, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        store.want(BEGAN, closed=0)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # as if it were not there
    answer = client.post(f"{SUGGESTIONS}/train")
    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == (409, "extra_missing", course.INSTALL)
    assert training.train_tenant(tenant.id)
    shown = client.get(f"{SUGGESTIONS}/models").json["items"][0]
    assert (shown["state"], shown["problem"]) == ("skipped", course.INSTALL)
    with transaction():
        assert not jobs.want_model(BEGAN)


def test_the_day_asks_for_a_model_only_when_cases_were_closed_since(
    tenant: TestTenant, tell: Tell, company: Company
) -> None:
    with transaction():
        assert not jobs.want_model(BEGAN)
    tell(50)
    with transaction():
        assert jobs.want_model(BEGAN)
    jobs.learn()
    with transaction():
        assert current_version(store.CURRENT) == 1
        assert not jobs.want_model(BEGAN)
        close_one(company, None, BEGAN + timedelta(days=4))
    with transaction():
        assert jobs.want_model(BEGAN)


def test_of_the_versions_the_newest_ten_are_kept_and_the_current_one(tenant: TestTenant, taught: None) -> None:
    for _ in range(12):
        with transaction():
            store.give_up(store.want(BEGAN, closed=50).number, "skipped", "no")
    with transaction():
        numbers = list(db.session.scalars(select(SuggestionModel.number).order_by(SuggestionModel.number)))
    assert numbers == [1, *range(4, 14)]


def test_the_versions_come_in_pages_newest_first(client: ApiClient, tenant: TestTenant) -> None:
    for _ in range(3):
        with transaction():
            store.give_up(store.want(BEGAN, closed=0).number, "skipped", "no")
    first = client.get(f"{SUGGESTIONS}/models?limit=2").json
    rest = client.get(f"{SUGGESTIONS}/models?limit=2&cursor={first['next_cursor']}").json
    assert [shown["number"] for page in (first, rest) for shown in page["items"]] == [3, 2, 1]
    assert rest["next_cursor"] is None
    assert client.get(f"{SUGGESTIONS}/models?limit=0").status_code == 422


def test_a_manager_sees_the_models_and_only_an_admin_trains(as_user: Callable[..., ApiClient], make_user: Make) -> None:
    manager, csm = as_user(make_user("manager")), as_user(make_user("csm"))
    assert manager.get(f"{SUGGESTIONS}/models").status_code == 200
    assert manager.post(f"{SUGGESTIONS}/train").status_code == 403
    assert csm.get(f"{SUGGESTIONS}/models").status_code == 403


def test_another_tenant_has_neither_the_models_nor_their_suggestions(
    new_tenant: Callable[..., TestTenant], company: Company, taught: None
) -> None:
    with transaction():
        close_one(company, None, BEGAN)
        assert store.find_current() is not None
    other = new_tenant("Others")
    with transaction(tenant=other.id):
        assert list(store.list_models(before=None, limit=10)) == []
        assert store.find_current() is None
        assert db.session.scalar(select(func.count()).select_from(SuggestionModel)) == 0
        assert history.read_rows() == []
        # even a number of the other's, set by mistake, finds nothing
        auth.set_current(**{store.CURRENT: 1})
        assert store.find_current() is None


def test_what_is_learnt_is_what_was_said_at_the_raise(
    tenant: TestTenant, company: Company, expert: User, client: ApiClient
) -> None:
    """A later edit of severity, reason and title is no fact of the opening; nor are restricted cases learnt from."""
    with transaction():
        case = raise_one(company, BEGAN, reason="prolonged_outage", title="Exports are slow")
        changes = {"reason": "billing", "severity": 1, "title": "Wrong invoice"}
        service.edit(case, act=Act(actor_of(company.owner), BEGAN + timedelta(hours=1)), changes=changes)
        by = Act(actor_of(company.boss), BEGAN + timedelta(hours=2))
        service.assign(case, act=by, to=service.NewOwner(owner_id=expert.id), reason="knows")
        service.close_unresolved(case, act=by, outcome="withdrawn", reason="no longer needed")
        close_one(company, None, BEGAN, by=company.manager, restricted=True)
        close_one(company, None, BEGAN, by=company.manager, about_user=company.boss.email)
        raise_one(company, BEGAN, title="Still open")
    with transaction():
        (row,) = history.read_rows()
    assert (row.at, row.owner, row.first) == (BEGAN, str(expert.id), str(company.owner.id))
    facts = {name.rpartition(".")[2]: value for name, value in row.facts.items()}
    assert (facts["reason"], facts["severity"], facts["title"]) == ("prolonged_outage", 2, "Exports are slow")
    assert (facts["source"], facts["raised_by_kind"]) == ("api", "colleague")


def test_who_left_is_not_learnt_from(tenant: TestTenant, tell: Tell, expert: User) -> None:
    tell(4)
    with transaction():
        change_user(get_user(expert.id), {"active": False})
    with transaction():
        assert len(history.read_rows()) == 2
        assert history.count_closed() == 4


def test_a_case_has_the_same_traits_when_it_is_raised_as_when_it_is_learnt_from(
    tenant: TestTenant, company: Company, client: ApiClient
) -> None:
    """Or the model would be asked blindly."""
    with transaction():
        accounts.upsert_account("crm", "A-1", {"region": "EU", "attributes": {"product": "mail"}}, now=BEGAN)
    words = {"title": "Invoice is wrong", "customer_statement": "We paid twice", "source": "portal"}
    body = ExplainBody().load(asked(company, **words))
    with transaction():
        asked_now = traits_of(history.facts_of(case_of(body, now=BEGAN)), history.SHAPE)
        case = raise_one(company, BEGAN, reason="billing", **words)
        by = Act(actor_of(company.boss), BEGAN)
        service.close_unresolved(case, act=by, outcome="withdrawn", reason="no longer needed")
    with transaction():
        (row,) = history.read_rows()
    assert traits_of(row.facts, history.SHAPE) == asked_now
    assert {"escalation.title~invoice", "account.attributes.product=mail", "account.region=EU"} <= set(asked_now)


# -- the rule target --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("asks_history")
def test_off_by_default_the_next_rule_decides(company: Company) -> None:
    made = decide(company)
    assert (made.owner_id, made.rule, made.failure) == (company.owner.id, "last", None)
    assert made.inputs["suggested"] == []
    assert made.rules[0]["targets"] == [{"target": {"kind": "suggested"}, "outcome": "no_suggestion"}]


@pytest.mark.usefixtures("asks_history")
def test_above_the_confidence_history_chooses_and_the_record_says_by_which_model_and_why(
    company: Company, expert: User
) -> None:
    be_sure(0.6)
    made = decide(company)
    assert (made.owner_id, made.rule) == (expert.id, "history")
    (kept,) = made.inputs["suggested"]
    assert (kept["user_id"], kept["model"]) == (str(expert.id), 1)
    assert 0.6 <= kept["confidence"] <= 1
    assert kept["reasons"][0] == "30 of 30 earlier cases with reason “billing” ended with this owner"
    with transaction():
        assert routing.rerun(made) == expert.id


@pytest.mark.usefixtures("asks_history")
def test_below_the_confidence_the_next_target_is_tried(company: Company) -> None:
    be_sure(0.999)
    made = decide(company)
    assert (made.owner_id, made.rule) == (company.owner.id, "last")


@pytest.mark.usefixtures("asks_history")
def test_eligibility_is_never_overridden(tenant: TestTenant, company: Company, expert: User) -> None:
    """Absent, gone or the one it is about: however sure history is, the next target is tried."""
    be_sure(0.5)
    at = BEGAN + timedelta(days=4)
    about = decide(company, about_user=expert.email)
    assert (about.owner_id, about.excluded["about_user"]) == (company.owner.id, [str(expert.id)])
    with transaction():
        away = {"starts_at": at - timedelta(days=1), "ends_at": at + timedelta(days=1)}
        routing.add_absence(expert.id, **away, delegate_email=None, mode="cover", actor=tenant.actor, now=at)
    absent = decide(company)
    assert (absent.owner_id, absent.excluded["absent"]) == (company.owner.id, [str(expert.id)])
    with transaction():
        change_user(get_user(expert.id), {"active": False})
    gone = decide(company, at + timedelta(days=2))
    assert (gone.owner_id, gone.excluded["inactive"]) == (company.owner.id, [str(expert.id)])


@pytest.mark.usefixtures("asks_history")
def test_a_raise_costs_at_most_one_statement_more_and_none_once_the_model_is_known(
    company: Company, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def cost() -> tuple[int, int]:
        with statements() as sent:
            decide(company)
        return len(sent), sum("from suggestion_model" in statement.lower() for statement in sent)

    decide(company)
    off = cost()
    be_sure(0.999)
    store._cache.clear()
    first, again = cost(), cost()
    assert (off[1], first[1], again[1]) == (0, 1, 0)
    assert again[0] == off[0]


@pytest.mark.usefixtures("asks_history")
def test_no_rule_that_asks_no_model_is_read(
    tenant: TestTenant, company: Company, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    be_sure(0.5)
    publish(tenant, LAST)
    store._cache.clear()
    with statements() as sent:
        decide(company)
    assert not [statement for statement in sent if "suggestion_model" in statement.lower().split("where")[0]]


@pytest.mark.usefixtures("asks_history")
def test_erasing_somebody_forgets_every_model(tenant: TestTenant, company: Company, expert: User) -> None:
    """Words of their cases may stand in it; the next is learnt from what is left."""
    be_sure(0.5)
    with transaction():
        erase(find_person(expert.email), BEGAN)
    with transaction():
        assert current_version(store.CURRENT) is None
        (emptied,) = store.list_models(before=None, limit=10)
        assert (emptied.state, emptied.problem, emptied.closed) == ("skipped", store.FORGOTTEN, 0)
        assert db.session.scalar(select(SuggestionModel.content)) is None
    assert decide(company).owner_id == company.owner.id


def test_what_is_being_trained_while_somebody_is_erased_is_not_kept(
    company: Company, expert: User, asks_history: None
) -> None:
    """And its number is not given again: a process that remembers it would go on suggesting by it."""
    be_sure(0.5)
    model = learn(_told(company, expert), history.SHAPE)
    with transaction():
        number = store.want(BEGAN, closed=60).number
    with transaction():
        erase(find_person(expert.email), BEGAN)
    with transaction():
        store.keep(number, model, {}, cases=60, now=BEGAN)
    with transaction():
        assert current_version(store.CURRENT) is None
        assert db.session.scalars(select(SuggestionModel.content)).all() == [None, None]
        assert store.want(BEGAN, closed=60).number == 3


@pytest.mark.usefixtures("asks_history")
def test_a_model_of_another_release_suggests_nobody(company: Company) -> None:
    be_sure(0.1)
    with transaction():
        content = dict(db.session.scalar(select(SuggestionModel.content)) or {})
        db.session.execute(update(SuggestionModel).values(content=content | {"form": 99}))
        store._cache.clear()
    assert decide(company).rule == "last"
    store._cache.clear()


def test_training_whose_job_ran_out_of_time_is_not_given_up(
    tenant: TestTenant, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        number = store.want(BEGAN, closed=0).number
    monkeypatch.setattr(course, "train", lambda *args: sleep(30))
    with pytest.raises(queue.OutOfTime), TimeLimit(1):
        training.train_tenant(tenant.id)
    with transaction():
        assert db.session.scalar(select(SuggestionModel.state).where(SuggestionModel.number == number)) == "wanted"
