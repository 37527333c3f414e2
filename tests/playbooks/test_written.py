"""Playbooks as YAML: the same there and back, and a line for every fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.playbooks.compiling import FaultyPlaybook, compile_playbook
from app.playbooks.written import MOST_BYTES, Unreadable, read_yaml, write_yaml
from app.sla.ladder import AUDIENCES, Repeat
from app.sla.targets import CLOCK_KINDS

GOOD = """\
# kept in a repository of the team
name: Billing dispute
about: |
  The customer disputes an invoice.
  Money first, blame never.
tasks:
  - key: freeze
    title: Stop the reminders for the invoice
    due: {business_hours: 4}
  - key: check
    title: Check the invoice line by line
    after: [freeze]
"""


def test_a_playbook_reads_as_it_is_written() -> None:
    written = read_yaml(GOOD)

    assert compile_playbook(written.content).tasks[1].after == ("freeze",)
    assert read_yaml(write_yaml(written.content)).content == written.content


def test_texts_of_several_lines_stay_blocks() -> None:
    assert "about: |" in write_yaml(read_yaml(GOOD).content)


def test_a_fault_names_its_line() -> None:
    written = read_yaml(GOOD.replace("[freeze]", "[thaw]").replace("business_hours: 4", "hours: 4"))
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook(written.content)

    placed = written.placed(caught.value.faults)
    assert [(fault["line"], fault["pointer"]) for fault in placed] == [(9, "/tasks/0/due"), (12, "/tasks/1/after/0")]


def test_a_missing_member_is_placed_at_what_lacks_it() -> None:
    written = read_yaml(GOOD.replace("    title: Check the invoice line by line\n", ""))
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook(written.content)

    assert written.placed(caught.value.faults)[0]["line"] == 10


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: &x [1]\nb: *x\n", 2, "aliases"),
        ("name: A\nname: B\n", 2, "twice"),
        ("name: [1\n", 2, ""),
        ("", 1, "found nothing"),
        ("a: 1\n---\nb: 2\n", 2, ""),
        ("a: !!python/object/apply:os.system [true]\n", 1, ""),
        ("[" * 40 + "]" * 40, 1, "deep"),
        ("? [a]\n: 1\n", 1, "plain word"),
        ("a: \x01\n", 1, ""),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text)

    assert caught.value.line == line
    assert said in caught.value.detail


def test_a_file_of_laughs_is_refused_before_it_grows() -> None:
    laughs = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))

    with pytest.raises(Unreadable, match="aliases"):
        read_yaml(laughs)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Unreadable, match="256 kB"):
        read_yaml("a: " + "x" * MOST_BYTES)


def test_words_stay_words() -> None:
    written = read_yaml("a: no\nb: on\nc: 2026-11-22\nd: 012\ne: true\nf: 12\ng: null\n")

    assert written.content == {"a": "no", "b": "on", "c": "2026-11-22", "d": "012", "e": True, "f": 12, "g": None}


LADDERS = """\
name: At risk
about: Earlier, and higher.
tiers:
  - {tier: tier_1, within: {business_hours: 8}, automatic: true}
ladders:
  close:
    - {offset: 50%, audience: [owner]}
    - {offset: -P10D, audience: [owner, sponsor]}
    - offset: "0"
      audience: [sponsor]
    - offset: +P1D
      audience: [owner_manager]
      repeat: {every: P1D, times: 3}
  tier:
    - {offset: "0", action: escalate}
"""


def test_ladders_read_as_they_are_written() -> None:
    written = read_yaml(LADDERS)
    ladders = compile_playbook(written.content).ladders

    assert [step.offset for step in ladders["close"]] == ["50%", "-P10D", "0", "+P1D"]
    assert ladders["close"][3].repeat == Repeat("P1D", 3)
    assert [(step.offset, step.action) for step in ladders["tier"]] == [("0", "escalate")]
    again = read_yaml(write_yaml(written.content)).content
    assert again == written.content
    assert compile_playbook(again).ladders == ladders


@pytest.mark.parametrize(
    ("is_", "becomes", "faults"),
    [
        ("  close:", "  closing:", [(6, "/ladders/closing")]),
        ("-P10D", "-10D", [(8, "/ladders/close/1/offset")]),
        ('offset: "0"\n', "offset: 0\n", [(9, "/ladders/close/2/offset")]),
        ("[owner, sponsor]", "[owner, boss]", [(8, "/ladders/close/1/audience")]),
        ("[owner, sponsor]", "owner", [(8, "/ladders/close/1/audience")]),
        ("[owner, sponsor]", "[]", [(8, "/ladders/close/1/audience")]),
        ("{offset: -P10D", "{offset: 50%", [(8, "/ladders/close/1/offset")]),
        ("[owner, sponsor]}", "[owner], action: close}", [(8, "/ladders/close/1/action")]),
        ("[owner, sponsor]}", "[owner], action: shout}", [(8, "/ladders/close/1/action")]),
        ("[owner, sponsor]}", "[owner], tone: loud}", [(8, "/ladders/close/1/tone")]),
        ("every: P1D, times: 3", "every: PT1M", [(13, "/ladders/close/3/repeat/every")]),
        ("every: P1D, times: 3", "every: P1D, times: 0", [(13, "/ladders/close/3/repeat/times")]),
        ("action: escalate", "audience: [owner]", [(14, "/ladders/tier")]),
        ("  tier:", "  verify:", [(14, "/ladders/verify")]),
        ("50%", "500%", [(7, "/ladders/close/0/offset")]),
    ],
)
def test_what_no_clock_can_climb_is_refused_with_its_line(
    is_: str, becomes: str, faults: list[tuple[int, str]]
) -> None:
    assert LADDERS.count(is_) == 1
    written = read_yaml(LADDERS.replace(is_, becomes))
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook(written.content)

    assert [(one["line"], one["pointer"]) for one in written.placed(caught.value.faults)] == faults


def test_every_faulty_step_is_named_at_once() -> None:
    written = read_yaml(LADDERS.replace("50%", "half").replace("-P10D", "soon").replace("escalate", "shout"))
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook(written.content)

    assert [one["line"] for one in written.placed(caught.value.faults)] == [7, 8, 15]


@pytest.mark.parametrize("ladders", [[], "close", {"close": "soon"}, {"close": {}}, {"plan": None}, {1: []}])
def test_ladders_of_another_shape_are_refused(ladders: object) -> None:
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({"name": "A", "about": "B.", "ladders": ladders})

    assert caught.value.faults[0].pointer.startswith("/ladders")


def test_a_ladder_has_fifty_steps_at_most() -> None:
    steps = [{"offset": f"+PT{n}M", "audience": ["owner"]} for n in range(1, 52)]
    with pytest.raises(FaultyPlaybook) as caught:
        compile_playbook({"name": "A", "about": "B.", "ladders": {"plan": steps}})

    assert [fault.pointer for fault in caught.value.faults] == ["/ladders/plan/50"]
    assert len(compile_playbook({"name": "A", "about": "B.", "ladders": {"plan": steps[:50]}}).ladders["plan"]) == 50


WORDS = st.sampled_from(["0", "50%", "+P1D", "-P7D", "owner", "notify", "escalate", "close", "P1D", "PT1H", "", "x"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
STEP = st.fixed_dictionaries(
    {"offset": PLAIN},
    optional={
        "audience": PLAIN | st.lists(st.sampled_from(AUDIENCES), max_size=3),
        "action": PLAIN,
        "repeat": PLAIN | st.fixed_dictionaries({"every": PLAIN}, optional={"times": PLAIN}),
    },
)


@given(st.dictionaries(st.sampled_from(CLOCK_KINDS), PLAIN | st.lists(STEP | PLAIN, max_size=4), max_size=2) | PLAIN)
def test_whatever_is_written_under_ladders_is_understood_or_refused_with_its_place(ladders: object) -> None:
    kinds, pointers = set(), ["/ladders"]
    try:
        kinds = set(compile_playbook({"name": "A", "about": "B.", "ladders": ladders}).ladders)
    except FaultyPlaybook as refused:
        pointers = [fault.pointer for fault in refused.faults]
    assert kinds <= set(CLOCK_KINDS)
    assert all(pointer.startswith("/ladders") for pointer in pointers)
