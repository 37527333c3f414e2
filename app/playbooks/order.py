"""In which order tasks can be done: what waits for what, and whether it ever ends."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def find_cycle(waits_for: Mapping[str, Iterable[str]]) -> list[str]:
    """One circle of tasks that wait for each other, its first task also last; empty when there is none."""
    try:
        TopologicalSorter(waits_for).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def ready(waits_for: Mapping[str, Iterable[str]], ended: Iterable[str]) -> set[str]:
    """The tasks that wait for nothing any more. What is not among them, and is waited for, counts as ended."""
    done = set(ended)
    return {
        key
        for key, others in waits_for.items()
        if key not in done and all(one in done or one not in waits_for for one in others)
    }
