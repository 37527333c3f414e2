"""What to do next with a case, and who: one step, from its status, its promises and its tasks.

Pure. `next_step` asks the rules in order; the first that answers gives the step. Whoever may not do it
reads whose it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TELL = {
    "respond": "tell_customer",
    "reply": "answer_customer",
    "customer_update": "tell_customer",
    "account_team_update": "tell_account_team",
    "executive_update": "tell_executives",
}
SOON = timedelta(days=7)
WORKED_ON = ("in_progress", "waiting")


@dataclass(frozen=True)
class Promise:
    """A clock that stands; a paused one has no due time."""

    kind: str
    due_at: datetime | None


@dataclass(frozen=True)
class Todo:
    """An open task that can be begun; `mine`: its doer is the reader."""

    id: str
    kind: str
    title: str
    due_at: datetime | None = None
    mine: bool = False
    required: bool = False


@dataclass(frozen=True)
class Situation:
    """What the step hangs on; `allowed` are the reader's actions, `ready`: nothing required is open."""

    status: str
    now: datetime
    allowed: frozenset[str] = frozenset()
    promises: Sequence[Promise] = ()
    tasks: Sequence[Todo] = ()
    pending: frozenset[str] = frozenset()
    acknowledged: bool = True
    brief_missing: bool = False
    party: str | None = None
    ready: bool = False


@dataclass(frozen=True)
class Step:
    """`code` names the sentence, `action` the form that does it, None when the reader may not or nothing is to do."""

    code: str
    wants: str | None = None
    due_at: datetime | None = None
    task: Todo | None = None
    action: str | None = field(default=None)

    def for_reader(self, allowed: Iterable[str]) -> "Step":
        """The same with its action, if the reader may do it."""
        may_all = set(allowed)
        theirs = self.wants == "task" and self.task is not None and (self.task.mine or "edit" in may_all)
        may = theirs or self.wants in may_all
        return Step(self.code, self.wants, self.due_at, self.task, self.wants if may else None)


Rule = Callable[[Situation], Step | None]


def next_step(case: Situation) -> Step:
    """The step of the first rule that has one."""
    found = next((step for rule in RULES if (step := rule(case)) is not None), Step("go_on"))
    return found.for_reader(case.allowed)


def due_of(case: Situation, *kinds: str) -> datetime | None:
    return min((one.due_at for one in case.promises if one.kind in kinds and one.due_at), default=None)


def answer_raise(case: Situation) -> Step | None:
    if case.status != "requested":
        return None
    code = "decide_request" if "approve" in case.allowed else "await_approval"
    return Step(code, "approve", due_of(case, "decide"))


def answer_extension(case: Situation) -> Step | None:
    """The request for more time comes before the work itself, for whoever can answer it."""
    if "extension" in case.pending and "approve" in case.allowed:
        return Step("answer_extension", "approve", due_of(case, "close"))
    return None


def asked_of_me(case: Situation) -> Step | None:
    """A decision or a brief that the reader themselves was asked for."""
    codes = {"decision": ("decide", "decision"), "handover": ("write_handover", "escalate")}
    mine = next((task for task in case.tasks if task.mine and task.kind in codes), None)
    if mine is None:
        return None
    code, action = codes[mine.kind]
    return Step(code, action, mine.due_at, mine)


def acknowledge(case: Situation) -> Step | None:
    if case.status == "open" or (case.status in WORKED_ON and not case.acknowledged):
        return Step("acknowledge", "acknowledge", due_of(case, "acknowledge"))
    return None


def verify(case: Situation) -> Step | None:
    return Step("verify", "verify", due_of(case, "verify")) if case.status == "resolved" else None


def over(case: Situation) -> Step | None:
    """Nothing is left of a case that ended but to answer who wrote afterwards."""
    if case.status not in ("closed", "declined", "merged"):
        return None
    wrote = next((task for task in case.tasks if task.kind == "customer_message"), None)
    return Step("answer_after", "updates", None, wrote) if wrote else Step(case.status)


def late_brief(case: Situation) -> Step | None:
    return Step("late_brief", "edit") if case.brief_missing else None


def soonest(case: Situation) -> Step | None:
    """Of what is promised and asked, what is due first, at one time an answer before news; what has no due time comes
    after."""
    steps = [step for step in (*of_promises(case), *of_tasks(case)) if step.due_at is not None]
    return min(steps, key=lambda step: (step.due_at or case.now, step.code != "answer_customer"), default=None)


def of_promises(case: Situation) -> Iterable[Step]:
    for one in case.promises:
        if one.kind in TELL:
            yield Step(TELL[one.kind], "updates", one.due_at)
        elif one.kind == "plan":
            yield Step("plan", "plan", one.due_at)
        elif one.kind == "still_on_it":
            yield Step("sign_of_work", "attempts", one.due_at)
        elif one.kind == "tier":
            yield tier_step(case, one)
        elif one.kind == "close" and one.due_at is not None and one.due_at <= case.now + SOON:
            yield from close_steps(case, one.due_at)


def tier_step(case: Situation, one: Promise) -> Step:
    """The tier's time runs: answer its question, or, answered, resolve here or move up."""
    question = next((task for task in case.tasks if task.kind == "qualification"), None)
    return Step("qualify", "qualify", one.due_at, question) if question else Step("move_up", "escalate", one.due_at)


def close_steps(case: Situation, due_at: datetime) -> Iterable[Step]:
    """In its last week the close date presses; while more time is asked for, the work goes on with what is next."""
    if "extension" in case.pending:
        return
    if due_at <= case.now:
        yield Step("overdue", "extend", due_at)
    else:
        yield Step("resolve", "resolve", due_at) if case.ready else Step("extend", "extend", due_at)


def of_tasks(case: Situation) -> Iterable[Step]:
    for task in case.tasks:
        if task.kind == "qualification":
            yield Step("qualify", "qualify", task.due_at, task)
        elif task.kind == "decision":
            yield Step("await_decision", "decision", task.due_at, task)
        else:
            yield Step("do_task", "task", task.due_at, task)


def waiting(case: Situation) -> Step | None:
    if case.status != "waiting":
        return None
    return Step(f"waiting_{case.party or 'internal'}", "resume")


def without_due(case: Situation) -> Step | None:
    """Questions and tasks that nobody set a time for, the tier's question first."""
    steps = sorted(of_tasks(case), key=lambda step: step.code != "qualify")
    return steps[0] if steps and case.status in ("open", *WORKED_ON) else None


def await_extension(case: Situation) -> Step | None:
    return Step("await_extension", None, due_of(case, "close")) if "extension" in case.pending else None


def resolve(case: Situation) -> Step | None:
    return Step("resolve", "resolve", due_of(case, "close")) if case.status in WORKED_ON else None


RULES: Sequence[Rule] = (
    answer_raise,
    answer_extension,
    asked_of_me,
    over,
    acknowledge,
    verify,
    late_brief,
    soonest,
    waiting,
    without_due,
    await_extension,
    resolve,
)


def situation_of(case: Mapping[str, object], **more: object) -> Situation:
    """Reads what the record itself says."""
    waiting_for = case.get("waiting")
    party = waiting_for.get("party") if isinstance(waiting_for, Mapping) else None
    return Situation(
        status=str(case["status"]),
        acknowledged=bool(case["acknowledged"]),
        brief_missing=bool(case["brief_missing"]),
        party=party,
        **more,  # type: ignore[arg-type]
    )
