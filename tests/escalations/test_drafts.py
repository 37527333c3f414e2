"""Message drafts on a case: suggested, previewed, sent as an update that keeps its promises."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.auth.models import User
from app.playbooks.built_in import KEYS, definition_of
from app.playbooks.draft_fields import Field, Group, Many
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
ACKNOWLEDGE = {
    "key": "acknowledge",
    "title": "We have it in hand",
    "audience": ["customer"],
    "suits": ["open"],
    "subject": "{{ escalation.number }}: {{ escalation.title }}",
    "text": (
        "Dear {{ customer.name | default('customer') }},\n\n"
        "You told us:\n{{ escalation.customer_statement | quoted }}\n\n"
        "{{ owner.name }} ({{ owner.email }}) looks after it. {{ 'what we do first' | write }}\n"
        "You hear from us by {{ next_update.customer }}.\n\n{{ sender.name }}, {{ us.name }}"
    ),
}
PROGRESS = {
    "key": "progress",
    "title": "Where it stands",
    "audience": ["customer", "account_team", "executive"],
    "suits": ["in_progress"],
    "subject": "{{ escalation.title }}",
    "text": "We work on it.",
    "texts": {
        "executive": "{{ account.name }}, {{ value.at_stake }} at stake:"
        "{% for one in attempts %} {{ loop.index }}. {{ one.what }}: {{ one.result }}{% endfor %}"
    },
}


@pytest.fixture
def publish(client: ApiClient) -> Callable[..., dict[str, Any]]:
    def make(*drafts: dict[str, Any], **members: Any) -> dict[str, Any]:
        definition = {"name": "Book", "about": "A book.", "drafts": list(drafts), **members}
        book = client.post("/api/v1/playbooks", json={"definition": definition})
        assert book.status_code == 201, book.text
        found = client.post(f"/api/v1/playbooks/{book.json['id']}/publish", json={})
        assert found.status_code == 200
        return dict(found.json)

    return make


def path_of(case: dict[str, Any], *rest: str) -> str:
    return "/".join(("/api/v1/escalations", case["id"], *rest))


def clock_of(client: ApiClient, case: dict[str, Any], kind: str) -> dict[str, Any]:
    found = [one for one in client.get(path_of(case)).json["clocks"] if one["kind"] == kind]
    return dict(max(found, key=lambda one: one["cycle"]))


def test_drafts_that_suit_the_status_come_first(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(PROGRESS, ACKNOWLEDGE)
    case = raise_case()
    before = client.get(path_of(case, "drafts")).json["items"]
    client.post(path_of(case, "acknowledge"), json={})
    after = client.get(path_of(case, "drafts")).json["items"]

    assert [(one["key"], one["suggested"]) for one in before] == [("acknowledge", True), ("progress", False)]
    assert [(one["key"], one["suggested"]) for one in after] == [("progress", True), ("acknowledge", False)]
    assert before[0]["last_sent_at"] is None


def test_a_preview_says_what_the_case_says_and_what_sending_it_does(
    client: ApiClient, publish: Any, raise_case: Raise, company: Company
) -> None:
    publish(ACKNOWLEDGE)
    raised_by = {"kind": "customer", "email": "ines@globex.example"}
    case = raise_case(raised_by=raised_by, customer_statement="Nothing works.\nSince Monday.")
    seen = client.post(path_of(case, "drafts", "acknowledge", "preview"), json={})

    assert seen.status_code == 200, seen.text
    assert seen.json["subject"] == f"{case['number']}: Exports fail"
    lines = seen.json["text"].splitlines()
    assert lines[:6] == ["Dear customer,", "", "You told us:", "> Nothing works.", "> Since Monday.", ""]
    assert lines[6] == f"{company.owner.name} (owner@example.com) looks after it. ⟦what we do first⟧"
    assert lines[-1] == "Ada Admin, Acme"
    assert seen.json["gaps"] == [{"kind": "write", "what": "what we do first"}]
    [met] = seen.json["meets"]
    assert (met["clock"], met["cycle"], met["late"]) == ("respond", 1, False)
    assert met["due_at"] == clock_of(client, case, "respond")["due_at"]
    [begun] = seen.json["begins"]
    sent = client.post(
        path_of(case, "updates"), json={"audience": "customer", "channel": "email", "text": "We are on it."}
    )
    assert sent.status_code == 200
    promised = clock_of(client, case, "customer_update")
    assert (begun["clock"], begun["due_at"][:16]) == ("customer_update", promised["due_at"][:16])


def test_a_draft_is_sent_as_an_update_with_a_wording_for_each_audience(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish(PROGRESS, updates={"executive": {"business_days": 2}})
    case = raise_case()
    client.post(path_of(case, "attempts"), json={"what": "Restarted the export", "result": "Fails again"})
    seen = client.post(
        path_of(case, "drafts", "progress", "preview"), json={"audience": ["customer", "executive"]}
    ).json
    assert seen["texts"] == {
        "executive": "Globex, 120,000 USD at stake: 1. Restarted the export: Fails again",
    }
    assert [one["clock"] for one in seen["meets"]] == ["executive_update"]
    assert [one["clock"] for one in seen["begins"]] == ["customer_update", "executive_update"]
    body = {name: seen[name] for name in ("audience", "subject", "text", "texts")}
    sent = client.post(path_of(case, "updates"), json={**body, "channel": "email", "draft": "progress"})

    assert sent.status_code == 200, sent.text
    assert clock_of(client, case, "executive_update")["cycle"] == 2
    event = client.get(path_of(case, "timeline")).json["items"][-1]
    assert event["facts"] == {"audiences": ["customer", "executive"], "channel": "email", "draft": "progress"}
    assert event["texts"] == {
        "subject": "Exports fail", "text": "We work on it.", "text_executive": seen["texts"]["executive"]
    }  # fmt: skip
    assert client.get(path_of(case, "drafts")).json["items"][0]["last_sent_at"] is not None
    assert client.get(path_of(case, "timeline", "verify")).json["intact"] is True


def test_what_a_customer_was_told_can_be_quoted_in_their_own_wording(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    quoting = {**ACKNOWLEDGE, "key": "again", "text": "{% for one in updates %}{{ one.text }};{% endfor %}"}
    publish(quoting)
    case = raise_case()
    own = {"customer": "For you", "executive": "For us"}
    told = {"audience": ["customer", "executive"], "channel": "call", "texts": own}
    assert client.post(path_of(case, "updates"), json=told).status_code == 200
    client.post(path_of(case, "updates"), json={"audience": "executive", "channel": "call", "text": "Only us"})

    assert client.post(path_of(case, "drafts", "again", "preview"), json={}).json["text"] == "For you;"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"draft": "nonsense"}, "/draft", "invalid"),
        ({"draft": "acknowledge", "audience": ["executive"]}, "/audience", "invalid"),
        ({"draft": "acknowledge", "text": "You hear from us by ⟦next_update.customer⟧."}, "/text", "gaps_left"),
        ({"draft": "acknowledge", "subject": "⟦escalation.title⟧"}, "/subject", "gaps_left"),
        ({"draft": "acknowledge", "texts": {"customer": "⟦what we do first⟧"}}, "/texts/customer", "gaps_left"),
        ({"texts": {"executive": "For us"}}, "/texts", "invalid"),
        ({"texts": {"everybody": "For us"}}, "/texts/everybody/key", "invalid"),
        ({"text": " "}, "/text", "invalid"),
    ],
)
def test_an_update_that_cannot_be_meant_is_refused_and_meets_nothing(
    client: ApiClient, publish: Any, raise_case: Raise, body: dict[str, Any], pointer: str, code: str
) -> None:
    publish(ACKNOWLEDGE)
    case = raise_case(raised_by={"kind": "customer", "email": "ines@globex.example"})
    plain = {"audience": ["customer"], "channel": "email", "text": "We are on it."}
    refused = client.post(path_of(case, "updates"), json={**plain, **body})

    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert pointer in [error["pointer"] for error in refused.json["errors"]]
    assert clock_of(client, case, "respond")["state"] == "running"


def test_marks_in_the_customers_own_words_hold_up_no_update(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    """They quote an error, and a message of ours with a gap that this draft cannot leave."""
    publish(ACKNOWLEDGE)
    said = "It says ⟦Error 5⟧, and you wrote: Dear ⟦customer.name⟧"
    case = raise_case(customer_statement=said, raised_by={"kind": "customer", "email": "ines@globex.example"})
    seen = client.post(path_of(case, "drafts", "acknowledge", "preview"), json={}).json
    assert f"> {said}" in seen["text"]
    body = {"audience": ["customer"], "channel": "email", "draft": "acknowledge", "subject": seen["subject"]}
    unfilled = client.post(path_of(case, "updates"), json={**body, "text": seen["text"]})
    assert [error["detail"] for error in unfilled.json["errors"]] == ["is still to be filled: what we do first"]

    filled = seen["text"].replace("⟦what we do first⟧", "First the logs.")
    sent = client.post(path_of(case, "updates"), json={**body, "text": filled})
    assert sent.status_code == 200, sent.text
    assert clock_of(client, case, "respond")["state"] == "met"


def test_an_update_without_any_text_is_refused(client: ApiClient, raise_case: Raise) -> None:
    refused = client.post(path_of(raise_case(), "updates"), json={"audience": "customer", "channel": "call"})

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/text")


def test_a_template_that_is_not_saved_is_tried_on_a_real_case(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish(questions=[{"key": "invoice", "ask": "Which invoice?"}])
    case = raise_case(answers={"invoice": "R-17"})
    body = {
        "escalation_id": case["id"],
        "audience": ["customer"],
        "text": "On {{ answers.invoice }}: {{ customer.name }}",
    }
    seen = client.post("/api/v1/playbooks/drafts/preview", json=body)

    assert (seen.status_code, seen.json["text"]) == (200, "On R-17: ⟦customer.name⟧")
    assert seen.json["gaps"] == [{"kind": "field", "what": "customer.name"}]
    faulty = client.post("/api/v1/playbooks/drafts/preview", json={**body, "text": "a\n{{ owner.age }}{{ value.arr }}"})
    assert (faulty.status_code, faulty.json["code"]) == (422, "draft_refused")
    assert [(e["pointer"], e["code"], e["detail"].partition(":")[0]) for e in faulty.json["errors"]] == [
        ("/text", "unknown_field", "line 2"), ("/text", "internal_field", "line 2")
    ]  # fmt: skip


def test_a_wording_for_somebody_who_does_not_read_it_is_refused(client: ApiClient, raise_case: Raise) -> None:
    body = {"escalation_id": raise_case()["id"], "audience": ["customer"], "text": "T", "texts": {"executive": "E"}}
    refused = client.post("/api/v1/playbooks/drafts/preview", json=body)

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/texts")


def test_while_the_customer_is_waited_for_the_next_update_has_no_due_time(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish(PROGRESS, ACKNOWLEDGE)
    case = raise_case()
    client.post(path_of(case, "acknowledge"), json={})
    resume_on = (clock.now() + timedelta(days=5)).date().isoformat()
    wait = {"party": "customer", "reason": "They try it", "resume_on": resume_on}
    waiting = client.post(path_of(case, "wait"), json=wait)
    assert waiting.status_code == 200, waiting.text
    seen = client.post(path_of(case, "drafts", "acknowledge", "preview"), json={}).json

    assert seen["begins"] == [{"clock": "customer_update", "due_at": None}]
    assert {"kind": "field", "what": "next_update.customer"} in seen["gaps"]


def test_a_preview_says_that_it_comes_too_late(
    client: ApiClient, publish: Any, raise_case: Raise, company: Company
) -> None:
    publish(ACKNOWLEDGE)
    asked = {"raised_by": {"kind": "customer", "email": "ines@globex.example"}}
    case = raise_case(**asked, raised_at=(clock.now() - timedelta(days=20)).isoformat())
    [met] = client.post(path_of(case, "drafts", "acknowledge", "preview"), json={}).json["meets"]

    assert (met["clock"], met["late"]) == ("respond", True)


def test_of_colleagues_only_promises_that_were_asked_for_begin(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish(PROGRESS, updates={"account_team": {"business_days": 3}})
    seen = client.post(path_of(raise_case(), "drafts", "progress", "preview"), json={}).json

    assert [one["clock"] for one in seen["begins"]] == ["customer_update", "account_team_update"]
    assert [one["clock"] for one in seen["meets"]] == ["account_team_update"]


def test_a_faulty_draft_is_refused_when_it_is_saved_with_its_line_in_yaml(client: ApiClient) -> None:
    yaml = (
        "name: Book\nabout: A book.\ndrafts:\n  - key: a\n    title: A\n    audience: [customer]\n"
        "    subject: Hello\n    text: |\n      Dear {{ nobody.name }}\n"
    )
    refused = client.post("/api/v1/playbook-files", data=yaml.encode(), content_type="application/yaml")

    [fault] = refused.json["errors"]
    assert (refused.status_code, fault["pointer"], fault["code"], fault["line"]) == (
        422, "/drafts/0/text", "unknown_field", 8
    )  # fmt: skip
    assert fault["detail"].startswith("line 1: there is no field nobody: there are account, answers, attempts")


def test_drafts_are_seen_by_who_sees_the_case(
    client: ApiClient, publish: Any, raise_case: Raise, as_user: Any, make_user: Callable[..., User], company: Company
) -> None:
    publish(ACKNOWLEDGE)
    case, secret = raise_case(), raise_case(restricted=True, title="About us")
    stranger = as_user(make_user("csm"))
    asked = {"escalation_id": secret["id"], "audience": ["customer"], "text": "{{ escalation.title }}"}

    assert stranger.get(path_of(case, "drafts")).status_code == 200
    assert stranger.post(path_of(case, "drafts", "acknowledge", "preview"), json={}).json["text"].endswith("Acme")
    assert stranger.get(path_of(secret, "drafts")).status_code == 404
    assert stranger.post(path_of(secret, "drafts", "acknowledge", "preview"), json={}).status_code == 404
    assert stranger.post("/api/v1/playbooks/drafts/preview", json=asked).status_code == 404
    assert as_user(company.owner).post("/api/v1/playbooks/drafts/preview", json=asked).json["text"] == "About us"
    assert client.post(path_of(case, "drafts", "nonsense", "preview"), json={}).status_code == 404


def test_whom_a_case_is_about_reads_none_of_its_drafts(
    publish: Any, raise_case: Raise, as_user: Any, make_user: Callable[..., User]
) -> None:
    publish(ACKNOWLEDGE)
    colleague = make_user("csm")
    case = raise_case(about_user=colleague.email)

    assert as_user(colleague).get(path_of(case, "drafts")).status_code == 404
    assert as_user(colleague).post(path_of(case, "drafts", "acknowledge", "preview"), json={}).status_code == 404


def test_a_case_without_a_playbook_has_no_drafts(client: ApiClient, raise_case: Raise) -> None:
    assert client.get(path_of(raise_case(), "drafts")).json["items"] == []


def test_fields_and_filters_are_offered(client: ApiClient) -> None:
    offered = client.get("/api/v1/drafts/fields").json
    fields = {one["field"]: one for one in offered["fields"]}

    assert fields["value.at_stake"] == {
        "field": "value.at_stake", "kind": "money", "about": "what we lose if this goes wrong", "internal": True
    }  # fmt: skip
    assert {"escalation.number", "answers.impact", "attempts[].result", "next_update.customer"} <= set(fields)
    assert "quoted" in [one["name"] for one in offered["filters"]]


def test_reading_drafts_takes_few_statements(
    client: ApiClient, publish: Any, raise_case: Raise, statements: Any
) -> None:
    publish(PROGRESS)
    case = raise_case()
    for path, body in ((path_of(case, "drafts"), None), (path_of(case, "drafts", "progress", "preview"), {})):
        with statements() as seen:
            answer = client.get(path) if body is None else client.post(path, json=body)
        assert answer.status_code == 200
        reads = [one for one in seen if "escalation" in one.lower()]
        assert len(reads) <= 4, reads


@pytest.mark.parametrize("key", KEYS)
def test_every_built_in_draft_can_be_sent_after_its_gaps_are_filled(
    client: ApiClient, raise_case: Raise, key: str
) -> None:
    book = {**definition_of(key), "when": {"all": []}}
    saved = client.post("/api/v1/playbooks", json={"definition": book})
    assert saved.status_code == 201, saved.text
    client.post(f"/api/v1/playbooks/{saved.json['id']}/publish", json={})
    words = {"customer_statement": "Nothing works.", "desired_outcome": "It works.", "impact": "We stand still."}
    case = raise_case(raised_by={"kind": "customer", "email": "ines@globex.example"}, **words)
    client.post(path_of(case, "acknowledge"), json={})
    keys = [one["key"] for one in client.get(path_of(case, "drafts")).json["items"]]
    assert {"acknowledge", "update", "handover", "bad_news", "apology", "loss", "resolution", "closure"} <= set(keys)
    for one in keys:
        seen = client.post(path_of(case, "drafts", one, "preview"), json={})
        assert seen.status_code == 200, (one, seen.text)
        fields = {gap["what"] for gap in seen.json["gaps"] if gap["kind"] == "field"}
        assert fields <= {"resolution.summary", "resolution.root_cause", "resolution.prevention"}, one
        assert len(seen.json["text"]) > 100
        assert "Globex" in str(seen.json) or "Exports fail" in str(seen.json)


def test_every_documented_field_is_offered_by_a_case(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    from app.playbooks.draft_fields import FIELDS

    case = raise_case()
    wanted = list(_written(FIELDS, ""))
    for start in range(0, len(wanted), 40):
        body = {"escalation_id": case["id"], "audience": ["executive"], "text": "\n".join(wanted[start : start + 40])}
        seen = client.post("/api/v1/playbooks/drafts/preview", json=body)
        assert seen.status_code == 200, seen.text


def _written(group: Group, prefix: str) -> Any:
    """Every field as a template names it."""
    for name, one in group.items():
        if isinstance(one, Field):
            yield f"{{{{ {prefix}{name} }}}}"
        elif isinstance(one, Many):
            for member in one.of:
                yield f"{{% for one in {prefix}{name} %}}{{{{ one.{member} }}}}{{% endfor %}}"
        else:
            yield from _written(one, f"{prefix}{name}.")
