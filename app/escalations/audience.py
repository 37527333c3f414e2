"""Who hears of a step: roles turned into people when it fires, each person once, for a whole batch at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from app.auth.settings import TenantSettings, tenant_settings
from app.escalations.audience_rows import Case, Person, read_cases, read_leads, read_people
from app.escalations.tiers import TIERS
from app.notifications import queries as notifications
from app.notifications.quiet import Delivery, Preferences, plan_delivery
from app.routing.delegates import find_stand_in

ABSENT, NO_ADDRESS = "absent", "no_address"
# A restricted case is seen by its owner, the line above, watchers and admins, so only they are told.
SEEING = frozenset({"owner", "owner_manager", "watchers", "approver", "approver_manager", "admins"})
# Watching, or being an admin, lets one person see a restricted case, not who stands in for them; who is on duty sees
# it only as an admin.
IN_PERSON = frozenset({"watchers", "admins", "duty_owner"})
OF_APPROVERS = frozenset({"approver", "approver_manager"})
# Kinds of promise of which somebody hears by a task of theirs.
OF_TASKS = ("task", "tier")
# Whom a ladder's words mean where the promise is a task that a colleague does for the owner.
OF_A_TASK = {"owner": "assignee", "owner_manager": "assignee_manager"}


@dataclass(slots=True)
class Hearing:
    """Why somebody hears of a step: roles of their own, and those of each absent colleague they stand in for."""

    own: list[str] = field(default_factory=list)
    in_place: dict[UUID, list[str]] = field(default_factory=dict)

    @property
    def roles(self) -> list[str]:
        """All of them, each once."""
        if not self.in_place:
            return self.own
        return list(dict.fromkeys([*self.own, *(role for roles in self.in_place.values() for role in roles)]))


@dataclass(slots=True)
class Reached:
    """Whom a step reaches and why; whom it passes by and why; who hears it for them; the roles that nobody holds."""

    told: dict[UUID, Hearing] = field(default_factory=dict)
    passed_by: dict[UUID, str] = field(default_factory=dict)
    delegated: dict[UUID, UUID] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


class Audience:
    """The people behind the roles of a batch of escalations, read in two statements (three for `next_tier`)."""

    def __init__(
        self, escalation_ids: Collection[UUID], roles: Collection[str], *, now: datetime, tasks: bool = False
    ) -> None:
        self.settings: TenantSettings = tenant_settings()
        self.cases = read_cases(escalation_ids, watchers="watchers" in roles, tasks=tasks)
        self.leads = read_leads() if "next_tier" in roles else {}
        self.people: dict[UUID, Person] = {}
        self.by_email: dict[str, Person] = {}
        self._read_people(roles, now)
        self.delegates = {person.id: person.delegate_id for person in self.people.values() if person.absent}
        self.admins = [person.id for person in self.people.values() if person.role == "admin"]
        self._deliveries: dict[tuple[UUID, bool], Delivery] = {}

    @cached_property
    def preferences(self) -> dict[UUID, Preferences]:
        """How these people want to be told: one statement for the batch, none where nobody has said."""
        return notifications.find_preferences(self.people)

    def delivery(self, person: UUID, now: datetime, *, urgent: bool) -> Delivery:
        """When and by what this person is told; a batch has one `now`."""
        if (person, urgent) not in self._deliveries:
            planned = plan_delivery(self.preferences.get(person), now, urgent=urgent)
            self._deliveries[person, urgent] = planned
        return self._deliveries[person, urgent]

    def _read_people(self, roles: Collection[str], now: datetime) -> None:
        restricted = any(case.restricted for case in self.cases.values())
        admins = restricted or "admins" in roles or not OF_APPROVERS.isdisjoint(roles)
        for person in read_people(self._ids(), self._emails(), admins=admins, now=now):
            self.people[person.id] = self.by_email[person.email] = person

    def _ids(self) -> set[UUID]:
        ids = {id_ for case in self.cases.values() for id_ in (case.owner_id, case.lead_id, *case.watcher_ids) if id_}
        doers = {task.assignee_id for case in self.cases.values() for task in case.tasks.values() if task.assignee_id}
        return ids | doers | set(self.leads.values())

    def _emails(self) -> set[str]:
        settings = self.settings
        named: set[str | None] = {settings.duty_owner_email, settings.duty_deputy_email, *settings.approval.approvers}
        for case in self.cases.values():
            named |= {case.account_owner_email, case.csm_email, case.sponsor_email}
        return {email.lower() for email in named if email}

    def resolve(self, escalation_id: UUID, roles: Iterable[str], *, subject: str = "-") -> Reached:
        """The people of these roles, made distinct; nobody: the owner's manager, then who is on duty,
        and of a restricted case the admins instead.

        `subject` is the clock's: of a task that a colleague does, they and their manager hear in the owner's stead.
        """
        case = self.cases[escalation_id]
        doer = case.find_doer(subject)
        reached = Reached()
        for role in roles if doer is None else [OF_A_TASK.get(role, role) for role in roles]:
            holders = () if case.restricted and role not in SEEING else self._holders(case, role, doer)
            if not self._reach(case, role, holders, reached) and reached.passed_by.keys().isdisjoint(holders):
                reached.empty.append(role)
        if not reached.told:
            self._fall_back(case, reached, doer)
        return reached

    def _fall_back(self, case: Case, reached: Reached, doer: UUID | None) -> None:
        duty = (self.settings.duty_owner_email, self.settings.duty_deputy_email)
        on_duty = [person for email in duty if email and (person := self.by_email.get(email.lower()))]
        instead = [("assignee_manager", self._managers([doer])), ("owner_manager", self._managers([case.owner_id]))]
        instead += [("duty_owner", [one.id]) for one in on_duty if not case.restricted or one.role == "admin"]
        instead += [("admins", self.admins)] if case.restricted else []
        for role, holders in instead:
            if self._reach(case, role, holders, reached):
                return

    def _reach(self, case: Case, role: str, holders: Collection[UUID], reached: Reached) -> bool:
        """Note each holder as told or passed by, and who hears it in their place; whether anybody is told."""
        anybody = False
        for id_ in holders:
            person = self.people.get(id_)
            if person is None or id_ == case.about_user_id:
                continue
            if reason := _unreachable(person):
                reached.passed_by[id_] = reason
                anybody = self._delegate(case, role, person, reached) or anybody
            else:
                reached.told.setdefault(id_, Hearing()).own.append(role)
                anybody = True
        return anybody

    def _delegate(self, case: Case, role: str, person: Person, reached: Reached) -> bool:
        """Tell who stands in for an absent colleague, if their chain of delegates leads to anybody."""
        if not person.active or not person.absent or (case.restricted and role in IN_PERSON):
            return False
        stand_in = find_stand_in(person.id, self.delegates, serves=lambda id_: self._serves(case, id_))
        if stand_in is None:
            return False
        reached.delegated[person.id] = stand_in
        reached.told.setdefault(stand_in, Hearing()).in_place.setdefault(person.id, []).append(role)
        return True

    def _serves(self, case: Case, id_: UUID) -> bool:
        """Whether a chain may lead to or through this person: whom the case is about is never a delegate in it."""
        person = self.people.get(id_)
        return person is not None and person.active and bool(person.email) and id_ != case.about_user_id

    def _holders(self, case: Case, role: str, doer: UUID | None) -> Collection[UUID]:
        match role:
            case "asked":
                return [case.asked_id] if case.asked_id else ()
            case "assignee":
                return [doer] if doer else ()
            case "assignee_manager":
                return self._managers([doer])
            case "owner":
                return [case.owner_id] if case.owner_id else ()
            case "owner_manager":
                return self._managers([case.owner_id])
            case "account_owner":
                return self._known(case.account_owner_email)
            case "csm":
                return self._known(case.csm_email)
            case "sponsor":
                return self._known(case.sponsor_email)
            case "team_lead":
                return [case.lead_id] if case.lead_id else ()
            case "watchers":
                return case.watcher_ids
            case "next_tier":
                return self._next_lead(case.tier)
            case "approver":
                return self._approvers(case)
            case "approver_manager":
                return self._managers(self._approvers(case))
            case "admins":
                return self.admins
        raise ValueError(f"nobody knows who {role} is")

    def _known(self, email: str | None) -> list[UUID]:
        person = self.by_email.get(email) if email else None
        return [person.id] if person else []

    def _managers(self, ids: Iterable[UUID | None]) -> list[UUID]:
        found = [self.people[id_].manager_id for id_ in ids if id_ in self.people]
        return list(dict.fromkeys(id_ for id_ in found if id_ is not None))

    def _next_lead(self, tier: str) -> list[UUID]:
        """The lead of the nearest tier above that has a team."""
        above = TIERS[TIERS.index(tier) + 1 :]
        return next(([self.leads[name]] for name in above if name in self.leads), [])

    def _approvers(self, case: Case) -> list[UUID]:
        """As on the raise: who the approval setting names, else the account owner's manager, else the admins."""
        named = [id_ for email in self.settings.approval.approvers for id_ in self._known(email.lower())]
        active = [id_ for id_ in named if self.people[id_].active]
        if active:
            return active
        managers = self._managers(self._known(case.account_owner_email))
        return [id_ for id_ in managers if self.people[id_].active] or self.admins


def _unreachable(person: Person) -> str | None:
    if not person.active or person.absent:
        return ABSENT
    return None if person.email else NO_ADDRESS
