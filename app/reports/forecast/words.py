"""What raises or lowers the chance of a case to miss its target, in words."""

from typing import Any

from app.reports.forecast.features import RESOLVED, Standing
from app.reports.forecast.hazard import Hazard
from app.texts import gettext as _
from app.texts import noted

MOST = 4
LEAST_POINTS = 1  # of a hundred: less is not worth a line
QUIET = {
    "0": noted("something happened within the last day"),
    "1": noted("nothing has happened since yesterday"),
    "2": noted("nothing has happened for two days or more"),
    "4": noted("nothing has happened for four days or more"),
    "7": noted("nothing has happened for a week or more"),
    "14": noted("nothing has happened for two weeks or more"),
}
GIVEN_ON = {
    "0": noted("never given on: still with its first owner"),
    "1": noted("given on once"),
    "2": noted("given on twice"),
    "3": noted("given on three times"),
    "4": noted("given on four times"),
    "5": noted("given on five times or more"),
}
REOPENED = {
    "0": noted("never opened again"),
    "1": noted("opened again once"),
    "2": noted("opened again more than once"),
}
LOAD = {
    "0": noted("its owner has at most two open cases"),
    "3": noted("its owner has 3 to 5 open cases"),
    "6": noted("its owner has 6 to 10 open cases"),
    "11": noted("its owner has 11 to 20 open cases"),
    "21": noted("its owner has 21 to 40 open cases"),
    "41": noted("its owner has more than 40 open cases"),
}
WAITING_FOR = {
    "customer": noted("waits for the customer"),
    "vendor": noted("waits for the vendor"),
    "internal": noted("waits for a colleague"),
}
PLAIN = {"reroutes": GIVEN_ON, "reopens": REOPENED, "load": LOAD, "waiting_for": WAITING_FOR}
NAMED = {
    "severity": noted("severity %(value)s"),
    "tier": noted("in %(value)s"),
    "reason": noted("reason: %(value)s"),
    "segment": noted("segment: %(value)s"),
}
PHASES = {
    "open": noted("not acknowledged yet"),
    "waiting": noted("waiting"),
    RESOLVED: noted("resolved, the customer's word is awaited"),
}


def explain(model: Hazard, standing: Standing, chance: float) -> list[dict[str, Any]]:
    """What moves this chance most, the strongest first: each in words, with the points of a hundred that it adds or
    takes compared with the usual case."""
    moved = [(chance - model.miss(standing, without=group), told(group, trait))
             for group, trait in standing.traits.items()]  # fmt: skip
    if standing.phase in PHASES:
        worked_on = Standing(standing.age, standing.left, "in_progress", None, standing.traits)
        moved.append((chance - model.miss(worked_on), _(PHASES[standing.phase])))
    best = sorted(moved, key=lambda one: (-abs(one[0]), one[1]))[:MOST]
    return [{"text": text, "points": round(100 * by)} for by, text in best if abs(100 * by) >= LEAST_POINTS]


def told(group: str, trait: str) -> str:
    """A trait in words."""
    value = trait.partition("=")[2]
    if group == "quiet":
        return _(QUIET[value.rpartition("_")[2]])
    if group in PLAIN:
        return _(PLAIN[group][value])
    if group in NAMED:
        return _(NAMED[group]) % {"value": value.replace("_", " ")}
    return {"extended": _("more time was given"), "renewal": _("the customer's renewal is near")}[group]
