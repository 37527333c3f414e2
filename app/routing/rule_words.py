"""Rules in a reader's words: what they ask and whom they want."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.routing.fields import ATTRIBUTE_PREFIX, find_field
from app.routing.rule_form import Group, Leaf, opened
from app.texts import gettext as _
from app.texts import noted

FIELDS: Mapping[str, str] = {
    "escalation.severity": noted("severity"),
    "escalation.reason": noted("reason"),
    "escalation.source": noted("where it came from"),
    "escalation.raised_by_kind": noted("who raised it"),
    "escalation.raised_at": noted("when it was raised"),
    "escalation.title": noted("title"),
    "escalation.customer_statement": noted("the customer's words"),
    "escalation.desired_outcome": noted("what would make it right"),
    "escalation.impact": noted("what it does to them"),
    "escalation.restricted": noted("restricted"),
    "escalation.tier": noted("tier"),
    "escalation.has_outage": noted("has an outage behind it"),
    "escalation.has_about_user": noted("is about a colleague"),
    "escalation.systems": noted("systems it is known in"),
    "account.name": noted("account"),
    "account.segment": noted("segment"),
    "account.region": noted("region"),
    "account.timezone": noted("account's time zone"),
    "account.domain": noted("account's domain"),
    "account.lifecycle": noted("lifecycle stage"),
    "account.health": noted("health"),
    "account.is_gone": noted("account is gone from the CRM"),
    "account.has_parent": noted("account belongs to another"),
    "value.amount": noted("value at stake"),
    "value.arr": noted("ARR"),
    "value.pipeline": noted("pipeline"),
    "value.is_incomplete": noted("value is incomplete"),
    "value.renewal_on": noted("renewal"),
    "value.renewal_value": noted("value renewed"),
    "contract.service_level": noted("service level"),
    "contract.currencies": noted("contract currencies"),
    "counts.open_escalations": noted("other open escalations of the account"),
    "counts.repeats": noted("earlier ones with the same reason"),
}
OPERATORS: Mapping[str, str] = {
    "=": noted("is"),
    "!=": noted("is not"),
    "in": noted("is one of"),
    "contains": noted("contains"),
    "<": noted("is below"),
    "<=": noted("is at most"),
    ">": noted("is above"),
    ">=": noted("is at least"),
    "within_days": noted("is within so many days from now"),
    "is_set": noted("is known"),
}
OF_TIMES: Mapping[str, str] = {
    "<": noted("is before"),
    "<=": noted("is not after"),
    ">": noted("is after"),
    ">=": noted("is not before"),
}
GROUPS: Mapping[str, str] = {
    "all": noted("all of these hold"),
    "any": noted("any of these holds"),
    "none": noted("none of these holds"),
    "not_all": noted("not all of these hold"),
}
ROLES: Mapping[str, str] = {
    "owner": noted("The account's owner"),
    "csm": noted("The account's CSM"),
    "sponsor": noted("The account's executive sponsor"),
}
KINDS: Mapping[str, str] = {
    "role": noted("Somebody of the account"),
    "team": noted("A team"),
    "user": noted("A colleague"),
    "previous_owner": noted("Who owned their last one with this reason"),
    "suggested": noted("Whom closed cases suggest"),
}
WEIGHTS: Mapping[str, str] = {
    "affinity": noted("Knows the account"),
    "capacity": noted("Has room"),
    "overlap": noted("Works when the customer does"),
    "value": noted("Has little value in hand already"),
    "rest": noted("Had nothing new for a while"),
}


@dataclass(frozen=True)
class Names:
    """Addresses of users and names of teams, by id."""

    users: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)


def label(name: str) -> str:
    """A field in words; an attribute by its own name."""
    if name in FIELDS:
        return _(FIELDS[name])
    return name.removeprefix(ATTRIBUTE_PREFIX) if name.startswith(ATTRIBUTE_PREFIX) else name


def operator(op: str, field_type: str = "") -> str:
    words = OF_TIMES if field_type in ("date", "datetime") and op in OF_TIMES else OPERATORS
    return _(words[op]) if op in words else op


def condition(rule: Mapping[str, Any]) -> str:
    """When the rule applies: `severity is at most 2 and (region is EMEA or region is APAC)`."""
    top = opened(rule, {}).when
    return _("Every case") if top.word == "all" and not top.of else _group(top)


def _group(group: Group) -> str:
    link = _(" or ") if group.word in ("any", "none") else _(" and ")
    said = link.join(f"({_group(one)})" if isinstance(one, Group) else _leaf(one) for one in group.of)
    said = said or (_("always") if group.word in ("all", "none") else _("never"))
    return _("not (%(what)s)") % {"what": said} if group.word in ("none", "not_all") else said


def _leaf(leaf: Leaf) -> str:
    known = find_field(leaf.field)
    if leaf.op == "is_set":
        return f"{label(leaf.field)} {_('is known') if leaf.values != ['false'] else _('is not known')}"
    values = [value.replace("_", " ") for value in leaf.values]
    if known and known.type == "bool":
        said = _("yes") if (values == ["true"]) == (leaf.op == "=") else _("no")
        return _("%(what)s: %(value)s") % {"what": label(leaf.field), "value": said}
    if leaf.op == "within_days":
        return _("%(what)s is within %(days)s days") % {"what": label(leaf.field), "days": ", ".join(values)}
    return f"{label(leaf.field)} {operator(leaf.op, known.type if known else '')} {', '.join(values)}"


def wanted(rule: Mapping[str, Any], names: Names) -> str:
    """Whom it wants: `Team EMEA; else the account's owner; German needed`."""
    said = [who(rule.get("target"), names)]
    if rule.get("fallback"):
        said.append(_("else: %(who)s") % {"who": who(rule["fallback"], names)})
    for member, words in (
        ("required_skills", _("needs %(skills)s")),
        ("preferred_skills", _("rather with %(skills)s")),
    ):
        asked = [_skill(one) for one in rule.get(member) or ()]
        if asked:
            said.append(words % {"skills": ", ".join(asked)})
    return "; ".join(said)


def who(target: Any, names: Names) -> str:
    if not isinstance(target, Mapping):
        return "–"
    kind = str(target.get("kind"))
    if kind == "role":
        return _(ROLES.get(str(target.get("role")), "–"))
    if kind == "team":
        given = str(target.get("team_id") or "")
        return _("Team %(name)s") % {"name": names.teams.get(given, target.get("team") or given)}
    if kind == "user":
        given = str(target.get("user_id") or "")
        return names.users.get(given, str(target.get("email") or given))
    return _(KINDS[kind]) if kind in KINDS else kind


def _skill(asked: Mapping[str, Any]) -> str:
    level = asked.get("level", 1)
    return str(asked.get("skill")) if level == 1 else _("%(skill)s from level %(level)s") % {**asked, "level": level}
