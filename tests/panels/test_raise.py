"""Raising from the panel: what is shown before it is sent comes true, and nothing typed is lost on the way."""

import json
from html import unescape
from re import findall, search, sub
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app import clock
from app.accounts import service as accounts
from app.db import db, transaction
from app.escalations.models import Escalation, EscalationContract
from app.escalations.timeline_models import Event
from app.panels.raise_form import suggested_title
from app.routing import service as routing
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


def words_of(html):
    return " ".join(unescape(sub(r"<[^>]+>", " ", html)).split())


class Form:
    """The form of one account as somebody has it open."""

    def __init__(self, panel, account_id):
        self.panel, self.path = panel, f"/accounts/{account_id}/raise"
        self.html = panel.get(self.path).text
        self.said = {name: search(rf'name="{name}" value="([^"]+)"', self.html)[1] for name in ("account_id", "token")}
        self.said |= {"severity": "3", "reason": "other", "raised_by.kind": "colleague", "raised_by.email": ""}
        self.said |= {"customer_statement": "Exports fail. Since Monday.", "impact": "", "title": ""}
        self.said["offered"] = self.said["contract_ids"] = findall(r'name="offered" value="([^"]+)"', self.html)

    def send(self, part="", **said):
        return self.panel.post(self.path + part, {**self.said, **said})

    def ahead(self, **said):
        answer = self.send("/ahead", **said)
        assert answer.status_code == 200, answer.text
        return words_of(answer.text)

    def raised(self, **said):
        """The record that came of it."""
        answer = self.send(**said)
        assert answer.status_code == 200, answer.text
        path = json.loads(answer.headers["HX-Trigger"])["fh-go"]["path"]
        with transaction():
            return db.session.get(Escalation, UUID(path.removeprefix("/escalations/")))


@pytest.fixture
def form(panel, company):
    return Form(panel(company.owner), company.account_id)


@pytest.fixture
def approval(client, company):
    etag = client.get("/api/v1/settings").headers["ETag"]
    body = {"approval": {"asked": True, "approvers": [company.manager.email]}}
    assert client.patch("/api/v1/settings", json=body, if_match=etag).status_code == 200


def publish(client, **members):
    book = client.post("/api/v1/playbooks", json={"definition": {"name": "Book", "about": "A book.", **members}})
    assert client.post(f"/api/v1/playbooks/{book.json['id']}/publish", json={}).status_code == 200


def counted(what):
    with transaction():
        return db.session.scalar(select(func.count()).select_from(what))


def test_the_customers_words_are_enough(form, company):
    record = form.raised()
    assert (record.title, record.customer_statement) == ("Exports fail", "Exports fail. Since Monday.")
    assert (record.severity, record.reason, record.status, record.source) == (3, "other", "open", "panel")
    assert (record.raised_by_kind, record.raised_by_email) == ("colleague", company.owner.email)


def test_a_title_is_enough_too_and_nothing_at_all_is_asked_for_words(form):
    assert form.raised(customer_statement="", title="Invoices").title == "Invoices"
    answer = form.send(customer_statement=" ")
    assert answer.status_code == 422
    assert 'data-field="customer_statement"' in answer.text
    assert "Write what the customer said" in answer.text


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("Exports fail. Since Monday.", "Exports fail"),
        ("Why does nobody answer? We wait.", "Why does nobody answer?"),
        ("It broke\nsecond line", "It broke"),
        ("Version 2.5 fails", "Version 2.5 fails"),
        ("  ", ""),
        ("word " * 30, " ".join(["word"] * 17) + " word…"),
    ],
)
def test_the_title_is_the_first_sentence_cut_between_words(words, title):
    assert suggested_title(words) == title


def test_a_raise_whose_answer_was_lost_is_sent_again_and_leads_to_its_case(form):
    first, again = (form.panel.post(form.path, form.said, key="one") for _ in range(2))
    assert again.headers["HX-Trigger"] == first.headers["HX-Trigger"]
    assert "/escalations/" in first.headers["HX-Trigger"]


def test_what_is_shown_before_comes_true(form, company):
    told = form.ahead()
    record = form.raised()
    assert "It goes to Owner: owns the account" in told
    due = record.close_target_at
    assert f"Closed by {due:%a} {due.day} {due:%b %Y}" in told
    assert "Title: Exports fail" in told
    assert "Acknowledge: in" in told
    assert "First answer" not in told
    assert record.owner_id == company.owner.id


def test_a_customers_raise_shows_when_they_hear_first(form):
    assert "First answer to the customer: in" in form.ahead(**{"raised_by.kind": "customer"})


def test_looking_ahead_writes_nothing(form):
    for _ in range(2):
        form.ahead()
    assert (counted(Escalation), counted(Event)) == (0, 0)


def test_a_tie_falls_as_it_was_shown(panel, company, tenant, make_user):
    people = [make_user("csm", f"equal{number}@example.com") for number in range(5)]
    with transaction():
        team = routing.create_team("Support", now=clock.now())
        for one in people:
            routing.put_member(team, one.id, capacity=24)
        rule = {"name": "team", "when": {"all": []}, "target": {"kind": "team", "team_id": str(team.id)}}
        number = routing.save_policy([rule], {}, actor=tenant.actor, now=clock.now()).number
        routing.publish_policy(number, actor=tenant.actor, now=clock.now())
    names = {one.id: one.name for one in people}
    someone = panel(company.owner)
    for _ in range(3):
        form = Form(someone, company.account_id)
        told = form.ahead()
        assert f"It goes to {names[form.raised().owner_id]}:" in told


def test_where_approval_is_asked_it_says_so_and_by_whom(form, approval):
    told = form.ahead()
    assert "Somebody must approve it first: Manager." in told
    assert "Then it goes to Owner" in told
    assert "approve" not in form.ahead(**{"raised_by.kind": "customer", "raised_by.email": "bea@globex.com"})
    assert form.raised().status == "requested"


def test_half_a_form_is_looked_at_as_far_as_it_goes(form):
    assert "It goes to Owner" in form.ahead(about_user="ow", **{"raised_by.kind": "customer", "raised_by.email": "b"})
    assert "It goes to Owner" in form.ahead(customer_statement="")
    told = form.ahead(about_user="nobody@example.com")
    assert "It cannot be said yet who would own it. about_user: expected the e-mail of a user" in told
    assert form.send(about_user="nobody@example.com").status_code == 422


def test_who_it_is_about_does_not_own_it(form, company):
    assert "It goes to Owner" not in form.ahead(about_user=company.owner.email)


def test_the_customer_who_asked_becomes_a_contact_and_an_address_is_asked_for(form):
    answer = form.send(**{"raised_by.kind": "customer"})
    assert (answer.status_code, 'data-field="raised_by.email"' in answer.text) == (422, True)
    record = form.raised(**{"raised_by.kind": "customer", "raised_by.email": "Bea@globex.com"})
    assert (record.raised_by_kind, record.raised_by_email) == ("customer", "bea@globex.com")


def test_an_address_left_from_before_does_not_make_it_the_customers(form, company):
    record = form.raised(**{"raised_by.email": "bea@globex.com"})
    assert (record.raised_by_kind, record.raised_by_email) == ("colleague", company.owner.email)


def test_contracts_are_all_those_active_some_or_none(panel, company):
    with transaction():
        body = {"arr": "1.00", "currency": "USD", "starts_on": "2026-01-01"}
        second = accounts.upsert_contract("crm", "A-1", "K-2", body, now=clock.now()).record.id
    someone = panel(company.owner)
    touched = []
    for chosen in (None, [str(second)], []):
        form = Form(someone, company.account_id)
        assert len(form.said["offered"]) == 2
        record = form.raised(**({} if chosen is None else {"contract_ids": chosen}))
        with transaction():
            asked = select(EscalationContract.contract_id).where(EscalationContract.escalation_id == record.id)
            touched.append(set(db.session.scalars(asked)))
    assert [len(one) for one in touched] == [2, 1, 0]
    assert touched[1] == {second}


def test_questions_follow_the_reason_and_answers_survive_a_change_of_it(form, client):
    asked = [
        {"key": "invoice", "ask": "Which invoice?", "reasons": ["billing"], "required": False},
        {"key": "since", "ask": "Since when?", "required": True},
    ]
    publish(client, questions=asked)
    assert "Which invoice?" not in form.send("/questions").text
    billing = form.send("/questions", reason="billing").text
    assert words_of(billing) == "Which invoice? optional Since when?"
    typed = {"answers.invoice": "R-2041", "answers.since": "Monday"}
    other = form.send("/questions", **typed).text
    assert 'name="kept.invoice" value="R-2041"' in other
    assert ">Monday</textarea>" in other
    back = form.send("/questions", reason="billing", **{"kept.invoice": "R-2041", "answers.since": "Monday"}).text
    assert ">R-2041</textarea>" in back
    assert "kept." not in back
    record = form.raised(**{"kept.invoice": "R-2041", "answers.since": "Monday", "impact": "They wait"})
    assert record.answers == {"since": "Monday"}


def test_possible_duplicates_come_with_their_reasons_and_a_link(form, raise_case):
    case = raise_case(title="Exports fail since Monday")
    html = form.send("/ahead", customer_statement="Exports fail since Monday").text
    assert f'href="#/escalations/{case["id"]}"' in html
    assert "similar words, same account, same reason" in words_of(html)
    assert "Looks like" not in form.ahead(customer_statement="Export")


def test_a_duplicate_that_may_not_be_seen_is_not_shown(panel, company, raise_case, make_user):
    raise_case(title="Exports fail since Monday", restricted=True)
    form = Form(panel(make_user("csm")), company.account_id)
    assert "Looks like" not in form.ahead(customer_statement="Exports fail since Monday")


def test_the_same_form_twice_is_one_case(form):
    assert form.raised().id == form.raised(severity="1").id
    assert counted(Escalation) == 1


def test_a_form_with_a_token_that_is_not_ours_is_refused(form):
    assert form.send(token="x").status_code == 422


def test_who_may_not_see_what_they_raised_is_told_so(panel, company, make_user):
    form = Form(panel(make_user("csm")), company.account_id)
    answer = form.send(restricted="true")
    assert (answer.status_code, "HX-Trigger" in answer.headers) == (200, False)
    assert "Its owner has been told" in words_of(answer.text)
    assert counted(Escalation) == 1


def test_what_the_api_refuses_is_refused_by_its_fields_name(form):
    answer = form.send(title="x" * 301, reason="nonsense")
    assert (answer.status_code, 'data-field="title"' in answer.text) == (422, True)
    answer = form.send(reason="nonsense")
    assert (answer.status_code, 'data-field="reason"' in answer.text) == (422, True)
    assert "cannot be said yet" in form.ahead(reason="nonsense")
    assert form.send("/questions", reason="nonsense").status_code == 200


def test_an_account_that_is_not_there_has_no_form(panel, company):
    someone, nowhere = panel(company.owner), "/accounts/01900000-0000-7000-8000-000000000000/raise"
    assert someone.get(nowhere).status_code == 404
    assert [someone.post(nowhere + part).status_code for part in ("", "/ahead", "/questions")] == [404, 404, 404]


def test_few_statements_are_sent(form, statements):
    form.ahead()
    form.send("/questions")
    sent = {}
    for part in ("/ahead", "/questions"):
        with statements() as found:
            form.send(part)
        sent[part] = len(found)
    with statements() as found:
        form.panel.get(form.path)
    sent["form"] = len(found)
    with statements() as found:
        form.send()
    assert max(sent.values()) <= 10, sent
    assert len(found) <= 16


def test_most_fields_have_a_default(form):
    """Severity, reason, who asks and the contracts are chosen beforehand; the focus is in the words."""
    assert search(r'<textarea[^>]+name="customer_statement"[^>]+data-begin', form.html)
    assert " required" not in form.html
    visible = form.html.split("<details")[0]
    assert len(findall(r"<(?:textarea|select) ", visible)) == 4
    assert len(findall(r" checked>", visible)) == 2
