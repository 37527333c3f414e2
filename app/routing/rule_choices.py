"""What the form of a rule offers to choose from, in a reader's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.routing import rule_words
from app.routing.rule_words import Names
from app.texts import gettext as _

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Choices:
    """`offered` is what `offering.offer` says of this tenant."""

    offered: Mapping[str, Any]
    names: Names

    def groups(self) -> Pairs:
        return [(word, _(said)) for word, said in rule_words.GROUPS.items()]

    def fields(self, chosen: str) -> Pairs:
        """Every field by its words; one that is written and no longer seen anywhere stays."""
        known = [str(one["name"]) for one in self.offered["items"]]
        names = [*known, chosen] if chosen and chosen not in known else known
        return [("", _("choose what")), *((name, rule_words.label(name)) for name in names)]

    def operators(self, known: Mapping[str, Any]) -> Pairs:
        return [(op, rule_words.operator(op, known["type"])) for op in known["operators"]]

    def kinds(self, optional: bool) -> Pairs:
        kinds = [(kind, _(said)) for kind, said in rule_words.KINDS.items()]
        return [("", _("the next rule is asked")), *kinds] if optional else kinds

    def roles(self) -> Pairs:
        return [(role, _(said)) for role, said in rule_words.ROLES.items()]

    def teams(self, chosen: str) -> Pairs:
        names = {"": _("choose a team"), **self.names.teams}
        return list((names if not chosen or chosen in names else {**names, chosen: chosen}).items())

    def skills(self, chosen: str) -> Sequence[str]:
        known: list[str] = self.offered["skills"]
        return known if not chosen or chosen.casefold() in map(str.casefold, known) else [*known, chosen]
