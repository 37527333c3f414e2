"""What to do next: the table of states and the one step each leads to."""

from datetime import UTC, datetime, timedelta

import pytest

from app.panels.case_words import NEXT
from app.panels.next_step import Promise, Situation, Todo, next_step

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOURS = [NOW + timedelta(hours=n) for n in range(10)]
MONTH = NOW + timedelta(days=30)
WORK = {"acknowledge", "updates", "escalate", "edit", "plan", "attempts", "qualify", "extend"}
ALL = frozenset(WORK | {"approve", "resolve", "resume", "verify", "decision"})


def case(status="in_progress", promises=(), tasks=(), allowed=ALL, **more):
    return Situation(status, NOW, allowed, [Promise(*one) for one in promises], tasks, **more)


def todo(kind, due_at=None, *, mine=False):
    return Todo("t", kind, "Title", due_at, mine)


@pytest.mark.parametrize(
    ("situation", "code", "action"),
    [
        # before it is open
        (case("requested"), "decide_request", "approve"),
        (case("requested", allowed=frozenset()), "await_approval", None),
        # taking it in hand comes before the work, and before what is due sooner
        (case("open", [("acknowledge", HOURS[4]), ("respond", HOURS[1])]), "acknowledge", "acknowledge"),
        (case(acknowledged=False), "acknowledge", "acknowledge"),
        (case("open", allowed=frozenset({"updates"})), "acknowledge", None),
        # what is asked of the reader themselves
        (case("open", tasks=[todo("decision", mine=True)]), "decide", "decision"),
        (case(tasks=[todo("handover", mine=True)]), "write_handover", "escalate"),
        (case(pending=frozenset({"extension"})), "answer_extension", "approve"),
        # of promises the one due first
        (case(promises=[("customer_update", HOURS[3]), ("reply", HOURS[1])]), "answer_customer", "updates"),
        (case(promises=[("customer_update", HOURS[1]), ("plan", HOURS[2])]), "tell_customer", "updates"),
        (case(promises=[("respond", HOURS[1]), ("reply", HOURS[1])]), "answer_customer", "updates"),
        (case(promises=[("respond", HOURS[1])]), "tell_customer", "updates"),
        (case(promises=[("account_team_update", HOURS[1])]), "tell_account_team", "updates"),
        (case(promises=[("executive_update", HOURS[1])]), "tell_executives", "updates"),
        (case(promises=[("plan", HOURS[2]), ("still_on_it", HOURS[3])]), "plan", "plan"),
        (case(promises=[("still_on_it", HOURS[3])]), "sign_of_work", "attempts"),
        (case(promises=[("tier", HOURS[3])], tasks=[todo("qualification")]), "qualify", "qualify"),
        (case(promises=[("tier", HOURS[3])]), "move_up", "escalate"),
        (case(promises=[("plan", HOURS[3])], tasks=[todo("manual", HOURS[1])]), "do_task", "task"),
        # the close date presses in its last week
        (case(promises=[("close", MONTH)]), "resolve", "resolve"),
        (case(promises=[("close", HOURS[9]), ("plan", HOURS[9] + timedelta(days=9))]), "extend", "extend"),
        (case(promises=[("close", HOURS[0] - timedelta(days=1))]), "overdue", "extend"),
        (case(promises=[("close", HOURS[9])], ready=True), "resolve", "resolve"),
        (
            case(promises=[("close", HOURS[9])], pending=frozenset({"extension"}), allowed=ALL - {"approve"}),
            "await_extension",
            None,
        ),
        (
            case(
                promises=[("close", HOURS[1]), ("plan", HOURS[2])],
                pending=frozenset({"extension"}),
                allowed=ALL - {"approve"},
            ),
            "plan",
            "plan",
        ),
        (case(promises=[("close", HOURS[0])], ready=True), "overdue", "extend"),
        # the brief that a hop left out
        (case(brief_missing=True, promises=[("plan", HOURS[1])]), "late_brief", "edit"),
        # waiting: what is due is still done, else it can be taken up again
        (case("waiting", [("reply", HOURS[1])], party="vendor"), "answer_customer", "updates"),
        (case("waiting", party="customer"), "waiting_customer", "resume"),
        (case("waiting", [("tier", None)], party="vendor"), "waiting_vendor", "resume"),
        # what nobody set a time for
        (case(tasks=[todo("manual"), todo("qualification")]), "qualify", "qualify"),
        (case(tasks=[todo("manual")]), "do_task", "task"),
        (case(tasks=[todo("decision")], allowed=frozenset({"edit"})), "await_decision", None),
        # the end
        (case("resolved", [("verify", HOURS[3])]), "verify", "verify"),
        (case("resolved", allowed=frozenset({"updates"})), "verify", None),
        (case("closed"), "closed", None),
        (case("closed", tasks=[todo("customer_message")]), "answer_after", "updates"),
        (case("declined"), "declined", None),
        (case("merged"), "merged", None),
    ],
)
def test_the_next_step(situation, code, action):
    found = next_step(situation)
    assert (found.code, found.action) == (code, action)
    assert found.code in NEXT


def test_a_step_that_is_not_the_readers_says_what_it_wants_without_a_button():
    found = next_step(case(promises=[("reply", HOURS[1])], allowed=frozenset()))
    assert (found.code, found.wants, found.due_at, found.action) == ("answer_customer", "updates", HOURS[1], None)


def test_who_does_a_task_may_do_it_without_any_other_right():
    mine, theirs = (todo("manual", HOURS[1], mine=mine) for mine in (True, False))
    assert next_step(case(tasks=[mine], allowed=frozenset())).action == "task"
    assert next_step(case(tasks=[theirs], allowed=frozenset())).action is None
