"""The forecast as of a moment: which open cases are likely to miss, by the model that held then."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import clock
from app.db import transaction
from app.escalations import service
from app.reports.forecast import learning, store, training
from app.reports.forecast.hazard import Hazard
from app.reports.jobs import fold_tenant
from tests.escalations.story import RESOLUTION, YES, march


@pytest.fixture
def forecast(company, as_user):
    """`forecast("20 12:00")`: as of then, as the executive."""
    boss = as_user(company.boss)

    def ask(at, status=200, **query):
        as_of = (march(at) if isinstance(at, str) else at).isoformat()
        answer = boss.get("/api/v1/reports/forecast", query_string={"as_of": as_of, **query})
        assert answer.status_code == status, answer.text
        return answer.json

    return ask


def keep(tenant, model, at, measures=None):
    with transaction(tenant=tenant.id):
        number = store.want(march(at), ended=0).number
        store.claim(clock.real_now())
    with transaction(tenant=tenant.id):
        store.keep(number, model, measures or {}, now=march(at))


def test_open_cases_stand_by_their_chance_those_past_the_target_first(story, fold, forecast, rows_of):
    """On 1 April the case of 1 March has missed (due 31 March); of the others the older has the larger chance."""
    old, late, new = story("20 10:00"), story("1 10:00"), story("30 10:00")
    done = story("2 10:00")
    done.do(service.acknowledge, "2 11:00")
    done.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    done.do(service.verify, "5 12:00", word=YES)
    fold("4-2 10:00")
    found = forecast("4-1 12:00")
    assert [item["escalation"]["id"] for item in found["items"]] == [str(case.id) for case in (late, old, new)]
    first, second, third = found["items"]
    assert (first["chance"], first["missed"], first["age_days"], first["reasons"]) == (1, True, None, [])
    assert (second["age_days"], second["days_left"]) == (12, 18.0)  # summer time took an hour: 17 days 22 hours or more
    assert 1 > second["chance"] > third["chance"] > 0
    assert (found["open"], found["missed"]) == (3, 1)
    assert found["expected"] == pytest.approx(1 + second["chance"] + third["chance"], abs=0.06)
    assert (found["model"]["kind"], found["model"]["cases"]) == ("base", 9202)
    assert "UCI" in found["model"]["source"]
    assert found["model"]["measures"]["model"]["brier"] < found["model"]["measures"]["age_only"]["brier"]
    assert len(rows_of(found["rows"])) == found["open"]


@pytest.fixture
def rows_of(client):
    return lambda address: client.get(address).json["items"]


def test_pages_follow_each_other_by_chance(story, fold, forecast):
    cases = {str(story(f"{day} 10:00").id) for day in (2, 3, 4, 5, 6)}
    fold("8 10:00")
    found, cursor = [], {}
    while cursor is not None:
        page = forecast("7 12:00", limit=2, **cursor)
        found += page["items"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert {item["escalation"]["id"] for item in found} == cases
    assert len(found) == 5
    assert [item["chance"] for item in found] == sorted((item["chance"] for item in found), reverse=True)


def test_the_model_that_held_then_answers_about_the_past(tenant, story, fold, forecast):
    """From the 10th on a model by which one day in two closes a case: 22 days are left at noon of the 10th."""
    story("2 10:00")
    fold("9 10:00")
    before = forecast("8 12:00")
    keep(tenant, Hazard(0.0, {}, {}, 300), "10 10:00")
    fold("20 10:00")
    assert forecast("8 12:00") == before
    found = forecast("10 12:00")
    assert (found["model"]["kind"], found["model"]["number"], found["model"]["cases"]) == ("own", 1, 300)
    assert found["items"][0]["chance"] == pytest.approx(0.5**22, abs=1e-4)
    keep(tenant, Hazard(-9.0, {}, {}, 400), "21 10:00")
    fold("22 10:00")
    assert forecast("10 12:00") == found
    assert forecast("21 12:00")["items"][0]["chance"] == pytest.approx(1, abs=0.01)


def test_a_model_never_holds_for_a_moment_that_was_answered_for(tenant, story, fold, forecast):
    """The fold of the 12th made everything up to 11:59:58 of it final: a training of the 11th is late."""
    story("2 10:00")
    fold("12 12:00")
    before = forecast("12 11:59")
    keep(tenant, Hazard(0.0, {}, {}, 300), "11 10:00")
    assert forecast("12 11:59") == before
    fold("13 12:00")
    assert forecast("12 12:30")["model"]["number"] == 1


def test_what_moves_a_chance_is_said_in_words_with_its_points(tenant, story, fold, forecast, company):
    """By hand: log-odds −3 a day, −1 when given on once, the usual being 0; 22 days left.

    Chance: (1/(1+e⁻⁴))²² = 67.1 %; as usual (1/(1+e⁻³))²² = 34.3 %: 33 points.
    """
    case = story("2 10:00")
    case.do(service.assign, "3 10:00", to=service.NewOwner(owner_id=company.csm.id), reason="Knows it")
    fold("4 10:00")
    keep(tenant, Hazard(-3.0, {"reroutes=1": -1.0}, {"reroutes": 0.0}, 300), "5 10:00")
    fold("12 10:00")
    item = forecast("10 10:00")["items"][0]
    chance, usual = ((1 / (1 + math.exp(odds))) ** 22 for odds in (-4, -3))
    assert item["chance"] == pytest.approx(chance, abs=1e-4)
    assert item["reasons"] == [{"text": "given on once", "points": round(100 * (chance - usual))}]


def test_an_owners_load_counts_all_their_cases_and_chances_are_the_same_for_every_reader(
    story, fold, forecast, make_user, as_user, company, tenant
):
    """A case that another executive may not see weighs on its owner's other cases all the same."""
    story("2 10:00", restricted=True)
    seen = story("2 11:00")
    fold("4 10:00")
    keep(tenant, Hazard(-3.0, {"load=0": -1.0, "load=3": 1.0}, {}, 300), "5 10:00")
    for n in range(2):
        story(f"5 1{n}:00", restricted=True)
    fold("12 10:00")
    mine = {item["escalation"]["id"]: item["chance"] for item in forecast("10 12:00")["items"]}
    other = as_user(make_user("executive", "other@example.com"))
    theirs = other.get("/api/v1/reports/forecast", query_string={"as_of": march("10 12:00").isoformat()}).json
    assert theirs["open"] == 1
    assert theirs["items"][0]["chance"] == mine[str(seen.id)]
    own = forecast("10 12:00", accounts=company.account_id)
    assert {item["escalation"]["id"]: item["chance"] for item in own["items"]} == mine


def test_reading_takes_few_statements_however_many_cases_there_are(story, fold, forecast, statements):
    counts = []
    for _ in range(2):
        story("2 10:00")
        fold("3 10:00")
        with statements() as sent:
            forecast("2 12:00")
        counts.append(len([one for one in sent if "last_used_at = " not in one]))
    assert counts[1] <= counts[0]
    assert counts[1] <= 10


def test_a_page_of_the_future_or_with_an_unknown_cursor_is_refused_by_name(fold, forecast):
    fold("3 10:00")
    assert forecast("3 09:00", 422, cursor="x")["errors"][0]["parameter"] == "cursor"
    assert forecast(march("3 09:00") + timedelta(days=9999), 422)["errors"][0]["parameter"] == "as_of"


CLONE = text(
    """
    with days as (
        select n, gen_random_uuid() as id, interval '1 hour' * 6 * n as later,
               case when n % 3 = 0 then 40 when n % 3 = 1 then 2 else 9 end as after, 1 + n % 3 as severity
        from generate_series(1, 240) n
    ), cases as (
        insert into escalation select (jsonb_populate_record(e, jsonb_build_object('id', d.id, 'number', 5000 + d.n,
            'status', 'closed', 'raised_at', e.raised_at + d.later, 'closed_at', e.raised_at + d.later))).*
        from escalation e, days d where e.number < 5000
    )
    insert into case_fact
    select (jsonb_populate_record(f, jsonb_build_object(
        'id', gen_random_uuid(), 'escalation_id', d.id, 'severity', d.severity, 'raised_at', f.raised_at + d.later,
        'close_target_at', f.close_target_at + d.later,
        'known_from', case when closed then f.raised_at + d.later + d.after * interval '1 day'
                      else f.raised_at + d.later end,
        'known_until', case when closed then timestamptz '9999-01-01 00:00Z'
                       else f.raised_at + d.later + d.after * interval '1 day' end,
        'standing', case when not closed then 'open' when d.after > 30 then 'late' else 'on_time' end,
        'status', case when closed then 'closed' else 'in_progress' end,
        'closed_at', case when closed then f.raised_at + d.later + d.after * interval '1 day' end))).*
    from case_fact f, days d, unnest(array[false, true]) closed
    """
)


def test_a_days_training_learns_from_the_tenants_cases_and_is_asked_from_then_on(
    tenant, story, fold, forecast, company
):
    """240 cases in two months: those of severity 1 take 40 days, of 2 two days, of 3 nine days, always."""
    story("2 10:00")
    fold("3 10:00")
    with transaction() as session:
        session.execute(CLONE)
    assert fold_tenant(tenant.id, march("2 10:00") + timedelta(days=120)) is False
    at = march("2 10:00") + timedelta(days=120)
    with transaction():
        assert training.want_forecast(at) is True
    assert training.train_tenant(tenant.id, at) is True
    assert training.train_tenant(tenant.id, at) is False
    with transaction():
        assert training.want_forecast(at) is False  # nothing was closed since
        newest = store.newest()
        assert (newest.state, newest.problem, newest.cases) == ("trained", None, 241)
    moment = march("2 10:00") + timedelta(days=50)
    for severity in (1, 2):
        story("6-30 10:00", severity=severity)
    fold("7-2 10:00")
    assert forecast(moment)["model"]["kind"] == "base"
    found = forecast("7-1 10:00")
    assert found["model"]["kind"] == "own"
    quality = found["model"]["measures"]
    assert quality["model"]["brier"] < quality["age_only"]["brier"] < quality["share_so_far"]["brier"]
    chances = {item["severity"]: item["chance"] for item in found["items"] if not item["missed"]}
    assert chances[1] > 0.6 > 0.3 > chances[2]


def test_too_little_history_or_a_missing_extra_is_noted_and_the_base_goes_on(
    tenant, story, fold, forecast, monkeypatch
):
    story("2 10:00")
    fold("3 10:00")
    with transaction():
        assert training.want_forecast(march("3 11:00")) is False  # one case, and not closed
        store.want(march("3 11:00"), ended=100)
    assert training.train_tenant(tenant.id, march("3 11:00")) is True
    with transaction():
        assert (store.newest().state, store.newest().problem) == (
            "skipped", "0 closed cases, expected at least 100"
        )  # fmt: skip
        store.want(march("3 11:00"), ended=100)
    monkeypatch.setattr(learning, "find_spec", lambda name: None)
    assert training.train_tenant(tenant.id, march("3 11:00")) is True
    with transaction():
        assert (store.newest().state, store.newest().problem) == ("skipped", learning.INSTALL)
    assert forecast("2 12:00")["model"]["kind"] == "base"
