"""Rules as a form holds them: a rule that is closed as it is written, one that is open field by field. Pure.

Groups are said in four words: all, any, none (of these hold) and not_all. What the form means as rules comes with the
field of the form at which each place of them stands, so that a fault is shown where it can be mended.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.routing.fields import find_field
from app.routing.match import MAX_DEPTH
from app.routing.policy import MEMBERS_OF
from app.routing.shapes import shape_of

GROUPS = ("all", "any", "none", "not_all")
SKILLS = ("required_skills", "preferred_skills")
Places = dict[str, str]  # by JSON pointer into the rules, the form's name of the field


class Unreadable(ValueError):
    """What came is no form of ours."""


@dataclass
class Leaf:
    """A comparison; `values` as typed."""

    field: str = ""
    op: str = ""
    values: list[str] = dataclasses.field(default_factory=list)


@dataclass
class Group:
    word: str = "all"
    of: list["Leaf | Group"] = dataclasses.field(default_factory=list)


@dataclass
class Who:
    """A target; `kind` empty: none."""

    kind: str = ""
    email: str = ""
    role: str = ""
    team_id: str = ""


@dataclass
class Asked:
    skill: str = ""
    level: str = "1"


@dataclass
class RuleForm:
    """A rule on the page: `closed` is one as it is written, and then the rest says nothing."""

    closed: Any = None
    name: str = ""
    when: Group = dataclasses.field(default_factory=Group)
    target: Who = dataclasses.field(default_factory=lambda: Who("role", role="owner"))
    fallback: Who = dataclasses.field(default_factory=Who)
    required_skills: list[Asked] = dataclasses.field(default_factory=list)
    preferred_skills: list[Asked] = dataclasses.field(default_factory=list)


def opened(rule: Mapping[str, Any], emails: Mapping[str, str]) -> RuleForm:
    """A written rule, field by field; `emails` are the addresses of the users it may name, by id."""
    top = _node(rule.get("when", {"all": []}))
    return RuleForm(
        name=str(rule.get("name", "")),
        when=top if isinstance(top, Group) else Group("all", [top]),
        target=_who(rule.get("target"), emails),
        fallback=_who(rule.get("fallback"), emails),
        **{member: [_asked(one) for one in rule.get(member) or ()] for member in SKILLS},
    )


def _node(tree: Any) -> Leaf | Group:
    if not isinstance(tree, Mapping) or not tree:
        return Leaf()
    if "field" in tree:
        value = tree.get("value", True)
        return Leaf(str(tree["field"]), str(tree.get("op", "")), [_typed(v) for v in _listed(value)])
    ((word, below),) = list(tree.items())[:1]
    if word in ("all", "any"):
        return Group(word, [_node(one) for one in below])
    inside = _node(below)
    if isinstance(inside, Group) and inside.word in ("all", "any"):
        return Group("none" if inside.word == "any" else "not_all", inside.of)
    return Group("none", [inside])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _typed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _who(target: Any, emails: Mapping[str, str]) -> Who:
    if not isinstance(target, Mapping):
        return Who()
    said = {name: str(target.get(name) or "") for name in ("kind", "email", "role", "team_id")}
    user_id = str(target.get("user_id") or "")
    return Who(**{**said, "email": said["email"] or emails.get(user_id, user_id)})


def _asked(one: Any) -> Asked:
    return Asked(str(one.get("skill", "")), str(one.get("level", 1))) if isinstance(one, Mapping) else Asked()


def read(tree: Any) -> list[RuleForm]:
    """The rules of a form, from its names as nested members."""
    return [_read_rule(said) for said in _numbered(tree)]


def _read_rule(said: Mapping[str, Any]) -> RuleForm:
    if "closed" in said:
        try:
            written = json.loads(_text(said, "closed"))
        except (ValueError, RecursionError):
            raise Unreadable("a rule that was not open is damaged: read the page again") from None
        if not isinstance(written, dict):
            raise Unreadable("a rule that was not open is damaged: read the page again")
        return RuleForm(closed=written)
    top = _read_node(said.get("when"), 1)
    return RuleForm(
        name=_text(said, "name"),
        when=top if isinstance(top, Group) else Group("all", []),
        target=_read_who(said.get("target")),
        fallback=_read_who(said.get("fallback")),
        **{
            member: [Asked(_text(one, "skill"), _text(one, "level") or "1") for one in _numbered(said.get(member))]
            for member in SKILLS
        },
    )


def _read_node(said: Any, depth: int) -> Leaf | Group:
    if depth > MAX_DEPTH:
        raise Unreadable(f"conditions go at most {MAX_DEPTH} groups deep")
    if not isinstance(said, Mapping) or "word" not in said:
        values = said.get("value") if isinstance(said, Mapping) else None
        return Leaf(_text(said, "field"), _text(said, "op"), values if isinstance(values, list) else [])
    word = _text(said, "word")
    return Group(word if word in GROUPS else "all", [_read_node(one, depth + 1) for one in _numbered(said.get("of"))])


def _read_who(said: Any) -> Who:
    return Who(**{name: _text(said, name).strip() for name in ("kind", "email", "role", "team_id")})


def _numbered(said: Any) -> Iterator[Mapping[str, Any]]:
    """Members by number, in their order; what is none is passed over."""
    members = said if isinstance(said, Mapping) else {}
    for name in sorted((name for name in members if name.isdecimal()), key=int):
        if isinstance(members[name], Mapping):
            yield members[name]


def _text(said: Any, name: str) -> str:
    values = said.get(name) if isinstance(said, Mapping) else None
    return str(values[-1]) if isinstance(values, list) and values else ""


def write(rules: list[RuleForm]) -> tuple[list[Any], Places]:
    """The rules as they are saved, and where each place of them stands in the form."""
    places: Places = {}
    return [_write_rule(rule, index, places) for index, rule in enumerate(rules)], places


def _write_rule(rule: RuleForm, index: int, places: Places) -> Any:
    pointer, name = f"/rules/{index}", f"rules.{index}"
    places[pointer] = f"{name}.name"
    if rule.closed is not None:
        return rule.closed
    written: dict[str, Any] = {"name": rule.name.strip()}
    written["when"] = _write_node(rule.when, f"{pointer}/when", f"{name}.when", places)
    for member in ("target", "fallback"):
        who: Who = getattr(rule, member)
        places[f"{pointer}/{member}"] = f"{name}.{member}.kind"
        places[f"{pointer}/{member}/user_id"] = places[f"{pointer}/{member}/email"] = f"{name}.{member}.email"
        places[f"{pointer}/{member}/team_id"] = f"{name}.{member}.team_id"
        places[f"{pointer}/{member}/role"] = f"{name}.{member}.role"
        if who.kind or member == "target":
            written[member] = _write_who(who)
    for member in SKILLS:
        asked = [one for one in getattr(rule, member) if one.skill.strip()]
        for place in range(len(asked)):
            places[f"{pointer}/{member}/{place}"] = f"{name}.{member}.{place}.skill"
        if asked:
            written[member] = [{"skill": one.skill.strip(), "level": number(one.level)} for one in asked]
    return written


def _write_who(who: Who) -> dict[str, str]:
    names = {"user_id": "email"}
    members = [names.get(member, member) for member in sorted(MEMBERS_OF.get(who.kind, ())) if member != "strategy"]
    return {name: getattr(who, name) for name in members} if members else {"kind": who.kind}


def _write_node(node: Leaf | Group, pointer: str, name: str, places: Places) -> Any:
    places[pointer] = f"{name}.word" if isinstance(node, Group) else f"{name}.field"
    if isinstance(node, Leaf):
        for member in ("field", "op", "value"):
            places[f"{pointer}/{member}"] = f"{name}.{member}"
        return _write_leaf(node)
    negated = node.word in ("none", "not_all")
    if node.word == "none" and len(node.of) == 1:
        return {"not": _write_node(node.of[0], f"{pointer}/not", f"{name}.of.0", places)}
    inner = "any" if node.word in ("none", "any") else "all"
    inside = f"{pointer}/not/{inner}" if negated else f"{pointer}/{inner}"
    below = [_write_node(one, f"{inside}/{n}", f"{name}.of.{n}", places) for n, one in enumerate(node.of)]
    return {"not": {inner: below}} if negated else {inner: below}


def _write_leaf(leaf: Leaf) -> dict[str, Any]:
    known = find_field(leaf.field)
    shape = shape_of(known, leaf.op).name if known and leaf.op in known.operators else "text"
    convert = _CONVERT.get(shape.removesuffix("[]"), str)
    texts = [line.strip() for value in leaf.values for line in value.split("\n") if line.strip()]
    value: Any = [convert(text) for text in texts] if shape.endswith("[]") else convert(texts[0] if texts else "")
    return {"field": leaf.field, "op": leaf.op, "value": value}


def number(text: str) -> Any:
    """A number as JSON has it; what is none stays for the policy to refuse."""
    for read_as in (int, float):
        try:
            return read_as(text)
        except ValueError:
            continue
    return text


_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "number": number,
    "days": number,
    "bool": lambda text: {"true": True, "false": False}.get(text, text),
}
