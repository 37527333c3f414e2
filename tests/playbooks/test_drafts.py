"""What a message draft may say, what is refused with its place, and that no template runs or grows without end."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.playbooks.compiling import FaultyPlaybook, compile_playbook
from app.playbooks.definition import Draft
from app.playbooks.draft_fields import Field, Group, Many, fields_with, list_fields
from app.playbooks.draft_filters import FILTERS, Money
from app.playbooks.draft_gaps import open_gaps
from app.playbooks.drafts import MOST_TEXT, MOST_WRITTEN, faults_of, find_faults, gaps_left, render
from app.playbooks.errors import DraftRefused

BERLIN = ZoneInfo("Europe/Berlin")
FIELDS = fields_with({"invoice": "Which invoice?"})


def found(**said: Any) -> dict[str, Any]:
    """Every field empty but those said here, `escalation__title="…"`."""
    values = _empty(FIELDS)
    for path, value in said.items():
        group, _, name = path.rpartition("__")
        place = values
        for part in group.split("__") if group else []:
            place = place[part]
        place[name] = value
    return values


def _empty(group: Group) -> dict[str, Any]:
    return {
        name: None if isinstance(one, Field) else [] if isinstance(one, Many) else _empty(one)
        for name, one in group.items()
    }


def draft(text: str, *, audience: tuple[str, ...] = ("customer",), **members: Any) -> Draft:
    return Draft("d", "D", audience, members.pop("subject", "S"), text, **members)


def said(text: str, **values: Any) -> str:
    return render(draft(text, audience=("account_team",)), FIELDS, found(**values)).text


def refused(text: str, *, customer: bool = False) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for fault in find_faults(text, FIELDS, customer=customer)]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("Dear {{ customer.name }},", {"customer__name": "Ines"}, "Dear Ines,"),
        (
            "{{ escalation.raised_at | date }}",
            {"escalation__raised_at": datetime(2026, 11, 20, 17, 0, tzinfo=BERLIN)},
            "Friday 20 November 2026",
        ),
        (
            "{{ escalation.raised_at }}",
            {"escalation__raised_at": datetime(2026, 11, 20, 17, 0, tzinfo=BERLIN)},
            "Friday 20 November 2026, 17:00 (Europe/Berlin)",
        ),
        (
            "{{ escalation.raised_at | iso }}",
            {"escalation__raised_at": datetime(2026, 11, 20, 17, 0, tzinfo=UTC)},
            "2026-11-20T17:00+00:00",
        ),
        ("{{ value.renewal_on | iso }}", {"value__renewal_on": date(2027, 1, 1)}, "2027-01-01"),
        ("{{ value.at_stake }}", {"value__at_stake": Money(Decimal("1234567.00"), "EUR")}, "1,234,567 EUR"),
        ("{{ value.at_stake | money }}", {"value__at_stake": Money(Decimal("0.50"), "USD")}, "0.50 USD"),
        ("{{ value.arr }}", {"value__arr": Money(Decimal(9), "USD", at_least=True)}, "at least 9 USD"),
        ("{{ escalation.reason | words | capital }}", {"escalation__reason": "product_limit"}, "Product limit"),
        ("{{ escalation.title | shorten(12) }}", {"escalation__title": "Exports fail at noon"}, "Exports…"),
        (
            "{{ escalation.impact | quoted }}",
            {"escalation__impact": "We wait.\n\nAll of us."},
            "> We wait.\n>\n> All of us.",
        ),
        ("{{ answers.invoice | upper }}", {"answers__invoice": "r-1"}, "R-1"),
        ("{{ customer.name | default('colleague') }}", {}, "colleague"),
        ("{{ customer.name | default('colleague') }}", {"customer__name": "Ines"}, "Ines"),
        ("{% if customer.name %}A{% else %}B{% endif %}", {}, "B"),
        ("{% if escalation.severity <= 2 and not owner.name %}grave{% endif %}", {"escalation__severity": 2}, "grave"),
        ("{% if account.health < 40 %}low{% else %}?{% endif %}", {}, "?"),
        ("{{ 'again' if escalation.reopens > 0 else 'first' }}", {"escalation__reopens": 1}, "again"),
        ("{{ messages | length }}", {"messages": [{"at": None, "text": "Hi"}]}, "1"),
        ("a\n{% if customer.name %}\nb\n{% endif %}\nc", {"customer__name": "Ines"}, "a\nb\nc"),
        ("<{{ escalation.title }}>", {"escalation__title": "a & <b>"}, "<a & <b>>"),
    ],
)
def test_a_template_says_what_the_case_says(text: str, values: dict[str, Any], expected: str) -> None:
    assert refused(text) == []
    assert said(text, **values) == expected


def test_a_list_is_gone_through_with_its_last_ten_entries() -> None:
    tried = [{"at": None, "what": f"step {n}", "result": "no"} for n in range(1, 13)]
    text = "{% for one in attempts %}{{ loop.index }}. {{ one.what }}{{ '' if loop.last else ', ' }}{% endfor %}"

    assert said(text, attempts=tried).startswith("1. step 3, 2. step 4")
    assert said(text, attempts=tried).endswith("10. step 12")
    assert said("{% for one in attempts %}x{% else %}nothing yet{% endfor %}", attempts=[]) == "nothing yet"


def test_what_the_case_does_not_have_and_what_the_sender_must_write_are_marked_and_listed() -> None:
    text = "Dear {{ customer.name }}, {{ 'what we found' | write }}. {{ customer.name }} {{ owner.name | upper }}"
    done = render(draft(text, subject="On {{ escalation.title }}\n{{ owner.name }}"), FIELDS, found())

    assert done.text == "Dear ⟦customer.name⟧, ⟦what we found⟧. ⟦customer.name⟧ ⟦owner.name⟧"
    assert done.subject == "On ⟦escalation.title⟧ ⟦owner.name⟧"
    assert list(done.gaps) == [
        ("field", "escalation.title"),
        ("field", "owner.name"),
        ("field", "customer.name"),
        ("write", "what we found"),
    ]
    assert open_gaps(done.text) == ["customer.name", "what we found", "customer.name", "owner.name"]
    assert open_gaps("All is said.") == []


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("{{ owner.phone }}", 1, "unknown_field"),
        ("one\ntwo {{ nobody }}", 2, "unknown_field"),
        ("{{ answers.colour }}", 1, "unknown_field"),
        ("{{ owner.name.upper }}", 1, "unknown_field"),
        ("{{ owner.__class__ }}", 1, "unknown_field"),
        ("{{ escalation.title | shout }}", 1, "unknown_filter"),
        ("{{ owner }}", 1, "wrong_type"),
        ("{{ attempts }}", 1, "wrong_type"),
        ("{{ escalation.title | date }}", 1, "wrong_type"),
        ("{{ escalation.title | money }}", 1, "wrong_type"),
        ("{{ escalation.title | length }}", 1, "wrong_type"),
        ("{{ escalation.title | shorten }}", 1, "wrong_type"),
        ("{{ escalation.title | shorten(escalation.severity) }}", 1, "wrong_type"),
        ("{{ escalation.title | shorten(most=3) }}", 1, "wrong_type"),
        ("{{ escalation.title | write }}", 1, "wrong_type"),
        ("{% if escalation.title < 3 %}a{% endif %}", 1, "wrong_type"),
        ("{% if escalation.title == 3 %}a{% endif %}", 1, "wrong_type"),
        ("{% for a in escalation %}a{% endfor %}", 1, "wrong_type"),
        ("{% for owner in attempts %}a{% endfor %}", 1, "not_allowed"),
        ("{{ owner['name'] }}", 1, "not_allowed"),
        ("{{ escalation.title.upper() }}", 1, "not_allowed"),
        ("{{ escalation.title ~ owner.name }}", 1, "not_allowed"),
        ("{{ [1, 2] }}", 1, "not_allowed"),
        ("{{ 1.5 }}", 1, "not_allowed"),
        ("{{ owner.name is defined }}", 1, "not_allowed"),
        ("{% set a = 1 %}", 1, "not_allowed"),
        ("{% include 'x' %}", 1, "not_allowed"),
        ("{% import 'x' as y %}", 1, "not_allowed"),
        ("{% extends 'x' %}", 1, "not_allowed"),
        ("{% macro m() %}{% endmacro %}", 1, "not_allowed"),
        ("{% if owner.name %}", 1, "syntax"),
        ("{{ owner.name", 1, "syntax"),
        ("{{ 'a\\x41' }}", 1, "syntax"),
        ("{% if loop.first %}a{% endif %}", 1, "unknown_field"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, line: int, code: str) -> None:
    assert refused(text) == [(line, code)]


def test_an_unknown_field_is_answered_with_those_there_are() -> None:
    [fault] = find_faults("{{ owner.phone }}", FIELDS, customer=True)

    assert fault.detail == "there is no field owner.phone: owner has email, name"


@pytest.mark.parametrize(
    "text",
    [
        "{{ value.at_stake }}",
        "{{ handover.brief }}",
        "{{ account.health }}",
        "{% for a in attempts %}{{ a.what }}{% endfor %}",
        "{% if value.arr %}you matter{% endif %}",
    ],
)
def test_what_is_for_us_alone_stands_in_no_text_for_the_customer(text: str) -> None:
    assert [code for _, code in refused(text, customer=True)][:1] == ["internal_field"]
    assert refused(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(1000000000) %}{% endfor %}",
        "{% for a in attempts %}{% for b in attempts %}{% endfor %}{% endfor %}",
        "{% for a in attempts recursive %}{{ loop(attempts) }}{% endfor %}",
        "{% for a in 'abc' %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ escalation.title | center(1000000000) }}",
        "{{ escalation.title | replace('', 'aaaaaaaaaaaaaaaaaaaa') }}",
        "{{ escalation.title | quoted | quoted | quoted | quoted }}",
        "{{ lipsum(1000) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ (" + "(" * 5_000 + "1" + ")" * 5_000 + ") }}",
        "{{ " + "not " * 2_000 + "owner.name }}",
        "{{ owner.name" + " | trim" * 1_000 + " }}",
        "{{ 1" + " if 1 else 1" * 500 + " }}",
        "{% if owner.name %}" * 300 + "{% endif %}" * 300,
        "{% if owner.name %}" + "{% elif owner.name %}" * 400 + "{% endif %}",
        "{{ " + "9" * 5_000 + " }}",
        "{{ " + "a" * 5_000 + " }}",
        "{{" * 4_000,
        "{#" * 4_000,
        "x" * (MOST_TEXT + 1),
        "{% for a in attempts %}" + "{% if a.what == a.what %}{% endif %}" * 90 + "{% endfor %}",
    ],
)  # fmt: skip
def test_an_attack_is_refused_at_once(text: str) -> None:
    begun = time.process_time()
    assert refused(text) != []
    assert time.process_time() - begun < 1


def test_what_is_written_stops_when_it_grows_too_long() -> None:
    with pytest.raises(DraftRefused) as caught:
        said("{{ escalation.impact }}" * 100, escalation__impact="x" * 15_000)

    assert str(MOST_WRITTEN) in caught.value.detail


def test_the_slowest_template_that_is_taken_ends_within_seconds() -> None:
    body = "{% if a.what | quoted | quoted | quoted == 'x' %}{% endif %}"
    text = "{% for a in attempts %}" + body * 28 + "{% endfor %}"
    lines = "x\n" * 10_000
    begun = time.process_time()
    assert refused(text) == []
    assert said(text, attempts=[{"at": None, "what": lines, "result": "no"}] * 10) == ""
    assert time.process_time() - begun < 5


PIECES = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{{-", "-%}", "if", "elif", "else", "endif", "for", "in", "endfor", "not",
        "and", "or", "(", ")", "[", "]", "|", ".", ",", ":", "==", "<", "~", "*", "**", "-", "'", '"', "1", "999999999",
        "'a'", "owner", "owner.name", "attempts", "a", "a.what", "loop", "loop.index", "escalation.severity", "answers",
        "shorten(9)", "default('x')", "write", "length", "quoted", "date", "true", "none", "self", "range", "super",
        "set", "raw", "endraw", "block", "macro", "include", "recursive", "is", "defined", " ", "\n", "é", "⟦", "\\",
        "if owner.name", "for a in attempts", "{{ owner.name }}", "{% endif %}", "{% endfor %}",
    ]
)  # fmt: skip


@settings(max_examples=600)
@given(st.lists(PIECES, max_size=40).map(" ".join))
def test_whatever_is_written_is_refused_with_a_line_or_rendered(text: str) -> None:
    attempts = [{"at": None, "what": "w", "result": None}] * 3
    if faults := find_faults(text, FIELDS, customer=False):
        assert all(fault.line >= 1 and fault.detail for fault in faults)
    else:
        assert len(said(text, attempts=attempts, escalation__severity=2)) <= MOST_WRITTEN


def test_many_branches_are_compiled_and_run() -> None:
    text = "{% if escalation.severity == 1 %}a" + "{% elif escalation.severity == 2 %}b" * 150 + "{% endif %}"

    assert said(text, escalation__severity=2) == "b"


def test_a_template_reaches_nothing_but_the_documented_fields_even_unchecked() -> None:
    from app.playbooks.drafts import _ENVIRONMENT, _valued

    values = _valued(FIELDS, found(escalation__title="T"), "", []).values
    for text in ("{{ escalation.values }}", "{{ escalation.title.upper() }}", "{{ escalation['title'] }}", "{{ x() }}"):
        with pytest.raises(Exception, match=r"unsafe|undefined|callable|access"):
            _ENVIRONMENT.from_string(text).render(values)


def test_each_audience_may_have_its_own_wording() -> None:
    both = draft("To all: {{ escalation.title }}", audience=("customer", "executive"),
                 texts={"executive": "Worth {{ value.at_stake }}"})  # fmt: skip
    values = found(escalation__title="Exports", value__at_stake=Money(Decimal(5), "USD"))
    done = render(both, FIELDS, values)

    assert (done.text, done.texts) == ("To all: Exports", {"executive": "Worth 5 USD"})


def test_a_common_text_is_fit_for_the_customer_also_where_they_have_a_wording_of_their_own() -> None:
    """Whoever sends it may take the common text for all of its readers."""
    one = {"key": "a", "title": "A", "audience": ["customer", "executive"], "subject": "S", "text": "{{ value.arr }}"}
    written: dict[str, Any] = {**one, "texts": {"customer": "We are on it."}}
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({"name": "Book", "about": "A book.", "drafts": [written]}, also=faults_of)
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/drafts/0/text", "internal_field")]

    written = {**one, "text": "We are on it.", "texts": {"executive": "{{ value.arr }}"}}
    compile_playbook({"name": "Book", "about": "A book.", "drafts": [written]}, also=faults_of)


@pytest.mark.parametrize(
    ("template", "sent", "left"),
    [
        ("{{ owner.name }}", "⟦owner.name⟧", ["owner.name"]),
        ("{{ owner.name | upper }}", "⟦owner.name⟧", ["owner.name"]),
        ("{{ owner.name | default('we') }}", "⟦owner.name⟧", []),
        ("{{ owner.name | default('we') | upper }}", "⟦owner.name⟧", []),
        ("{{ owner.name }}", "⟦owner.email⟧ ⟦Error 5⟧", []),
        ("{{ 'what we found' | write }}", "⟦what we found⟧", ["what we found"]),
        ("{{ 'what we found' | write | upper }}", "⟦WHAT WE FOUND⟧ ⟦what we found⟧", ["WHAT WE FOUND"]),
        ("{% for one in messages %}{{ one.text }}{% endfor %}", "⟦messages.text⟧ ⟦one.text⟧", ["messages.text"]),
        ("{{ owner.name if owner.email else us.name }}", "⟦us.name⟧", ["us.name"]),
        ("{% if owner.name %}{{ owner.email }}{% else %}{{ us.name }}{% endif %}", "⟦us.name⟧", ["us.name"]),
    ],
)
def test_only_marks_that_the_draft_can_have_left_are_gaps(template: str, sent: str, left: list[str]) -> None:
    one = draft(template)
    assert gaps_left(one, sent) == left
    nothing = render(one, FIELDS, {**found(), "messages": [{"at": None, "text": None}]})
    assert set(open_gaps(nothing.text)) <= set(gaps_left(one, nothing.text))


def test_faults_of_drafts_are_named_by_their_place_in_the_playbook() -> None:
    one = {"key": "a", "title": "A", "audience": ["customer"], "subject": "{{ owner.age }}", "text": "{{ value.arr }}"}
    other = {"key": "b", "title": "B", "audience": ["executive"], "subject": "B", "text": "B {{ answers.invoice }}"}
    asked = [{"key": "invoice", "ask": "Which?"}]
    written = {"name": "Book", "about": "A book.", "questions": asked, "drafts": [one, other]}
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook(written, also=faults_of)

    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [
        ("/drafts/0/subject", "unknown_field"),
        ("/drafts/0/text", "internal_field"),
    ]


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"audience": []}, "/drafts/0/audience"),
        ({"audience": ["everybody"]}, "/drafts/0/audience/0"),
        ({"suits": ["merged"]}, "/drafts/0/suits/0"),
        ({"text": " "}, "/drafts/0/text"),
        ({"texts": {"executive": "E"}}, "/drafts/0/texts/executive"),
        ({"key": "A b"}, "/drafts/0/key"),
        ({"colour": "red"}, "/drafts/0/colour"),
    ],
)
def test_a_draft_of_another_shape_is_refused(members: dict[str, Any], pointer: str) -> None:
    one = {"key": "a", "title": "A", "audience": ["customer"], "subject": "S", "text": "T", **members}
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({"name": "Book", "about": "A book.", "drafts": [one]}, also=faults_of)

    assert pointer in [fault.pointer for fault in caught.value.faults]


def test_every_field_and_filter_is_explained() -> None:
    fields = dict(list_fields())

    assert fields["owner.name"].about == "who owns the case: name"
    assert fields["attempts[].what"].internal
    assert not fields["updates[].text"].internal
    assert all(one.about for one in (*fields.values(), *FILTERS.values()))
