"""From a customer's demand to an owned case with promises: raise, approve, decline, recurrence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.accounts import queries as accounts
from app.accounts.errors import AccountNotFound
from app.accounts.facts import AccountFacts
from app.auth import queries as users
from app.auth.actor import UserRef
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import invalid
from app.escalations import lifecycle, permissions, promises
from app.escalations.case import Act, Change, basis_of, made
from app.escalations.demand import (
    NewEscalation,
    contracts_of,
    links_of,
    list_neighbours,
    raise_facts,
    raise_texts,
    raiser_of,
)
from app.escalations.following import (
    answers_of,
    begin_tasks,
    first_question,
    note_tasks,
    questions_of,
    take_playbook,
)
from app.escalations.models import Escalation, Outage, Request
from app.escalations.outages import linking
from app.escalations.owning import own
from app.escalations.record import new_record
from app.escalations.worth import measure_priority, snapshot_of, take_priority, take_value
from app.notifications import service as notifications
from app.playbooks import service as playbooks
from app.rows import Draw, insert_all
from app.sla import service as sla
from app.sla.models import Clock


@dataclass
class Raised:
    """The new case with what its answer says beside the record."""

    record: Escalation
    account: AccountFacts
    owner: UserRef | None
    rule: str | None
    why: str | None
    clocks: list[Clock]
    duplicates: list[dict[str, Any]]
    approvers: list[User]
    external_refs: tuple[dict[str, Any], ...] = ()
    about_user: str | None = None
    outage: Outage | None = None


NEXT_NUMBER = Draw("escalation", "number", "next_number()")


def raise_escalation(new: NewEscalation, *, act: Act) -> Raised:
    """Link to the account and its value, find the owner, start the clocks, tell the owner: one story, one commit.

    A colleague's raise waits as `requested` where the approval setting asks for it; everybody else's is open at once.
    """
    change = lay_out(new, act)
    outage = linking.find_open(new.outage_id)
    record, account = change.record, change.account
    neighbours = list_neighbours(new, record, act)
    change.rows += [record, *raiser_of(new, record, neighbours.contact_id)]
    change.rows += [*links_of(new, record, act.now), *contracts_of(record, account)]
    measured = measure_priority(record, account, act.now, repeats=neighbours.repeats)
    take_priority(record, measured, act.now, repeats=neighbours.repeats)
    if record.status == lifecycle.REQUESTED:
        raised = ask_approval(change, account)
    else:
        raised = open_case(change, account, at=record.raised_at)
    raised.duplicates = neighbours.duplicates
    raised.external_refs, raised.about_user, raised.outage = new.external_refs, new.about_user, outage
    linking.call_for(outage)
    change.rows.append(snapshot_of(record, account, act.now, cause="raise"))
    change.hold_messages()
    record.number = insert_all(change.rows, draw=NEXT_NUMBER)
    if change.told:
        notifications.wake_delivery()
    return raised


def lay_out(new: NewEscalation, act: Act) -> Change:
    """The case as it would stand before it has an owner: its account and value, its promises, its playbook.

    Nothing is written, nobody told: a form shows what is to come from here, and the raise goes on from here.
    """
    account = find_account(new, act.now)
    record = new_record(new, account, act)
    take_value(record, account)
    change = Change(record, permissions.Actor(role=act.actor.role, is_requester=True), act)
    change.account = account
    take_playbook(change, account)
    return change


def start_numbers() -> None:
    """Give the tenant in scope its sequence of numbers, ESC-1 first."""
    db.session.execute(text("select start_numbers()"))


def find_account(new: NewEscalation, now: datetime) -> AccountFacts:
    """The account with its value; contracts that are not the account's are refused by name."""
    key = new.account_id or new.account
    if key is None:
        raise invalid("account_id", "expected account_id, or account with source and external_id")
    try:
        account = accounts.account_facts(key, contract_ids=new.contract_ids, now=new.raised_at or now)
    except AccountNotFound:
        raise invalid("account_id" if new.account_id else "account", "there is no such account") from None
    return account


def open_case(change: Change, account: AccountFacts, *, at: datetime, noted: str = "raise") -> Raised:
    """Give it to its owner and start its promises; `close` counts from the raise, `acknowledge` from having an owner.

    Of a case that was raised before we knew of it, the reminders of the time between are passed over.
    """
    record = change.record
    task = playbooks.intake_task(answers_of(record), questions_of(change), escalation_id=record.id, now=change.now)
    facts = {**({} if noted == "approve" else raise_facts(record)), "tier": record.tier, **made(task)}
    change.note(noted, facts, {} if noted == "approve" else raise_texts(record), at=at)
    routed = own(change, account, cause="raise")
    basis = basis_of(record)
    start: dict[str, Any] = {"escalation_id": record.id, "basis": basis, "now": change.now, "severity": record.severity}
    late = noted == "raise" and record.raised_at < change.now
    tasks = [*begin_tasks(change, account, entered=False), *first_question(change)]
    note_tasks(change, tasks)
    rows = [
        *sla.open_clock("close", at=record.raised_at, imported=late, target=promises.close_promise(record), **start),
        *sla.open_clock("acknowledge", at=change.now, **start),
    ]
    for kind, target in promises.asked_from_the_start(change):
        rows += sla.open_clock(kind, at=at, imported=late, target=target, **start)
    for one, target in promises.asked_of_tasks(change, tasks):
        promised = sla.open_clock("task", at=change.now, subject=str(one.id), target=target, **start)
        one.due_at = next(row.due_at for row in promised if isinstance(row, Clock))
        rows += promised
    if task is not None:
        task.assignee_id = routed.owner_id
        tasks = [task, *tasks]
    change.rows += [*rows, *tasks]
    clocks = [row for row in rows if isinstance(row, Clock)]
    return Raised(record, account, routed.owner, routed.rule, routed.why, clocks, [], [])


def ask_approval(change: Change, account: AccountFacts) -> Raised:
    """A colleague's raise waits for an approver: no owner, no tasks, one clock."""
    record = change.record
    change.note("request", raise_facts(record), raise_texts(record), at=record.raised_at)
    approvers = list_approvers(account)
    change.rows.append(
        Request(
            escalation_id=record.id,
            kind="raise",
            state="pending",
            asker_id=change.act.actor.user_id,
            asked_at=change.now,
        )
    )
    basis = basis_of(record)
    rows = sla.open_clock(
        "decide", escalation_id=record.id, basis=basis, at=change.now, now=change.now, severity=record.severity
    )
    change.rows += rows
    change.tell(
        approvers,
        "approval_asked",
        f"{account.account.name}: an escalation waits for your word",
        f"{record.title}. {account.account.name}, severity {record.severity}. Approve or decline it.",
    )
    clocks = [row for row in rows if isinstance(row, Clock)]
    return Raised(record, account, None, None, None, clocks, [], approvers)


def list_approvers(account: AccountFacts) -> list[User]:
    """Who the approval setting names; with nobody there, the account owner's manager, then the admins."""
    named = users.list_active(emails=[email.lower() for email in tenant_settings().approval.approvers])
    if not named and account.owner is not None and account.owner.manager_id is not None:
        named = users.list_active(ids=[account.owner.manager_id])
    return named or users.list_active(roles=["admin"])
