"""The account's page: what it is worth, what is open, what has ended, who its people are, and the way to it."""

from datetime import timedelta
from html import unescape
from re import findall, search, sub

import pytest
from sqlalchemy import update

from app import clock
from app.accounts import service as accounts
from app.accounts.models import Account
from app.db import db, transaction
from app.escalations.models import Escalation
from app.routing import service as routing
from tests.conftest import actor_of
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


def words_of(html):
    """What a page says, without its tags."""
    return " ".join(unescape(sub(r"<[^>]+>", " ", html)).split())


def part(html, start, end="</details>"):
    return words_of(html.split(start, 1)[1].split(end, 1)[0])


def titles(html):
    return [words_of(one) for one in findall(r'<p class="title">(.*?)</p>', html)]


@pytest.fixture
def page(panel, company):
    someone = panel(company.owner)

    def read(path=None, status=200):
        answer = someone.get(path or f"/accounts/{company.account_id}")
        assert answer.status_code == status, answer.text
        return answer.text

    return read


def contract(external_id, arr, **more):
    with transaction():
        body = {"arr": arr, "currency": "USD", "starts_on": "2026-01-01", **more}
        return accounts.upsert_contract("crm", "A-1", external_id, body, now=clock.now()).record.id


def deal(external_id, amount, probability, **more):
    with transaction():
        body = {"amount": amount, "currency": "USD", "probability": probability, "name": "Expansion", **more}
        accounts.upsert_opportunity("crm", "A-1", external_id, body, now=clock.now())


def test_it_takes_six_statements_with_signing_in(panel, company, raise_case, statements):
    for number in range(3):
        raise_case(title=f"Exports fail {number}")
    someone = panel(company.owner)
    someone.get(f"/accounts/{company.account_id}")
    with statements() as sent:
        assert someone.get(f"/accounts/{company.account_id}").status_code == 200
    assert len(sent) == 6
    with statements() as sent:
        assert someone.get("/accounts/by/crm/A-1").status_code == 200
    assert len(sent) == 6


def test_what_is_at_stake_is_what_the_open_cases_touch_each_contract_once(company, raise_case, page):
    small = contract("K-2", "30000.00")
    deal("D-1", "50000.00", "0.4")
    deal("D-2", "90000.00", "1", type="renewal")
    assert part(page(), '<span class="name">ARR').startswith("$150k")
    assert part(page(), '<span class="name">At stake').startswith("$0 No open escalation")
    for title in ("One", "Two"):
        raise_case(title=title, contract_ids=[str(small)])
    told = part(page(), '<span class="name">At stake')
    assert told.startswith("$50k ")
    assert "Contract K-2 $30,000.00" in told
    assert "Deal Expansion $20,000.00 $50,000.00 at 40 %" in told
    assert "K-1" not in told
    assert "90,000" not in told


def test_an_amount_without_a_rate_is_named_and_never_counted_as_nothing(company, raise_case, page):
    contract("K-2", "1000.00", currency="JPY")
    raise_case()
    told = part(page(), '<span class="name">ARR')
    assert told.startswith("$120k and more")
    assert "Not in the sum, for want of a rate of the last days: ¥1,000" in told


def test_the_renewal_is_the_day_after_the_earliest_end(company, page):
    today = clock.now().date()
    ends = today + timedelta(days=40)
    rise = {"kind": "fixed", "percent": "5"}
    contract("K-2", "30000.00", ends_on=ends.isoformat(), escalator=rise)
    told = part(page(), '<span class="name">Renewal')
    assert told.startswith("in 41 days ")
    assert "$32k" in told  # 30,000 raised by 5 % is 31,500


def test_open_ones_come_by_due_date_each_with_owner_tier_value_and_next_due(company, raise_case, page, client):
    raise_case(title="Later")
    first = raise_case(title="Sooner")
    with transaction():
        soon = clock.now() + timedelta(days=3)
        db.session.execute(update(Escalation).where(Escalation.title == "Sooner").values(due_at=soon))
    html = page()
    assert [title.split(" ", 1)[1] for title in titles(html)] == ["Sooner", "Later"]
    assert "Open 2" in words_of(html)
    told = words_of(html.split("<li data-row>")[1])
    assert told.startswith("Acknowledge: due in")
    assert f"{first['number']} Sooner" in told
    assert "Owner · Tier 1 · severity 2 · $120k · closes by" in told


def test_a_promise_that_was_missed_says_by_how_much(company, raise_case, page):
    raise_case()
    with transaction():
        past = clock.now() - timedelta(days=2)
        db.session.execute(db.text("update clock set due_at = :at where kind = 'acknowledge'"), {"at": past})
    assert "Acknowledge: missed by 2 days" in words_of(page())


def test_a_waiting_case_says_for_whom_since_when_and_until_when(company, raise_case, page, client, as_user):
    case = raise_case()
    owner = as_user(company.owner)
    owner.post(f"/api/v1/escalations/{case['id']}/acknowledge")
    until = (clock.now() + timedelta(days=2)).date()
    body = {"party": "customer", "reason": "Logs", "resume_on": until.isoformat()}
    assert owner.post(f"/api/v1/escalations/{case['id']}/wait", json=body).status_code == 200
    assert f"Waiting for the customer since {clock.now():%a} {clock.now().day}" in words_of(page())


def end(case, *, days, outcome="resolved", status="closed"):
    with transaction():
        record = db.session.get(Escalation, case["id"])
        record.status, record.outcome = status, outcome
        record.closed_at = record.raised_at + timedelta(days=days) if status == "closed" else None


def test_closed_ones_are_counted_on_time_by_the_original_target(company, raise_case, page):
    kept, late, unresolved, withdrawn = (raise_case(title=title) for title in ("Kept", "Late", "Not", "Gone"))
    merged = raise_case(title="Merged")
    end(kept, days=30)
    end(late, days=31)
    end(unresolved, days=2, outcome="unresolved")
    end(withdrawn, days=2, outcome="withdrawn")
    end(merged, days=0, status="merged", outcome=None)
    html = page()
    assert "Closed 4 · 1 on time of 3; withdrawn and mistaken ones do not count" in words_of(html)
    assert [title.split(" ", 1)[1] for title in titles(html)] == ["Merged", "Gone", "Not", "Late", "Kept"]
    lines = html.split("<li data-row>")[1:]
    assert [search("on time|late|not on time", words_of(line)) is not None for line in lines] == [
        False, False, True, True, True,
    ]  # fmt: skip
    assert "Nothing is open" in html


def test_the_history_goes_on_page_by_page_without_a_gap(company, raise_case, page):
    for number in range(12):
        end(raise_case(title=f"Case {number:02}"), days=1)
    html, seen = page(), []
    while True:
        seen += titles(html)
        found = search(r'hx-get="/panel(/accounts/[^"]+/ended\?cursor=[^"]+)"', html)
        if found is None:
            break
        html = page(unescape(found[1]))
    assert [title.split(" ", 1)[1] for title in seen] == [f"Case {number:02}" for number in reversed(range(12))]


def test_a_restricted_case_is_neither_listed_nor_counted_nor_at_stake_for_who_may_not_see_it(
    company, raise_case, panel, make_user
):
    raise_case(title="Secret", restricted=True)
    owners, others = (
        panel(user).get(f"/accounts/{company.account_id}").text for user in (company.owner, make_user("csm"))
    )
    assert ("Secret" in owners, "Secret" in others) == (True, False)
    assert "Open 0" in words_of(others)
    assert part(others, '<span class="name">At stake').startswith("$0")


def test_people_say_who_is_away_and_whom_nobody_knows(company, page):
    with transaction():
        now = clock.now()
        routing.add_absence(
            company.csm.id,
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(days=2),
            actor=actor_of(company.csm),
            now=now,
        )
        accounts.upsert_account("crm", "A-1", {"sponsor_email": "nobody@example.com"}, now=now)
        accounts.upsert_contact("crm", "A-1", "C-1", {"name": "Bea", "email": "bea@globex.com"}, now=now)
    told = part(page(), 'id="people"', "</section>")
    assert "Customer success Csm away until" in told
    assert "Executive sponsor nobody@example.com nobody here has this address" in told
    assert "1 contact at the customer" in told
    assert "bea@globex.com" in told


def test_an_account_that_the_crm_deleted_says_so_and_can_still_be_raised_on(company, page):
    with transaction():
        db.session.execute(update(Account).values(gone_at=clock.now()))
    html = page()
    assert "Your CRM no longer has this account." in html
    assert f'href="#/accounts/{company.account_id}/raise"' in html


def test_a_merged_account_opens_its_survivor_and_says_so(company, page):
    with transaction():
        old = accounts.upsert_account("crm", "A-9", {"name": "Globex Old"}, now=clock.now()).record
        db.session.execute(update(Account).where(Account.id == old.id).values(merged_into_id=company.account_id))
    html = page(f"/accounts/{old.id}")
    assert "Globex Old was merged into this account" in html
    assert "<h1>Globex</h1>" in html


def test_what_a_part_of_a_group_has_from_its_parent_is_said(company, page):
    with transaction():
        accounts.upsert_account("crm", "P-1", {"name": "Globex Holding"}, now=clock.now())
        accounts.upsert_account("crm", "A-2", {"name": "Globex GmbH", "parent_external_id": "A-1"}, now=clock.now())
        accounts.upsert_account("crm", "A-1", {"parent_external_id": "P-1"}, now=clock.now())
    told = words_of(page("/accounts/by/crm/A-2"))
    assert "part of Globex · Globex Holding" in told
    assert "value, renewal and service level are those of Globex" in told
    assert "Contract K-1 of Globex" in told


def test_a_record_that_is_no_account_gets_a_page_that_says_how_it_would_be_one(page):
    told = words_of(page("/accounts/by/salesforce/0010X/7", status=404))
    assert "Firsthand has no account for the record 0010X/7 of salesforce" in told
    assert "An account gets here when your CRM sends it" in told


def test_accounts_are_found_by_name_domain_or_whole_id_the_own_ones_first(company, page):
    with transaction():
        for number in range(30):
            fields = {"name": f"Account {number:02}", "domain": f"d{number}.example", "csm_email": None}
            if number % 10 == 5:
                fields["csm_email"] = company.owner.email.upper()
            accounts.upsert_account("crm", f"X-{number}", fields, now=clock.now())
    html = page("/accounts")
    names = titles(html)
    assert names[:5] == ["Account 05", "Account 15", "Account 25", "Globex", "Account 00"]
    assert len(names) == 25
    more = search(r'hx-get="/panel(/accounts[^"]+)"', html.split('id="found"')[1])
    rest = titles(page(unescape(more[1])))
    assert sorted(names + rest) == sorted([f"Account {number:02}" for number in range(30)] + ["Globex"])
    assert titles(page("/accounts?q=D7.EX")) == ["Account 07"]
    assert titles(page("/accounts?q=X-12")) == ["Account 12"]
    assert titles(page("/accounts?q=account+1"))[0] == "Account 15"
    assert "No account matches %" in words_of(page("/accounts?q=%25"))


def test_an_account_that_is_not_there_and_a_cursor_that_is_not_ours_are_refused(company, page):
    page("/accounts/01900000-0000-7000-8000-000000000000", status=404)
    page(f"/accounts/{company.account_id}/ended?cursor=x", status=422)
