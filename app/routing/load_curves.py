"""What somebody held by day as lines of a small picture: as it was and as it would have been. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 240, 48


@dataclass(frozen=True)
class Curves:
    """Points of the two lines, and how high the capacity lies; None when it is above the picture."""

    real: str
    simulated: str
    capacity: float | None
    top: float


def curves_of(load: Mapping[str, Any]) -> Curves:
    """Daily means on one scale, which reaches to the highest of them, at least to 1."""
    real = [float(day["real"]["mean"]) for day in load["days"]]
    simulated = [float(day["simulated"]["mean"]) for day in load["days"]]
    top = max([1.0, *real, *simulated])
    capacity = float(load["capacity"])
    return Curves(
        _line(real, top), _line(simulated, top), _y(capacity, top) if capacity <= top else None, round(top, 1)
    )


def _line(values: Sequence[float], top: float) -> str:
    """A value for each day, from the left edge to the right; one day alone is a level line."""
    values = values if len(values) > 1 else [*values, *values]
    step = WIDTH / max(len(values) - 1, 1)
    return " ".join(f"{index * step:.1f},{_y(value, top):.1f}" for index, value in enumerate(values))


def _y(value: float, top: float) -> float:
    return round(HEIGHT - value / top * HEIGHT, 1)
