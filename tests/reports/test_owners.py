"""Owners and teams by hand: what they carry, what became of their cases, and where the time of the missed ones went."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from app.db import transaction
from app.escalations import jobs, service
from app.escalations.extending import Extension
from app.routing import service as routing
from tests.escalations.story import RESOLUTION, YES, march
from tests.reports.test_cohorts import closed

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
def ask(company, as_user):
    """`ask("owners", "20 12:00")`: a report's answer as of then, as the executive."""

    boss = as_user(company.boss)

    def read(path, at, *, user=None, **query):
        asked = {"as_of": march(at).isoformat(), **MARCH, **query}
        answer = (as_user(user) if user else boss).get(f"/api/v1/reports/{path}", query_string=asked)
        assert answer.status_code == 200, answer.text
        return answer.json

    return read


@pytest.fixture
def rows_at(company, as_user):
    """Every row at an address that a figure names, two at a time."""

    boss = as_user(company.boss)

    def read(address):
        found, more = [], None
        while True:
            cursor = {"cursor": more} if more else {}
            asked = {**{k: v for k, [v] in parse_qs(urlsplit(address).query).items()}, "limit": 2, **cursor}
            answer = boss.get("/api/v1/reports/rows", query_string=asked)
            assert answer.status_code == 200, answer.text
            found += answer.json["items"]
            more = answer.json["next_cursor"]
            if more is None:
                return found

    return read


@pytest.fixture
def desk(client, company):
    """A team of the owner, who takes on 16, and the customer-success manager, who takes on the default of 24."""
    made = client.post("/api/v1/teams", json={"name": "Desk"})
    assert made.status_code == 201, made.text
    for user, body in ((company.owner, {"capacity": 16}), (company.csm, {})):
        assert client.put(f"/api/v1/teams/{made.json['id']}/members/{user.id}", json=body).status_code == 201
    return made.json["id"]


@pytest.fixture
def told(story, company):
    """The story of March by the 20th, and what is told of it afterwards.

    All of 2 March are due on 1 April. One is closed on time; `vendor` waits nine of its 32 days; one is given on to the
    customer-success manager after its acknowledgement was due; one stays open; one is merged into that. One of the
    20th, severity 1, waits on 10 April and is due on the 19th.
    """
    closed(story("2 10:00"), "4 12:00", "5 12:00")
    vendor = story("2 10:00", reason="billing")
    vendor.do(service.acknowledge, "2 11:00")
    vendor.wait("3 10:00", 12, party="vendor")
    vendor.do(service.resume, "12 10:00")
    given = story("2 10:00")
    given.do(service.assign, "3 10:00", to=service.NewOwner(owner_id=company.csm.id), reason="Knows it")
    given.do(service.acknowledge, "5 10:00", by=company.csm)
    stays = story("2 10:00")
    stays.do(service.acknowledge, "2 11:00")
    story("2 10:30").do(service.merge, "3 10:00", into_id=stays.id, reason="The same")

    def afterwards():
        waits = story("20 13:00", severity=1)
        waits.do(service.acknowledge, "20 14:00")
        for case, who in ((vendor, company.owner), (given, company.csm)):
            case.do(service.resolve, "4-2 12:00", by=who, resolution=RESOLUTION)
            case.do(service.verify, "4-3 12:00", by=who, word=YES)
        story("4-5 10:00", severity=3)
        waits.do(service.wait, "4-8 10:00", on=service.Wait("customer", "logs", date(2026, 4, 14)))

    return afterwards


def by_name(report):
    return {item["name"]: item for item in report["items"]}


def counts(item, *names):
    return [item["closing"][name] for name in names]


def parts(item):
    return {part["part"]: part["cases"] for part in item["missed"]["parts"]}


def test_what_owners_carry_and_what_became_of_their_cases(told, fold, ask, rows_at, desk, company):
    fold("20 12:00")
    before = ask("owners", "20 11:00")
    told()
    fold("4-20 10:00")
    assert ask("owners", "20 11:00") == before
    report = ask("owners", "4-10 10:00")
    assert [item["name"] for item in report["items"]] == ["Csm", "Owner"]
    csm, owner = report["items"]
    check_owner(owner)
    check_other(csm)
    team = ask("teams", "4-10 10:00")["items"][0]
    assert (team["name"], team["members"], team["load"]["load"], team["load"]["capacity"]) == ("Desk", 2, 7.0, 40)
    assert (team["open"]["count"], team["value_in_hand"]["amount"], team["closing"]["raised"]) == (3, "120000.00", 5)
    assert (team["rerouted_away"]["count"], team["rerouted_to"]["count"], team["missed"]["count"]) == (1, 1, 3)
    for item in (owner, csm, team):
        reconcile(item, rows_at)
    early = by_name(before)["Owner"]
    assert counts(early, "raised", "on_time", "late", "open_not_due", "open_overdue") == [3, 1, 0, 2, 0]
    assert (early["missed"]["count"], early["missed"]["help"]) == (0, [])


def check_owner(owner):
    """Open: severity 2 in work 3, severity 1 waiting 2, severity 3 new 2; 39, 20 and 5 days old."""
    assert (owner["open"]["count"], owner["load"]["load"], owner["load"]["capacity"]) == (3, 7.0, 16)
    assert [(age["age"], age["cases"]) for age in owner["ageing"]] == [
        ("under_7", 1), ("from_7_to_14", 0), ("from_15_to_30", 1), ("over_30", 1)
    ]  # fmt: skip
    assert owner["value_in_hand"]["amount"] == "120000.00"  # three cases touch one contract
    assert counts(owner, "raised", "closed", "on_time", "late", "open_overdue", "open_not_due") == [4, 2, 1, 1, 1, 1]
    assert owner["closing"]["share"] == 0.3333
    assert parts(owner) == {"waited_vendor": 1, "paused_long": 1, "none_known": 1}
    assert [(one["reason"], one["cases"], one["parts"]) for one in owner["missed"]["reasons"]] == [
        ("billing", 1, {"waited_vendor": 1, "paused_long": 1}), ("other", 1, {"none_known": 1})
    ]  # fmt: skip
    assert owner["missed"]["help"][0]["said"] == "1 of 2 waited for the vendor"
    assert (owner["rerouted_away"]["count"], owner["rerouted_to"]["count"]) == (1, 0)
    right = owner["first_owner_right"]
    assert (right["ended"], right["by_first_owner"], right["share"]) == (3, 2, 0.6667)


def check_other(csm):
    assert (csm["open"]["count"], csm["load"]["load"], csm["load"]["capacity"]) == (0, 0.0, 24)
    assert counts(csm, "raised", "closed", "on_time", "late") == [1, 1, 0, 1]
    assert parts(csm) == {"rerouted": 1, "acknowledged_late": 1}
    assert (csm["rerouted_away"]["count"], csm["rerouted_to"]["count"]) == (0, 1)
    assert csm["first_owner_right"]["share"] is None


def reconcile(item, rows_at):
    """Each number has as many rows as it says, or rows that add up to it."""
    for name in ("open", "missed", "rerouted_away", "rerouted_to"):
        assert len(rows_at(item[name]["rows"])) == item[name]["count"], name
    for one in (*item["ageing"], *item["missed"]["parts"], *item["missed"]["reasons"]):
        assert len(rows_at(one["rows"])) == one["cases"], one
    for name, address in item["closing"]["rows_of"].items():
        assert len(rows_at(address)) == item["closing"][name], name
    assert sum(row["weight"] for row in rows_at(item["load"]["rows"])) == item["load"]["load"]
    assert len(rows_at(item["first_owner_right"]["rows"])) == item["first_owner_right"]["ended"]
    worth = [float(row["value"]["amount"]) for row in rows_at(item["value_in_hand"]["rows"])]
    assert sum(worth) == float(item["value_in_hand"]["amount"])


def test_who_stands_in_for_somebody_absent_carries_the_case_and_is_not_its_owner(story, fold, ask, tenant, company):
    """Away from 3 to 20 March; the delegate holds the case, and closes it late."""
    case = story("2 10:00")
    away = {"starts_at": march("3 9:00"), "ends_at": march("20 9:00"), "delegate_email": company.csm.email}
    with transaction():
        routing.add_absence(company.owner.id, mode="move", actor=tenant.actor, now=march("2 11:00"), **away)
    assert jobs.move_work_tenant(tenant.id, march("3 9:01")) == 1
    closed_by = {"by": company.csm}
    case.do(service.acknowledge, "3 10:00", **closed_by)
    fold("20 10:00")
    held = by_name(ask("owners", "10 10:00"))
    assert (held["Csm"]["open"]["count"], held["Owner"]["open"]["count"]) == (1, 0)
    case.do(service.resolve, "4-2 12:00", resolution=RESOLUTION, **closed_by)
    case.do(service.verify, "4-3 12:00", word=YES, **closed_by)
    fold("4-20 10:00")
    found = by_name(ask("owners", "4-10 10:00"))
    assert list(found) == ["Owner"]
    owner = found["Owner"]
    assert (owner["missed"]["count"], owner["rerouted_away"]["count"]) == (1, 0)
    assert owner["first_owner_right"]["share"] == 1.0


def test_time_that_went_elsewhere_is_told_apart(story, fold, ask, company):
    """One was resolved in time and confirmed late, one was given more time and waits for ourselves since 1 April."""
    case = story("2 10:00")
    case.do(service.acknowledge, "2 11:00")
    case.do(service.resolve, "31 12:00", resolution=RESOLUTION)
    case.do(service.verify, "4-3 12:00", word=YES)
    case = story("2 10:00")
    case.do(service.acknowledge, "2 11:00")
    more = Extension(until=march("4-20 10:00"), reason="Parts", customer_agreed=True)
    case.do(service.extend, "20 10:00", by=company.boss, extension=more)
    case.do(service.wait, "4-1 10:00", on=service.Wait("internal", "a colleague", date(2026, 4, 10)))
    fold("4-20 10:00")
    [owner] = ask("owners", "4-2 10:00")["items"]  # a day of 31: no tenth yet
    assert parts(owner) == {"extended": 1, "awaited_word": 1}
    [owner] = ask("owners", "4-8 10:00")["items"]  # seven days of 37
    assert parts(owner) == {"waited_internal": 1, "extended": 1, "awaited_word": 1}


def test_nobody_is_shown_what_they_may_not_see_and_nothing_is_an_answer(
    story, fold, ask, make_user, company, statements, desk, client
):
    other = make_user("executive", "other@example.com")
    story("2 10:00", restricted=True)
    story("2 10:00", about_user=other.email)
    fold("20 10:00")
    for at in ("1 10:00", "6 12:00"):
        items = ask("owners", at, user=other)["items"]
        assert [(item["open"]["count"], item["closing"]["raised"]) for item in items] == [(0, 0), (0, 0)]
    assert by_name(ask("owners", "6 12:00"))["Owner"]["open"]["count"] == 2
    with statements() as sent:
        ask("owners", "6 12:00")
    assert len([one for one in sent if "last_used_at = " not in one]) <= 10
    one = ask("owners", "6 12:00", limit=1)
    two = ask("owners", "6 12:00", limit=1, cursor=one["next_cursor"])
    assert [item["name"] for item in (*one["items"], *two["items"])] == ["Csm", "Owner"]
    assert two["next_cursor"] is None
    for part in ("owner", "team"):
        query = {"figure": "open", part: "0192aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa"}
        refused = client.get("/api/v1/reports/rows", query_string=query)
        assert (refused.status_code, refused.json["errors"][0]["parameter"]) == (422, part)
