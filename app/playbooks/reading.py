"""Reading what somebody wrote strictly, noting every fault with its place instead of stopping at the first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_FAULTS = 100


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that cannot be meant; `pointer` is a JSON pointer into what was written."""

    pointer: str
    detail: str
    code: str = "wrong_type"


@dataclass
class Faults:
    """What was found so far."""

    found: list[Fault] = field(default_factory=list)

    def note(self, pointer: str, detail: str, code: str = "wrong_type") -> None:
        if len(self.found) < MAX_FAULTS:
            self.found.append(Fault(pointer, detail, code))


@dataclass(frozen=True)
class Part:
    """An object with known members; a member that is wrong is noted and read as if it were left out."""

    written: Mapping[str, Any]
    pointer: str
    faults: Faults

    @classmethod
    def of(cls, written: Any, pointer: str, members: Collection[str], faults: Faults) -> "Part":
        if not isinstance(written, Mapping):
            faults.note(pointer, f"expected an object with {', '.join(members)}")
            return cls({}, pointer, faults)
        for extra in sorted(map(str, set(written) - set(members))):
            faults.note(f"{pointer}/{extra}", f"unknown, expected one of {', '.join(members)}", "unknown_field")
        return cls(written, pointer, faults)

    def at(self, name: str) -> str:
        return f"{self.pointer}/{name}"

    def text(self, name: str, *, most: int, default: str | None = None) -> str:
        value = self.written.get(name, default)
        if not isinstance(value, str) or not 0 < len(value.strip()) <= most:
            self.faults.note(self.at(name), f"expected a text of 1 to {most} characters")
            return ""
        return value.strip()

    def choice(self, name: str, words: Collection[str], *, default: str | None = None) -> str | None:
        value = self.written.get(name, default)
        if value is None and default is None and name not in self.written:
            return None
        if not isinstance(value, str) or value not in words:
            self.faults.note(self.at(name), f"expected one of {', '.join(words)}")
            return default
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.written.get(name, default)
        if not isinstance(value, bool):
            self.faults.note(self.at(name), "expected true or false")
            return default
        return value

    def whole(self, name: str, *, low: int, high: int, default: int) -> int:
        value = self.written.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.faults.note(self.at(name), f"expected a whole number from {low} to {high}")
            return default
        return value

    def many(self, name: str, *, most: int) -> Sequence[Any]:
        """A list of at most so many, empty when it is left out."""
        value = self.written.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            self.faults.note(self.at(name), f"expected a list of at most {most}")
            return []
        return value

    def words(self, name: str, *, most: int, known: Collection[str] | None = None) -> tuple[str, ...]:
        """Texts of a list, each once."""
        kept: dict[str, None] = {}
        for index, value in enumerate(self.many(name, most=most)):
            if not isinstance(value, str) or not value or (known is not None and value not in known):
                expected = f"expected one of {', '.join(known)}" if known else "expected a text"
                self.faults.note(f"{self.at(name)}/{index}", expected)
            elif value in kept:
                self.faults.note(f"{self.at(name)}/{index}", "stands here twice", "duplicate")
            else:
                kept[value] = None
        return tuple(kept)
