"""What the doctor finds: well, worth knowing, or wrong, and then what to do."""

from dataclasses import dataclass

FULL = 0.8  # of a limit: time to do something before it is reached


@dataclass(frozen=True)
class Finding:
    level: str  # ok, warn, wrong
    text: str
    do: str | None = None

    def __str__(self) -> str:
        advice = f"\n       → {self.do}" if self.do else ""
        return f"{self.level.upper() if self.level == 'wrong' else self.level:<6} {self.text}{advice}"


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warn(text: str, do: str) -> Finding:
    return Finding("warn", text, do)


def wrong(text: str, do: str) -> Finding:
    return Finding("wrong", text, do)


def share(what: str, used: float, limit: float, do: str) -> Finding:
    """How much of a limit is used; from 80 % on a warning."""
    text = f"{what}: {used:,.0f} of {limit:,.0f} ({used / limit:.0%})"
    return warn(text, do) if used >= FULL * limit else ok(text)
