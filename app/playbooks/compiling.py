"""From what was written to a playbook that is understood, or to every fault in it.

Written is plain data, the same in JSON and YAML.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.playbooks.definition import (
    AUDIENCES,
    KEY,
    MEMBERS,
    MESSAGE,
    MOST_CRITERIA,
    MOST_DRAFTS,
    MOST_QUESTIONS,
    MOST_TASKS,
    ROLES,
    SENTENCE,
    SUITS,
    TITLE,
    Criterion,
    Draft,
    Playbook,
    Promised,
    Question,
    TaskPlan,
    TierPlan,
)
from app.playbooks.ladders import read_ladders
from app.playbooks.order import find_cycle
from app.playbooks.reading import Fault, Faults, Part
from app.routing.match import Compiled, ConditionRefused, compile_condition
from app.sla.level import MOST_DAYS, MOST_HOURS, TIERS

COUNTED = "counts."


class FaultyPlaybook(ValueError):
    """A playbook that cannot be meant, with every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults[:3]))


def nothing_more(playbook: Playbook) -> Sequence[Fault]:
    """No further check."""
    return ()


def compile_playbook(written: Any, *, also: Callable[[Playbook], Sequence[Fault]] = nothing_more) -> Playbook:
    """The playbook, if it can be meant; a FaultyPlaybook lists every fault with its JSON pointer, those that `also`
    finds among them."""
    faults = Faults()
    part = Part.of(written, "", MEMBERS, faults)
    tiers = _tiers(part)
    playbook = Playbook(
        name=part.text("name", most=TITLE),
        about=part.text("about", most=SENTENCE),
        rank=part.whole("rank", low=1, high=10_000, default=100),
        when=_when(part),
        questions=_questions(part),
        tasks=_tasks(part, [tier.tier for tier in tiers]),
        tiers=tiers,
        updates=_updates(part),
        criteria=_criteria(part),
        drafts=_drafts(part),
        ladders=read_ladders(part, automatic=any(tier.automatic for tier in tiers)),
    )
    faults.found += also(playbook)
    if faults.found:
        raise FaultyPlaybook(faults.found)
    return playbook


def _when(part: Part) -> Compiled:
    try:
        condition = compile_condition(part.written.get("when", {"all": []}))
        counted = [leaf for leaf in condition.leaves if leaf.field.name.startswith(COUNTED)]
        for leaf in counted:
            place = f"{part.at('when')}{leaf.pointer}/field"
            part.faults.note(place, "is not counted yet when a playbook is chosen", "unknown_field")
        return condition
    except ConditionRefused as refused:
        part.faults.note(part.at("when") + refused.pointer, refused.detail, refused.code)
        return compile_condition({"all": []})


def _parts(part: Part, name: str, members: Sequence[str], *, most: int) -> list[Part]:
    """The objects of a list; two with one key are a fault."""
    parts = [
        Part.of(written, f"{part.at(name)}/{index}", members, part.faults)
        for index, written in enumerate(part.many(name, most=most))
    ]
    seen: set[str] = set()
    for one in parts:
        key = _key(one) if "key" in members else ""
        if key and key in seen:
            one.faults.note(one.at("key"), f"{key} is the key of another one", "duplicate")
        seen.add(key)
    return parts


def _key(part: Part) -> str:
    key = part.written.get("key")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        part.faults.note(part.at("key"), "expected a key of small letters, digits and _, such as call_customer")
        return ""
    return key


def _questions(part: Part) -> tuple[Question, ...]:
    found = _parts(part, "questions", ("key", "ask", "reasons", "required"), most=MOST_QUESTIONS)
    return tuple(
        Question(
            key=str(one.written.get("key")),
            ask=one.text("ask", most=SENTENCE),
            reasons=one.words("reasons", most=100),
            required=one.flag("required", default=True),
        )
        for one in found
    )


def _tasks(part: Part, tiers: Sequence[str]) -> tuple[TaskPlan, ...]:
    members = ("key", "title", "role", "due", "after", "required", "customer_visible", "tier")
    parts = _parts(part, "tasks", members, most=MOST_TASKS)
    tasks = tuple(_task(one, tiers) for one in parts)
    _check_order(tasks, parts)
    return tasks


def _task(part: Part, tiers: Sequence[str]) -> TaskPlan:
    tier = part.choice("tier", tiers or TIERS)
    role = part.choice("role", ROLES, default="owner") or "owner"
    if role == "tier" and tier is None and "tier" not in part.written:
        part.faults.note(part.at("role"), "a task of the tier's team names its tier")
    return TaskPlan(
        key=str(part.written.get("key")),
        title=part.text("title", most=TITLE),
        role=role,
        due=_due(part, "due"),
        after=part.words("after", most=MOST_TASKS),
        required=part.flag("required", default=False),
        customer_visible=part.flag("customer_visible", default=False),
        tier=tier,
    )


def _check_order(tasks: Sequence[TaskPlan], parts: Sequence[Part]) -> None:
    """A task waits for others that exist, never for itself, and never in a circle."""
    known = {task.key: task for task in tasks}
    for task, part in zip(tasks, parts, strict=True):
        for index, key in enumerate(task.after):
            if key == task.key:
                part.faults.note(f"{part.at('after')}/{index}", "a task cannot wait for itself", "cycle")
            elif key not in known:
                part.faults.note(f"{part.at('after')}/{index}", f"there is no task {key}", "unknown_task")
            elif _height(known[key]) > _height(task):
                part.faults.note(f"{part.at('after')}/{index}", f"{key} comes in a later tier", "cycle")
    cycle = find_cycle({task.key: [key for key in task.after if key != task.key] for task in tasks})
    if cycle:
        place = next(part for task, part in zip(tasks, parts, strict=True) if task.key == cycle[0])
        place.faults.note(place.at("after"), f"waits in a circle: {' → '.join(cycle)}", "cycle")


def _height(task: TaskPlan) -> int:
    """How far up the path a task is made; one without a tier at the raise."""
    return TIERS.index(task.tier) if task.tier else 0


def _tiers(part: Part) -> tuple[TierPlan, ...]:
    plans: list[TierPlan] = []
    for one in _parts(part, "tiers", ("tier", "within", "automatic", "reroute", "ask"), most=len(TIERS)):
        tier = one.choice("tier", TIERS)
        if tier is None and "tier" not in one.written:
            one.faults.note(one.at("tier"), f"expected one of {', '.join(TIERS)}")
        if tier and plans and TIERS.index(tier) <= TIERS.index(plans[-1].tier):
            one.faults.note(one.at("tier"), f"the path only leads up: {tier} is not above {plans[-1].tier}")
        plans.append(
            TierPlan(
                tier=tier or TIERS[0],
                within=_due(one, "within"),
                automatic=one.flag("automatic", default=False),
                reroute=one.flag("reroute", default=False),
                ask=one.text("ask", most=SENTENCE, default="Can it be resolved here?"),
            )
        )
    return tuple(plans)


def _updates(part: Part) -> Mapping[str, Promised]:
    """How often the account team and executives are told, by kind of clock."""
    updates = Part.of(part.written.get("updates", {}), part.at("updates"), ("account_team", "executive"), part.faults)
    found = {f"{name}_update": _due(updates, name) for name in updates.written}
    return {kind: due for kind, due in found.items() if due is not None}


def _criteria(part: Part) -> tuple[Criterion, ...]:
    found = _parts(part, "exit_criteria", ("key", "text"), most=MOST_CRITERIA)
    return tuple(Criterion(str(one.written.get("key")), one.text("text", most=SENTENCE)) for one in found)


def _drafts(part: Part) -> tuple[Draft, ...]:
    members = ("key", "title", "audience", "suits", "subject", "text", "texts")
    return tuple(_draft(one) for one in _parts(part, "drafts", members, most=MOST_DRAFTS))


def _draft(part: Part) -> Draft:
    audience = part.words("audience", most=len(AUDIENCES), known=AUDIENCES)
    if "audience" not in part.written or part.written["audience"] == []:
        part.faults.note(part.at("audience"), f"expected whom it is for: {', '.join(AUDIENCES)}")
    own = Part.of(part.written.get("texts", {}), part.at("texts"), audience or AUDIENCES, part.faults)
    return Draft(
        key=str(part.written.get("key")),
        title=part.text("title", most=TITLE),
        audience=audience,
        subject=part.text("subject", most=TITLE),
        text=part.text("text", most=MESSAGE),
        texts={name: own.text(name, most=MESSAGE) for name in own.written if name in AUDIENCES},
        suits=part.words("suits", most=len(SUITS), known=SUITS),
    )


_UNITS: Mapping[str, tuple[str, int, int]] = {
    "business_hours": ("business_seconds", 3600, MOST_HOURS),
    "business_days": ("business_days", 1, MOST_DAYS),
}


def _due(part: Part, name: str) -> Promised | None:
    """A length of time as `make_target` takes it; None when none is given."""
    value = part.written.get(name)
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in _UNITS:
        part.faults.note(part.at(name), 'expected {"business_hours": n} or {"business_days": n}')
        return None
    [(unit, number)] = value.items()
    target, each, most = _UNITS[unit]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        part.faults.note(f"{part.at(name)}/{unit}", f"expected a whole number from 1 to {most}")
        return None
    return {target: number * each}
