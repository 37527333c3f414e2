"""Causes by hand: counts, cost in days, what came again, what prevention would have spared."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from app.accounts import service as accounts
from app.db import db, transaction
from app.escalations import prevention, service
from app.escalations.case import Act
from app.escalations.timeline_models import EventText
from app.reports import jobs
from tests.conftest import actor_of
from tests.escalations.story import RESOLUTION, YES, march
from tests.reports.test_owners import ask, rows_at

__all__ = ["ask", "rows_at"]


def end(case, at, *, cause="A full disk", preventable=True, action=None, company=None):
    """Resolved and confirmed at one moment."""
    promised = action and {"action": action, "owner_email": company.csm.email, "due_on": date(2026, 3, 20)}
    found = replace(RESOLUTION, root_cause=cause, preventable=preventable, prevention=promised)
    admin = case.tenant.admin
    case.do(service.acknowledge, at, by=admin)
    case.do(service.resolve, at, by=admin, resolution=found)
    case.do(service.verify, at, by=admin, word=YES)
    return case


def done(case, at, action_id, **changes):
    with transaction():
        act = Act(actor_of(case.company.csm), march(at))
        prevention.change_action(action_id, act=act, changes=changes, check=lambda row: None)


def by_reason(report):
    return {item["reason"]: item for item in report["items"]}


def states(item):
    return {one["state"]: one["count"] for one in item["prevention"]}


def test_what_causes_cost_and_which_prevention_would_save_most(story, fold, ask, rows_at, company, buy):
    """Billing: 4 and 2 days of one account, the second 6 days after the first, both preventable in the same words; 3
    days of another account, not preventable. Slow response: open since 2 March. Outage: merged into it."""
    other = buy("O", "K-O", 1000, "EUR", ends_on="2026-03-15")
    first = end(story("2 10:00", reason="billing"), "6 10:00", action="Check bills", company=company)
    again = end(story("8 10:00", reason="billing"), "10 10:00", cause="a  full disk ")
    end(story("2 10:00", reason="billing", account_id=other), "5 10:00", cause="Their bank", preventable=False)
    slow = story("2 10:00", reason="slow_response")
    story("2 10:30", reason="prolonged_outage").do(service.merge, "3 10:00", into_id=slow.id, reason="The same")
    story("2 10:00", reason="billing").do(
        service.close_unresolved, "4 10:00", by=company.boss, outcome="mistaken", reason="Not ours"
    )
    with transaction():
        accounts.upsert_rate("EUR", "2026-04-08", "1.25", now=march("4-8 9:00"))
    fold("15 10:00")
    before = ask("causes", "12 10:00")
    [action] = rows_at(before["total"]["prevention"][0]["rows"])
    assert (action["action"], action["state"], action["due_on"]) == ("Check bills", "open", "2026-03-20")
    done(first, "25 10:00", action["id"], state="done")
    fold("4-20 10:00")
    assert ask("causes", "12 10:00") == before
    assert states(by_reason(ask("causes", "22 10:00"))["billing"])["overdue"] == 1
    report = ask("causes", "4-10 10:00")
    assert [item["reason"] for item in report["items"]] == ["slow_response", "billing"]
    slow, billing = report["items"]
    assert (slow["cost"]["days"], billing["cost"]["days"], report["total"]["cost"]["days"]) == (39, 9, 48)
    assert (billing["cases"]["count"], billing["cases"]["open"], slow["cases"]["open"]) == (3, 0, 1)
    preventable = billing["preventable"]
    assert (preventable["count"], preventable["said"], preventable["share"]) == (2, 3, 0.6667)
    assert (slow["preventable"]["said"], slow["preventable"]["share"]) == (0, None)
    assert (billing["recurring"]["count"], report["total"]["recurring"]["count"]) == (1, 1)
    assert (billing["value_touched"]["amount"], slow["value_touched"]["amount"]) == ("121250.00", "120000.00")
    assert report["total"]["value_touched"]["amount"] == "121250.00"  # one contract under both, once
    assert states(billing) == {"promised": 1, "done": 1, "open": 0, "overdue": 0, "dropped": 0}
    roots = [(one["text"].strip().lower(), one["cases"], one["days"]) for one in billing["root_causes"]]
    assert [(words.replace("  ", " "), *rest) for words, *rest in roots] == [
        ("a full disk", 2, 6),
        ("their bank", 1, 3),
    ]
    [saving] = report["savings"]
    assert (saving["reason"], saving["count"], saving["days"], saving["value"]["amount"]) == (
        "billing", 2, 6, "120000.00"
    )  # fmt: skip
    assert saving["because"] == (
        "Of 3 cases 2 were preventable and 1 came again: 6 days open. 1 of 1 prevention actions are done."
    )
    for item in (slow, billing, report["total"]):
        reconcile(item, rows_at)
    [row] = rows_at(billing["recurring"]["rows"])
    assert row["escalation"]["id"] == str(again.id)


def reconcile(item, rows_at):
    for name in ("cases", "preventable", "recurring", "spared"):
        assert len(rows_at(item[name]["rows"])) == item[name]["count"], name
    for one in item["prevention"]:
        assert len(rows_at(one["rows"])) == one["count"]
    for one in (item["cost"], item["spared"], *item.get("root_causes", ())):
        assert sum(row["days_open"] for row in rows_at(one["rows"])) == one["days"]
    worth = [float(row["value"]["amount"] or 0) for row in rows_at(item["value_touched"]["rows"])]
    assert abs(sum(worth) - float(item["value_touched"]["amount"] or 0)) <= 0.01 * len(worth)  # each is rounded


def test_a_root_cause_whose_text_was_erased_is_told_of_no_more_and_its_days_stay(story, fold, ask, tenant):
    end(story("2 10:00", reason="billing"), "6 10:00", cause="Jo forgot")
    end(story("2 10:00", reason="billing"), "5 10:00", cause="A full disk")
    fold("15 10:00")
    with transaction():
        said = select(EventText.id).where(EventText.field == "root_cause", EventText.text == "Jo forgot")
        ids = db.session.scalars(said).all()
        jobs.forget_root_causes(ids)
        assert service.erase_texts(ids) == 1
    for _ in range(2):
        [billing] = ask("causes", "12 10:00")["items"]
        assert ([root["text"] for root in billing["root_causes"]], billing["cost"]["days"]) == (["A full disk"], 7)
        jobs.rebuild_tenant(tenant.id, march("15 10:00"))


def test_nothing_is_an_answer_and_hidden_cases_are_in_no_cause(story, fold, ask, make_user, statements):
    other = make_user("executive", "other@example.com")
    end(story("2 10:00", restricted=True), "6 10:00")
    end(story("2 10:00", about_user=other.email), "6 10:00")
    fold("20 10:00")
    for at, user in (("1 10:00", None), ("12 10:00", other)):
        report = ask("causes", at, user=user)
        assert (report["items"], report["savings"], report["total"]["cases"]["count"]) == ([], [], 0)
        assert report["total"]["value_touched"]["amount"] == "0.00"
    with statements() as sent:
        report = ask("causes", "12 10:00")
    assert report["total"]["recurring"]["count"] == 1
    assert len([one for one in sent if "last_used_at = " not in one]) <= 9
