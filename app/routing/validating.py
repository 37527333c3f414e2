"""What is wrong with a policy, and what is allowed but probably not meant; nothing is saved."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.auth.settings import tenant_settings
from app.db import db
from app.routing.policies import check_policy
from app.routing.policy import MAX_FAULTS, Fault, Policy, Rule
from app.rows import array_of

LONG_AWAY = timedelta(days=14)

TEAMS = text(
    """
    select t.id::text as id, t.name, count(m.id) as members,
      count(m.id) filter (where u.active and u.role <> 'integration') as present,
      coalesce(bool_or(coalesce(m.capacity, :capacity) > 0), false) as has_room
    from team t left join membership m on m.team_id = t.id left join "user" u on u.id = m.user_id
    where t.id = any(cast(:ids as uuid[])) group by t.id, t.name
    """
)
AWAY = text(
    """
    select user_id::text as id, max(ends_at) as ends_at from absence
    where user_id = any(cast(:ids as uuid[])) and starts_at <= :now and ends_at > :until group by user_id
    """
)
# The best level of anybody who can own a case, 0 of a skill nobody has.
BEST = text(
    """
    select lower(s.name) as id,
      coalesce(max(k.level) filter (where u.active and u.role <> 'integration'), 0) as best
    from skill s left join user_skill k on k.skill_id = s.id left join "user" u on u.id = k.user_id
    where lower(s.name) = any(cast(:ids as text[])) group by s.name
    """
)


@dataclass(frozen=True)
class Checked:
    """`errors` keep it from being saved, `warnings` don't; at most a hundred of each, each with its JSON pointer."""

    errors: list[Fault]
    warnings: list[Fault]

    @property
    def valid(self) -> bool:
        return not self.errors


def validate(rules: Any, weights: Any, *, now: datetime) -> Checked:
    """What saving these would say."""
    _, policy, errors = check_policy(rules, weights)
    return Checked(errors[:MAX_FAULTS], warnings_of(policy, now=now) if policy else [])


def warnings_of(policy: Policy, *, now: datetime) -> list[Fault]:
    """What a policy without faults will probably not do as meant, in the order of its rules, weights first."""
    found = [
        *_hidden(policy),
        *_empty_teams(policy),
        *_long_away(policy, now),
        *_unheld(policy),
        *_never_suggested(policy),
    ]
    found.sort(key=lambda fault: int(fault.pointer.split("/")[2]))
    if not any(asdict(policy.weights).values()):
        found.insert(0, Fault("/weights", "all are 0: everybody who may have a case scores alike", "no_weights"))
    return found[:MAX_FAULTS]


def _hidden(policy: Policy) -> Iterator[Fault]:
    """Rules that hold for no case, or only after one that holds for every case found nobody."""
    catcher: tuple[int, str] | None = None
    for index, rule in enumerate(policy.rules):
        always = _constant(rule)
        if always is False:
            yield Fault(f"/rules/{index}/when", "this holds for no case", "never_holds")
        elif catcher:
            before = f"rule {catcher[0]} “{catcher[1]}” holds for every case"
            yield Fault(
                f"/rules/{index}", f"{before}: this one is asked only when that one finds nobody", "hidden_rule"
            )
        elif always:
            catcher = (index, rule.name)


def _constant(rule: Rule) -> bool | None:
    """What a condition without comparisons always says; None when it depends on the case."""
    if rule.condition.leaves:
        return None
    return rule.condition.matches({}, today=date.min, now=datetime.min.replace(tzinfo=UTC))


def _empty_teams(policy: Policy) -> Iterator[Fault]:
    """Teams nobody of which can own a case."""
    asked = {target.team_id for _, target in policy.targets() if target.team_id}
    teams = _read(TEAMS, asked, capacity=tenant_settings().capacity)
    for pointer, target in policy.targets():
        team = teams.get(target.team_id or "")
        if team is not None and not team.present:
            detail = f"{team.name} has no members" if not team.members else f"nobody in {team.name} is active"
            yield Fault(f"{pointer}/team_id", detail, "team_empty")
        elif team is not None and not team.has_room:
            yield Fault(f"{pointer}/team_id", f"everybody in {team.name} has a capacity of 0", "no_capacity")


def _long_away(policy: Policy, now: datetime) -> Iterator[Fault]:
    """Users named by a rule who are absent for weeks to come."""
    asked = {target.user_id for _, target in policy.targets() if target.user_id}
    away = _read(AWAY, asked, now=now, until=now + LONG_AWAY)
    for pointer, target in policy.targets():
        absence = away.get(target.user_id or "")
        if absence is not None:
            detail = f"absent until {absence.ends_at.date().isoformat()}; who stands in gets the work meanwhile"
            yield Fault(f"{pointer}/user_id", detail, "user_absent")


def _unheld(policy: Policy) -> Iterator[Fault]:
    """Skills, at the level asked for, that nobody has."""
    best = _read(BEST, {asked.key for _, asked in policy.requirements()})
    for pointer, asked in policy.requirements():
        held = best[asked.key].best if asked.key in best else 0
        if held < asked.level:
            at = f" at level {asked.level} or above" if held else ""
            yield Fault(f"{pointer}/skill", f"nobody has {asked.skill}{at}", "skill_unheld")


def _never_suggested(policy: Policy) -> Iterator[Fault]:
    """Targets that wait for suggestions while the tenant has them off."""
    if tenant_settings().suggestion_confidence is not None:
        return
    for pointer, target in policy.targets():
        if target.kind == "suggested":
            yield Fault(
                pointer, "suggestions are off: set suggestion_confidence, else nobody is found", "no_suggestion"
            )


def _read(statement: Any, ids: Iterable[str], **values: Any) -> Mapping[str, Row[Any]]:
    wanted = array_of(sorted(ids))
    return {row.id: row for row in db.session.execute(statement, {"ids": wanted, **values})} if ids else {}
