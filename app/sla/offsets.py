"""Offsets of steps as written: before or after the due time, or a share of the way to it."""

import re
from dataclasses import dataclass

from app.errors import FieldFault

_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,4})M)?)?", re.ASCII)
_SHARE = re.compile(r"(\d{1,2})%", re.ASCII)


class LadderError(FieldFault):
    """A ladder that cannot be meant; says which field and what was expected."""


@dataclass(frozen=True, slots=True)
class Length:
    """A number of days, business or local by the kind of clock, and of seconds."""

    days: int
    seconds: int

    def times(self, number: int) -> "Length":
        """This length `number` times."""
        return Length(self.days * number, self.seconds * number)

    def plus(self, other: "Length") -> "Length":
        """Both together."""
        return Length(self.days + other.days, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Offset:
    """Either a share of the span in percent, or a signed length from the due time."""

    share: int | None = None
    sign: int = 1
    length: Length = Length(0, 0)

    @property
    def before_due(self) -> bool:
        """Whether it lies before the due time."""
        return self.share is not None or self.sign < 0


def parse_length(text: object, field: str) -> Length:
    """An ISO 8601 duration of days, hours and minutes, such as P1D or PT2H."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not days and not hours and not minutes:
        raise LadderError(field, f"expected a duration such as P1D or PT2H, got {text!r}")
    return Length(days, hours * 3600 + minutes * 60)


def parse_offset(text: object, field: str) -> Offset:
    """An offset as written: `-P7D`, `50%`, `0`, `+P1D`."""
    if text == "0":
        return Offset()
    share = _SHARE.fullmatch(text) if isinstance(text, str) else None
    if share and int(share[1]) > 0:
        return Offset(share=int(share[1]))
    if not isinstance(text, str) or text[:1] not in ("-", "+"):
        raise LadderError(field, f'expected one of the forms "-P7D", "50%", "0", "+P1D", got {text!r}')
    return Offset(sign=-1 if text[0] == "-" else 1, length=parse_length(text[1:], field))
