"""The ladders of a playbook: by kind of clock, in the words of the tenant's own."""

from collections.abc import Mapping

from app.playbooks.reading import Part
from app.sla.ladder import Ladder, find_faults, ladder_for
from app.sla.targets import CLOCK_KINDS


def read_ladders(part: Part, *, automatic: bool) -> Mapping[str, Ladder]:
    """The ladders that go before the tenant's; `automatic`: a tier of the path moves on by itself, which is a step of
    the ladder of `tier`."""
    said = Part.of(part.written.get("ladders", {}), part.at("ladders"), CLOCK_KINDS, part.faults)
    read = {kind: _ladder(said, kind) for kind in CLOCK_KINDS if kind in said.written}
    found = {kind: ladder for kind, ladder in read.items() if ladder is not None}
    if automatic and "tier" in found and not any(step.action == "escalate" for step in found["tier"]):
        detail = 'a tier that is automatic needs a step that moves the work on: {"offset": "0", "action": "escalate"}'
        said.faults.note(said.at("tier"), detail, "never_moves_on")
    return found


def _ladder(said: Part, kind: str) -> Ladder | None:
    """The steps as understood; None when they cannot be."""
    steps = said.written[kind]
    faults = find_faults(kind, steps)
    for fault in faults:
        said.faults.note(f"{said.at(kind)}/{fault.field}".rstrip("/"), fault.detail)
    return None if faults else ladder_for(kind, steps)
