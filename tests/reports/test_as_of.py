"""The same question about the past gets the same answer, whatever is recorded later, also when all is made anew."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.models import Account
from app.db import db, transaction
from app.errors import AppError
from app.escalations import service
from app.escalations.jobs import reprioritise_tenant
from app.reports import jobs
from app.reports.folding import FOREVER, Raised
from app.reports.folding import fold as fold_states
from app.reports.models import CaseFact, CohortDay, CohortMonth, LateEntry
from app.reports.over_time import value_over_time
from app.reports.reading import reading
from tests.conftest import actor_of
from tests.escalations.story import NO, RESOLUTION, YES, march
from tests.reports.test_causes import reconcile
from tests.reports.test_owners import rows_at

__all__ = ["rows_at"]


def kept(model, *unsaid):
    """Every row of a table, without its id."""
    columns = [column for column in model.__table__.columns if column.name not in ("id", *unsaid)]
    with transaction():
        return {tuple(str(value) for value in row) for row in db.session.execute(select(*columns))}


def test_a_moment_of_the_future_is_refused_by_name(client, fold):
    fold("3 10:00")
    answer = client.get("/api/v1/reports/summary", query_string={"as_of": "2999-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "as_of")


def test_days_in_the_wrong_order_and_naive_moments_are_refused(client, fold):
    fold("3 10:00")
    for query in ({"from": "2026-03-02", "to": "2026-03-01"}, {"as_of": "2026-03-02T10:00:00"}, {"figure": "x"}):
        path = "rows" if "figure" in query else "summary"
        assert client.get(f"/api/v1/reports/{path}", query_string=query).status_code == 422


def test_until_the_facts_are_made_reports_say_so(client):
    answer = client.get("/api/v1/reports/summary")
    assert (answer.status_code, answer.json["code"]) == (503, "facts_being_made")


def test_a_tenant_without_data_and_a_moment_before_the_first_row_answer_with_nothing(story, fold, summary, client):
    fold("3 10:00")
    for _ in range(2):
        found = summary("1 10:00")
        assert (found["open"]["count"], found["value_at_stake"]["amount"], found["on_time"]["share"]) == (
            0,
            "0.00",
            None,
        )
        assert (found["survival"]["points"], found["changes"]["items"]) == ([], [])
        story("4 10:00")
        fold("5 10:00")


def test_what_is_asked_beyond_the_last_final_moment_is_answered_for_that_and_says_how_late_it_is(story, fold, summary):
    """The fold of 12:00 makes answers final up to two seconds before."""
    story("2 10:00")
    fold("2 12:00")
    found = summary("2 12:30")
    assert (found["as_of"], found["lag_seconds"]) == ("2026-03-02T11:59:58Z", 1802.0)


def test_something_recorded_earlier_and_found_later_changes_no_answer_given(story, fold, summary):
    """The fold of the 5th made the 4th final; a raise recorded on the 3rd is committed after it."""
    story("2 10:00")
    fold("5 10:00")
    before = summary("4 10:00")
    story("3 10:00", severity=1)
    fold("5 11:00")
    assert summary("4 10:00") == before
    assert (summary("5 09:59")["open"]["count"], summary("5 10:00")["open"]["count"]) == (1, 2)
    facts, sums = kept(CaseFact), kept(CohortDay)
    assert len(kept(LateEntry)) >= 2
    jobs.rebuild_tenant(story("6 10:00").tenant.id, march("7 10:00"))
    assert facts <= kept(CaseFact)
    assert sums <= kept(CohortDay)
    assert summary("4 10:00") == before


def test_a_rate_recorded_earlier_and_found_later_changes_no_answer_given(story, fold, summary, buy):
    story("2 10:00", account_id=buy("E", "K-E", 1000, "EUR"))
    fold("3 10:00")
    before = summary("2 12:00")
    with transaction():
        accounts.upsert_rate("EUR", "2026-03-01", "1.25", now=march("2 11:00"))
    fold("4 10:00")
    assert summary("2 12:00") == before
    assert summary("3 12:00")["value_at_stake"]["amount"] == "1250.00"


def test_across_a_change_to_summer_time_a_local_day_is_summed_whole(tenant, client, story, fold, summary):
    """In Berlin 29 March 2026 has 23 hours: it ends at 22:00 UTC, the day before at 23:00."""
    changed = client.patch("/api/v1/settings", json={"timezone": "Europe/Berlin"}, if_match="*")
    assert changed.status_code == 200, changed.text
    for at in ("28 22:59", "28 23:00", "29 21:59", "29 22:00"):
        story(at)
    fold("4-2 10:00")
    with transaction():
        ends = db.session.execute(select(CohortDay.ended_at, CohortDay.raised).order_by(CohortDay.ended_at)).all()
    assert [(end, raised) for end, raised in ends] == [
        (march("28 23:00"), 1), (march("29 22:00"), 2), (march("30 22:00"), 1)
    ]  # fmt: skip
    raised = [summary(at)["on_time"]["raised"] for at in ("28 22:59", "28 23:00", "29 01:30", "29 22:00")]
    assert raised == [1, 2, 2, 4]


ACTIONS = ("acknowledge", "resolve", "accept", "reject", "reopen", "escalate", "extend", "give", "end", "merge", "edit",
           "worth", "rate", "raise", "restrict", "wait", "resume", "promise")  # fmt: skip


class Play:
    """A random story over several weeks; what the lifecycle refuses is left out."""

    def __init__(self, seed, story, company, buy):
        self.chance = random.Random(seed)
        self.story, self.company, self.buy = story, company, buy
        self.cases, self.at = [], march("20 10:00")  # so that a month ends on the way

    def step(self):
        self.at += timedelta(minutes=self.chance.randint(1, 900))
        action = self.chance.choice(ACTIONS) if self.cases else "raise"
        with suppress(AppError):
            getattr(self, action)(f"{self.at.month}-{self.at.day} {self.at:%H:%M}")

    def raise_(self, at):
        names = [("A", "USD"), ("B", "EUR"), ("C", "JPY")]
        name, currency = self.chance.choice(names)
        account = self.buy(name, f"K-{name}", self.chance.randint(1, 9) * 100, currency, at=at)
        if self.chance.random() < 0.3:
            account = self.below(name)
        self.cases.append(self.story(at, account_id=account, severity=self.chance.randint(1, 4)))

    def below(self, parent):
        """An account that has no contract but its parent's, which changes now and then; and a deal of its own."""
        deal = {"name": "More", "amount": 400, "currency": "USD", "probability": 0.5, "closes_on": "2026-09-01"}
        with transaction():
            child = {"name": "Child", "parent_external_id": parent}
            account = accounts.upsert_account("crm", "CHILD", child, now=self.at).record
            accounts.upsert_opportunity("crm", "CHILD", "D-1", deal, now=self.at)
        return account.id

    def wait(self, at):
        party = self.chance.choice(["customer", "vendor", "internal"])
        self.do(service.wait, at, on=service.Wait(party, "logs", (self.at + timedelta(days=3)).date()))

    def resume(self, at):
        self.do(service.resume, at)

    def promise(self, at):
        due_on = (self.at + timedelta(days=9)).date()
        promised = {"action": "Watch the disks", "owner_email": self.company.csm.email, "due_on": due_on}
        self.do(service.resolve, at, resolution=replace(RESOLUTION, prevention=promised))

    def do(self, use_case, at, **values):
        self.chance.choice(self.cases).do(use_case, at, by=self.company.boss, **values)

    def acknowledge(self, at):
        self.do(service.acknowledge, at)

    def resolve(self, at):
        self.do(service.resolve, at, resolution=RESOLUTION)

    def accept(self, at):
        self.do(service.verify, at, word=YES)

    def reject(self, at):
        self.do(service.verify, at, word=NO)

    def reopen(self, at):
        self.do(service.reopen, at, reason="Again")

    def escalate(self, at):
        self.do(service.escalate, at, hop=service.Hop(reason="time", brief="All"))

    def extend(self, at):
        until = self.at + timedelta(days=self.chance.randint(20, 60))
        self.do(service.extend, at, extension=service.Extension(until=until, reason="More", customer_agreed=True))

    def give(self, at):
        owner = self.chance.choice([self.company.csm, self.company.owner])
        self.do(service.assign, at, to=service.NewOwner(owner_id=owner.id), reason="Load")

    def end(self, at):
        outcome = self.chance.choice(["withdrawn", "mistaken"])
        self.do(service.close_unresolved, at, outcome=outcome, reason="So be it")

    def merge(self, at):
        self.do(service.merge, at, into_id=self.chance.choice(self.cases).id, reason="The same")

    def edit(self, at):
        self.do(service.edit, at, changes={"severity": self.chance.randint(1, 4), "severity_reason": "Less"})

    def restrict(self, at):
        self.do(service.edit, at, changes={"reason": self.chance.choice(["billing", "security"])})

    def worth(self, at):
        name, currency = self.chance.choice([("A", "USD"), ("B", "EUR")])
        self.buy(name, f"K-{name}", self.chance.randint(1, 9) * 100, currency, at=at)

    def rate(self, at):
        day = (self.at - timedelta(days=self.chance.randint(0, 9))).date().isoformat()
        with transaction():
            accounts.upsert_rate("EUR", day, str(self.chance.randint(50, 200) / 100), now=self.at)


setattr(Play, "raise", Play.raise_)


@pytest.fixture
def others(company, as_user):
    """Every other report as of a moment, by its address, as the executive reads them."""
    boss = as_user(company.boss)
    names = ("owners", "teams", "causes", "accounts", f"accounts/{company.account_id}", "forecast", "early-warning")

    def ask(moment):
        asked = {"as_of": moment.isoformat()}
        answers = {name: boss.get(f"/api/v1/reports/{name}", query_string=asked) for name in names}
        assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(names, 200)
        return {name: answer.json for name, answer in answers.items()}

    return ask


@pytest.fixture
def counted_otherwise(company, as_user):
    """The summary counted from the facts of all accounts by name, and its value added up line by line."""
    boss = as_user(company.boss)

    def ask(moment):
        with transaction():
            ids = ",".join(map(str, db.session.scalars(select(Account.id))))
        asked = {"as_of": moment.isoformat(), "accounts": ids}
        found = boss.get("/api/v1/reports/summary", query_string=asked).json
        rows = boss.get("/api/v1/reports/rows", query_string={**asked, "figure": "value_at_stake"}).json["items"]
        amounts = [Decimal(row["value"]["amount"]) for row in rows if row["value"]["amount"] is not None]
        return without_addresses(found), sum(amounts, Decimal(0))

    return ask


def without_addresses(found):
    if isinstance(found, dict):
        return {name: without_addresses(value) for name, value in found.items() if name != "rows"}
    return [without_addresses(one) for one in found] if isinstance(found, list) else found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_answers_recorded_at_the_time_are_given_again_at_the_end(
    seed, story, company, buy, fold, summary, others, rows_at, counted_otherwise, tenant
):
    """Random stories are folded at random moments; every answer given is asked for again at the end, and again when
    everything was made anew; and what was kept equals what is made anew. Of one story the other reports, too, of which
    causes and owners equal what their rows add up to; value over time equals what the summary says of each moment. A
    summary equals what is counted without sums, and its value what its lines add up to."""
    play, given, more = Play(seed, story, company, buy), {}, {}
    for n in range(70):
        play.step()
        if play.chance.random() < 0.3:
            jobs.fold_tenant(tenant.id, play.at)
            moment = play.at - timedelta(minutes=play.chance.randint(1, 3000))
            given[moment] = summary(moment)
            if seed == 1 and len(given) % 4 == 0:
                more[moment] = others(moment)
        if n % 20 == 19:
            reprioritise_tenant(tenant.id, play.at)
    jobs.fold_tenant(tenant.id, play.at + timedelta(days=3))
    assert len(given) > 10
    assert len({str(answer["open"]) for answer in given.values()}) > 3
    assert len(more) >= 3 or seed > 1
    for moment, answer in given.items():
        assert summary(moment) == answer
    for moment, answers in more.items():
        assert others(moment) == answers
        reconcile(answers["causes"]["total"], rows_at)
        for owner in answers["owners"]["items"]:
            for name in ("open", "missed", "rerouted_away", "rerouted_to"):
                assert len(rows_at(owner[name]["rows"])) == owner[name]["count"]
            for name, address in owner["closing"]["rows_of"].items():
                assert len(rows_at(address)) == owner["closing"][name]
    with transaction(), reading(play.at, actor=actor_of(company.boss), now=play.at + timedelta(days=3)) as asked:
        over_time = value_over_time(asked)
    assert len(over_time) >= 3
    for point in over_time:
        told = summary(point["at"])
        amount = None if point["amount"] is None else str(point["amount"])
        assert (told["value_at_stake"]["amount"], told["open"]["count"]) == (amount, point["cases"])
    for moment, answer in given.items():
        value = Decimal(answer["value_at_stake"]["amount"] or 0)
        assert counted_otherwise(moment) == (without_addresses(answer), value)
    tables = (CaseFact, CohortDay, CohortMonth)
    facts = [kept(table) for table in tables]
    assert all(facts)
    jobs.rebuild_tenant(tenant.id, play.at + timedelta(days=3))
    assert [kept(table) for table in tables] == facts
    for moment, answer in given.items():
        assert summary(moment) == answer
    for moment, answers in more.items():
        assert others(moment) == answers


def test_facts_of_a_case_follow_each_other_without_gap_and_the_last_holds(story, fold):
    case = story("2 10:00")
    case.do(service.acknowledge, "2 11:00")
    fold("2 12:00")
    case.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    fold("5 12:00")
    with transaction():
        asked = select(CaseFact.known_from, CaseFact.known_until, CaseFact.status).order_by(CaseFact.known_from)
        found = [tuple(row) for row in db.session.execute(asked)]
    assert found == [
        (march("2 10:00"), march("2 11:00"), "open"),
        (march("2 11:00"), march("4 12:00"), "in_progress"),
        (march("4 12:00"), FOREVER, "resolved"),
    ]


def test_a_case_raised_after_the_entries_that_count_has_no_facts_yet():
    """While facts are made anew, a case may be found whose first entry lies beyond the cursor: it is folded after."""
    case = Raised(UUID(int=1), march("2 10:00"), date(2026, 3, 2), march("4-1 10:00"))
    assert fold_states(case, [], []) == []
