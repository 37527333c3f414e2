"""The report on one account: figures by hand, as of any moment, and what its brief may not say."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from app.accounts import service as accounts
from app.db import db, transaction
from app.escalations import prevention, service
from app.escalations.case import Act
from app.escalations.extending import Extension
from app.escalations.models import PreventionAction
from tests.conftest import actor_of
from tests.escalations.story import RESOLUTION, YES, march

PREVENTED = {"action": "Alert on the quota", "owner_email": "csm@example.com", "due_on": date(2026, 3, 20)}


@pytest.fixture
def report(company, as_user):
    """`report("20 12:00")`: the report on the company's account as of then, as the executive."""
    boss = as_user(company.boss)

    def ask(at, account=None, *, client=boss, **query):
        path = f"/api/v1/reports/accounts/{account or company.account_id}"
        answer = client.get(path, query_string={"as_of": march(at).isoformat(), **query})
        assert answer.status_code == 200, answer.text
        return answer.json

    return ask


@pytest.fixture
def rows(company, as_user):
    """Every row behind an address, read two at a time."""
    boss = as_user(company.boss)

    def read(address):
        found, cursor = [], ""
        while True:
            answer = boss.get(f"{address}&limit=2{cursor}")
            assert answer.status_code == 200, answer.text
            found += answer.json["items"]
            if answer.json["next_cursor"] is None:
                return found
            cursor = f"&cursor={answer.json['next_cursor']}"

    return read


@pytest.fixture
def two_cases(story, company):
    """One is told of on the 3rd and the 9th, resolved on the 11th with a promise for the 20th, confirmed on the 12th;
    one of severity 1 is raised on the 5th, on which the customer writes on the 6th and nobody answers."""

    def tell():
        first = story("2 10:00")
        first.do(service.acknowledge, "2 11:00")
        first.update("3 10:00")
        second = story("5 10:00", severity=1)
        second.message("6 10:00")
        first.update("9 10:00")
        first.do(service.resolve, "11 9:00", resolution=replace(RESOLUTION, prevention=PREVENTED))
        first.do(service.verify, "12 10:00", word=YES)
        return first, second

    return tell


def finish(action_id, by, at, **changes):
    """Somebody says what became of a prevention action."""
    with transaction():
        act = Act(actor_of(by), march(at))
        prevention.change_action(action_id, act=act, changes={"state": "done", **changes}, check=lambda row: None)


def the_action():
    with transaction():
        return db.session.scalars(db.select(PreventionAction.id)).one()


def test_the_story_of_two_cases_by_hand(two_cases, fold, report, company, rows):
    """Office hours are 9 to 17, so of a promise of two business days given on Tuesday the 3rd at 10:00 the end is
    Thursday the 5th at 10:00, of five given on Monday the 2nd at 11:00 Monday the 9th at 11:00."""
    first, second = two_cases()
    fold("13 10:00")
    finish(the_action(), company.csm, "18 10:00")
    fold("25 10:00")
    then, later = report("10 12:00"), report("24 12:00")

    assert (then["open"]["count"], then["open"]["overdue"], then["open"]["next_due"]) == (2, 0, "2026-04-01T10:00:00Z")
    assert [case["escalation"]["id"] for case in then["open"]["items"]] == [str(first.id), str(second.id)]
    assert (then["value"]["amount"], then["value"]["own"]["amount"], then["value"]["line_count"]) == (
        "120000.00", "120000.00", 1
    )  # fmt: skip
    kinds = {
        row["clock"]: tuple(row[name] for name in ("kept", "missed", "overdue", "running"))
        for row in then["promises"]["kinds"]
    }
    assert kinds == {
        "acknowledge": (1, 0, 1, 0),  # the second's was due on the 5th at 14:00
        "respond": (1, 0, 1, 0),  # the second's began with the message and was due on the 9th at 10:00
        "reply": (0, 0, 1, 0),
        "customer_update": (0, 1, 0, 1),  # due on the 5th, kept on the 9th; the next is due on the 11th
        "plan": (0, 0, 1, 0),  # due on the 9th at 11:00
        "still_on_it": (2, 0, 0, 1),  # the updates were signs of work
        "close": (0, 0, 0, 2),
    }
    towards = then["promises"]["to_customer"]
    assert (towards["kept"], towards["missed"], towards["overdue"]) == (1, 1, 3)
    told = then["told"]
    assert (told["updates"], told["messages"], told["last_told"]["at"]) == (2, 1, "2026-03-09T10:00:00Z")
    assert (told["longest_silence"]["days"], told["longest_silence"]["escalation"]["number"]) == (6, "ESC-1")
    assert (then["causes"]["items"], then["prevention"]["promised"]) == ([], 0)

    assert (later["open"]["count"], later["on_time"]["on_time"], later["on_time"]["share"]) == (1, 1, 1.0)
    assert later["over_time"]["months"] == [{"month": "2026-03-01", "raised": 2, "closed": 1, "open": 1}]
    silence = later["told"]["longest_silence"]
    assert (silence["days"], silence["goes_on"], silence["escalation"]["number"]) == (19, True, "ESC-2")
    [cause] = later["causes"]["items"]
    assert (cause["root_cause"], cause["preventable"], later["causes"]["preventable_share"]) == (
        "A full disk", True, 1.0
    )  # fmt: skip
    [action] = later["prevention"]["items"]
    assert (action["action"], action["state"], action["ended_on"], action["by_its_day"]) == (
        "Alert on the quota", "done", "2026-03-18", True
    )  # fmt: skip
    assert (later["prevention"]["done"], later["prevention"]["done_by_their_day"]) == (1, 1)
    people = later["people"]
    assert [(one["name"], one["on_time"]) for one in people["thank"]] == [("Owner", 1)]
    assert people["thank_customer"] == [{"name": "Jo", "confirmed": 1}]
    assert [(one["name"], one["open"]) for one in people["ask"]] == [("Owner", 1)]

    for found in (then, later):  # what a figure says is what its rows are
        listed = rows(found["promises"]["rows"])
        counts = {name: sum(row["kept"] == name for row in listed) for name in ("kept", "missed", "overdue", "running")}
        assert counts == {name: found["promises"][name] for name in counts}
        said = [row["kind"] for row in rows(found["told"]["rows"])]
        assert (said.count("update"), said.count("message")) == (found["told"]["updates"], found["told"]["messages"])
        assert len(rows(found["causes"]["rows"])) == found["causes"]["count"]
        assert len(rows(found["prevention"]["rows"])) == found["prevention"]["promised"]
        assert len(rows(found["open"]["rows"])) == found["open"]["count"]
        assert len(rows(found["on_time"]["rows"])) == found["on_time"]["raised"]
        assert len(rows(found["over_time"]["rows"])) == found["over_time"]["raised"]
        assert len(rows(found["recurrence"]["rows"])) == found["recurrence"]["count"]
        assert [row["value"]["amount"] for row in rows(found["value"]["rows"])] == ["120000.00"]
        assert [row["value"]["amount"] for row in rows(found["renewal"]["rows"])] == ["120000.00"]


def test_what_is_written_among_us_is_in_no_part_of_the_brief(two_cases, fold, report):
    """Comments, attempts, updates to the account team, root causes and prevention actions are ours; what a draft to the
    customer may not name, money, renewal, health and who works on it, is not for their ears."""
    first, second = two_cases()
    first.do(service.reopen, "13 9:00", reason="inner reopening")
    second.do(service.add_comment, "13 10:00", content="inner comment")
    second.do(service.add_attempt, "13 10:30", what="inner attempt", result="inner result", at=None)
    text_among_us = {"audiences": ["account_team"], "channel": "email", "content": "inner update", "at": None}
    second.do(service.add_update, "13 11:00", **text_among_us)
    fold("14 10:00")
    brief = report("13 12:00")["brief"]
    for inner in ("inner", "A full disk", "Alert on the quota", "Fixed"):
        assert inner not in brief["text"]
    assert brief["for_customer"] == [
        "ESC-1 Exports fail: raised on Mon 2 Mar 2026, in work, to be closed by Wed 1 Apr 2026.",
        "ESC-2 Exports fail: raised on Thu 5 Mar 2026, not taken up yet, to be closed by Sat 4 Apr 2026.",
        "You last heard from us on Mon 9 Mar 2026.",
        "We last heard from you on Fri 6 Mar 2026.",
    ]
    assert brief["for_us"][:3] == ["$120,000 at stake.", "Renews on Sat 1 Jan 2028, in 659 days.", "Health 40 of 100."]
    assert brief["for_us"][-2:] == ["To thank: Jo.", "To ask: Owner."]
    theirs = brief["text"].split("FOR US ALONE")[0]
    for ours in ("$", "Health", "Owner", "stake"):
        assert ours not in theirs


def test_the_same_moment_is_answered_for_as_it_was_then(two_cases, fold, report, company, tenant):
    """Answers at four moments are asked for again after the account got other people, another health, and the cases
    went on."""
    two_cases()
    fold("13 10:00")
    moments = ("2 12:00", "5 12:00", "10 12:00", "12 12:00")
    given = {at: report(at) for at in moments}
    with transaction():
        fields = {"health": 90, "owner_email": company.csm.email, "csm_email": None, "segment": "small"}
        accounts.upsert_account("crm", "A-1", fields, now=march("14 10:00"))
        more = {"arr": "1.00", "currency": "USD", "starts_on": "2026-01-01"}
        accounts.upsert_contract("crm", "A-1", "K-1", more, now=march("14 10:00"))
    finish(the_action(), company.csm, "18 10:00")
    fold("25 10:00")
    assert {at: report(at) for at in moments} == given
    now = report("24 12:00")
    assert (now["account"]["health"], now["people"]["owner"]["name"], now["people"]["csm"]) == (90, "Csm", None)
    assert (given["12 12:00"]["account"]["health"], given["12 12:00"]["people"]["csm"]["name"]) == (40, "Csm")


def test_what_was_recorded_before_and_found_later_changes_no_answer_given(story, fold, report):
    """The fold of the 5th made the 4th final; an update and a message recorded on the 3rd are committed after it."""
    case = story("2 10:00")
    fold("5 10:00")
    before = report("4 10:00")
    case.update("3 10:00")
    case.message("3 11:00")
    fold("5 11:00")
    assert report("4 10:00") == before
    told = report("5 10:30")["told"]
    assert (before["told"]["updates"], told["updates"], told["messages"]) == (0, 1, 1)
    assert report("5 10:30")["promises"] != before["promises"]


def test_a_parents_report_counts_the_accounts_below_it_and_says_so(story, fold, report, buy, rows):
    parent = buy("P", "K-P", 1000)
    with transaction():
        fields = {"name": "Child", "parent_external_id": "P"}
        child = accounts.upsert_account("crm", "C", fields, now=march("1 9:00")).record.id
        own = {"arr": 30, "currency": "USD", "starts_on": "2026-01-01"}
        accounts.upsert_contract("crm", "C", "K-C", own, now=march("1 9:00"))
    for account in (parent, parent, child):
        story("2 10:00", account_id=account)
    fold("3 10:00")
    group = report("2 12:00", parent)
    assert (group["open"]["count"], group["value"]["amount"], group["value"]["own"]["amount"]) == (
        3, "1030.00", "1000.00"
    )  # fmt: skip
    assert [(one["name"], one["open"]) for one in group["covers"]["below"]] == [("Child", 1)]
    assert "The cases of 1 account that stood below this one are counted, too." in group["notes"]
    assert (len(rows(group["open"]["rows"])), len(rows(group["value"]["rows"]))) == (3, 2)
    alone = report("2 12:00", parent, own="true")
    assert (alone["open"]["count"], alone["value"]["amount"], alone["covers"]["accounts"]) == (2, "1000.00", 1)
    assert (len(rows(alone["open"]["rows"])), len(rows(alone["value"]["rows"]))) == (2, 1)
    below = report("2 12:00", child)
    assert (below["open"]["count"], below["account"]["part_of"]["name"]) == (1, "P")


def test_an_extension_is_late_by_the_original_and_what_comes_back_is_counted(story, fold, report, company, rows):
    """Due on 1 April, extended to 20 April, closed on the 9th; opened again on the 10th and closed on the 12th."""
    case = story("2 10:00")
    case.do(service.acknowledge, "2 11:00")
    until = Extension(until=march("4-20 10:00"), reason="More", customer_agreed=True)
    case.do(service.extend, "3 10:00", by=company.boss, extension=until)
    case.do(service.resolve, "4-8 10:00", resolution=RESOLUTION)
    case.do(service.verify, "4-9 10:00", word=YES)
    case.do(service.reopen, "4-10 10:00", reason="Again")
    case.do(service.resolve, "4-11 10:00", resolution=RESOLUTION)
    case.do(service.verify, "4-12 10:00", word=YES)
    story("2 10:00")
    fold("4-20 10:00")
    found = report("4-13 10:00")
    [close] = [row for row in found["promises"]["kinds"] if row["clock"] == "close"]
    assert (close["kept"], close["missed"], close["late_by_original"], close["overdue"]) == (0, 1, 1, 1)
    assert (found["recurrence"]["count"], found["recurrence"]["reopened"]) == (1, 1)
    assert [row["reason"] for row in found["recurrence"]["repeated"]] == ["other"]
    assert len(rows(found["recurrence"]["rows"])) == 1
    months = [(row["month"], row["raised"], row["closed"], row["open"]) for row in found["over_time"]["months"]]
    assert months == [("2026-03-01", 2, 0, 2), ("2026-04-01", 0, 1, 1)]
    reopened = report("4-10 12:00")["open"]
    assert (reopened["count"], reopened["overdue"]) == (2, 2)


def test_nothing_before_the_first_row_and_nothing_of_an_account_without_cases(story, fold, report, buy):
    empty = buy("E", "K-E", 1000)
    story("4 10:00")
    fold("5 10:00")
    for found in (report("2 12:00"), report("4 12:00", empty)):
        assert (found["open"]["count"], found["value"]["amount"], found["on_time"]["share"]) == (0, "0.00", None)
        assert (found["over_time"]["months"], found["promises"]["kinds"]) == ([], [])
        assert found["notes"][0] == "No escalation of this account was known by then."
        assert found["brief"]["for_customer"] == ["Nothing is open, and nothing was closed in these months."]


def test_an_account_merged_or_deleted_since_is_told_of_under_its_own_name(story, fold, report, company, buy):
    survivor = buy("S", "K-S", 1)
    story("2 10:00")
    fold("3 10:00")
    before = report("2 12:00")
    with transaction():
        said = {"id": company.account_id, "gone": march("10 10:00"), "into": survivor}
        db.session.execute(text("update account set gone_at = :gone, merged_into_id = :into where id = :id"), said)
    after = report("2 12:00")
    assert after["notes"][:2] == [
        "Merged into S in your CRM: this tells what was known under its own name.",
        "Deleted in your CRM on Tue 10 Mar 2026, after the moment told of.",
    ]
    assert {name: after[name] for name in ("open", "value", "renewal", "story")} == {
        name: before[name] for name in ("open", "value", "renewal", "story")
    }


def test_an_unknown_account_and_another_tenants_are_not_found_and_hidden_cases_are_in_no_figure(
    story, fold, report, company, client, make_user, as_user, tenant, new_tenant, rows
):
    other = make_user("executive", "other@example.com")
    story("2 10:00", restricted=True)
    story("2 10:00", about_user=other.email)
    fold("3 10:00")
    seen = report("2 12:00", client=as_user(other))
    assert (seen["open"]["count"], seen["value"]["amount"], seen["over_time"]["raised"]) == (0, "0.00", 0)
    assert (seen["promises"]["kinds"], seen["told"]["longest_silence"]) == ([], None)
    assert seen["notes"][0] == "No escalation of this account was known by then."
    assert report("2 12:00", client=client)["open"]["count"] == 2
    for unknown in ("00000000-0000-7000-8000-000000000000", new_tenant("Other").id):
        assert client.get(f"/api/v1/reports/accounts/{unknown}").status_code == 404
    answer = client.get("/api/v1/reports/rows?figure=promises")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "account")


def test_the_list_has_the_accounts_by_value_with_their_story_in_a_line(story, fold, buy, client, company):
    small = buy("S", "K-S", 10, ends_on="2026-03-31")
    for _ in range(2):
        story("2 10:00", account_id=small)
    story("3 10:00")
    story("3 10:00", account_id=buy("J", "K-J", 7, "JPY"))
    fold("4-20 10:00")
    asked = {"as_of": march("10 12:00").isoformat(), "limit": 2}
    first = client.get("/api/v1/reports/accounts", query_string=asked).json
    last = client.get("/api/v1/reports/accounts", query_string={**asked, "cursor": first["next_cursor"]}).json
    found = [*first["items"], *last["items"]]
    assert [(row["account"]["name"], row["value"]["amount"], row["value"]["incomplete"]) for row in found] == [
        ("J", None, True), ("Globex", "120000.00", False), ("S", "10.00", False)
    ]  # fmt: skip
    assert last["next_cursor"] is None
    opened = "2 open, the oldest since Mon 2 Mar 2026"
    assert found[2]["story"] == f"{opened} · the first is due in 21 days · renews in 22 days"
    listed = client.get(first["rows"]).json["items"]
    assert [row["account"]["id"] for row in listed] == [row["account"]["id"] for row in found]
    late = client.get("/api/v1/reports/accounts", query_string={"as_of": march("4-10 12:00").isoformat()}).json
    assert late["items"][2]["story"] == f"{opened} · 2 past their target"


def test_list_and_report_take_the_same_few_statements_however_much_there_is(
    two_cases, fold, report, client, statements
):
    """Beside sign-in, tenant, how far facts are made and what is hidden: five for a report, three for a list."""
    counts = []
    for _ in range(2):
        two_cases()
        fold("25 10:00")
        report("10 12:00")  # calendars are read once
        with statements() as sent:
            report("10 12:00")
            client.get("/api/v1/reports/accounts", query_string={"as_of": march("10 12:00").isoformat()})
        counts.append(
            len(
                [
                    one
                    for one in sent
                    if any(table in one for table in ("case_fact", "clock ", "rate_entry", "account_history", "event"))
                ]
            )
        )
    assert counts[0] == counts[1] == 8


def test_the_page_to_read_before_the_call(two_cases, fold, company, panel):
    """What the report says stands on its page, in the reader's language, with doors to cases, rows and back."""
    second = two_cases()[1]
    fold("25 10:00")
    boss = panel(company.boss)
    path = f"/reports/accounts/{company.account_id}"
    shown = boss.get(f"{path}?as_of=2026-03-24T12:00").text
    for said in ("Globex", "1 escalation is open", "FOR US ALONE", "A full disk", "Alert on the quota", "Jo"):
        assert said in shown
    for door in (f"#/escalations/{second.id}", f"#/accounts/{company.account_id}", "#/reports/rows?figure=promises"):
        assert door in shown
    assert "<svg" in shown
    listed = boss.get("/reports/accounts?as_of=2026-03-24T12:00").text
    assert f"#{path}?as_of=2026-03-24T12" in listed
    assert "1 open since Thu 5 Mar 2026" in listed
    german = boss.get(f"{path}?as_of=2026-03-24T12:00", headers={"Accept-Language": "de"}).text
    assert "NUR FÜR UNS" in german
    wanted = {"report": "account", "format": "csv", "account_id": company.account_id, "as_of": "2026-03-24T12:00:00Z"}
    assert boss.post("/reports/exports", wanted).status_code == 200
    assert "FOR US ALONE" not in german
    assert boss.get("/reports/accounts/00000000-0000-7000-8000-000000000000").status_code == 404
    assert panel(company.owner).get(path).status_code == 403


def test_pages_of_an_account_without_cases_of_a_parent_and_of_bad_questions_stand(story, fold, company, panel, buy):
    parent = buy("P", "K-P", 1000, "JPY")
    with transaction():
        fields = {"name": "Child", "parent_external_id": "P"}
        child = accounts.upsert_account("crm", "C", fields, now=march("1 9:00")).record.id
    story("2 10:00", account_id=child)
    fold("5 10:00")
    boss = panel(company.boss)
    assert "Nothing is open." in boss.get(f"/reports/accounts/{company.account_id}").text
    group = boss.get(f"/reports/accounts/{parent}").text
    assert "Child" in group
    assert "own=true" in group
    assert "¥1k has no exchange rate" in group
    assert boss.get(f"/reports/accounts/{parent}?own=true").status_code == 200
    assert boss.get(f"/reports/accounts/{parent}?as_of=2999-01-01T10:00").status_code == 422
    assert boss.get("/reports/accounts?as_of=nonsense").status_code == 422


def test_rows_of_an_account_stand_on_pages_and_in_files(two_cases, fold, report, company, panel, as_user):
    two_cases()
    fold("25 10:00")
    found = report("24 12:00")
    boss, reader = panel(company.boss), as_user(company.boss)
    figures = [part for part in found.values() if isinstance(part, dict) and "rows" in part]
    assert len(figures) == 10
    for figure in figures:
        address = figure["rows"].removeprefix("/api/v1")
        shown = boss.get(address)
        assert shown.status_code == 200, address
        assert "Globex" in shown.text
        listed = reader.get(figure["rows"]).json["items"]
        lines = reader.get(figure["rows"].replace("/rows?", "/rows.csv?")).text.strip().splitlines()
        assert len(lines) == len(listed) + 1, address
    asked = {"as_of": march("24 12:00").isoformat()}
    address = f"/api/v1/reports/accounts/{company.account_id}"
    for key, said in (("brief", "ESC-2"), ("promises", "Answer the customer"), ("figures", "open")):
        assert said in reader.get(f"{address}.csv", query_string={**asked, "table": key}).text
    assert "Globex" in reader.get("/api/v1/reports/accounts.csv", query_string=asked).text
    for form in ("xlsx", "pdf"):
        answer = reader.get(f"{address}.{form}", query_string=asked)
        assert (answer.status_code, len(answer.data) > 1000) == (200, True), form
