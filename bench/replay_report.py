"""The executive's report on a played incident log, beside figures counted from the file alone.

So that the file alone says who held what, a group that names nobody is one holder of its own, and so is nobody. The
facts are folded at the first of each month, as the worker would have by then, and the report is read; at the end all
those moments are asked for again: the answers are the same, and they are what `bench.log_figures` counts.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from app.db import transaction
from app.reports.jobs import fold_tenant
from app.reports.models import ReportCursor
from app.reports.reading import reading
from app.reports.summary import summarise
from bench import log_figures
from bench.incidents import Event
from bench.player import Player

NOBODY = "nobody"
AFTER = timedelta(hours=1)
SUMMED = (*log_figures.COUNTS, "accounts")
REROUTES = text(
    """
    select coalesce(sum(reroutes), 0)::int from case_fact f
    where f.known_from <= :as_of and f.known_until > :as_of and f.standing <> 'merged'
    """
)


def held(events: Iterable[Event]) -> list[Event]:
    """The events with somebody named in each."""
    return [replace(event, assignee=event.assignee or event.group or NOBODY) for event in events]


def moments_of(events: Sequence[Event]) -> list[datetime]:
    """The first of each month after the first event, and an hour after the last one."""
    if not events:
        return []
    first, end = events[0].at.replace(day=1, hour=0, minute=0), events[-1].at + AFTER
    months = [first.year * 12 + first.month + n for n in range((end - first).days // 28 + 1)]
    firsts = [first.replace(year=month // 12, month=month % 12 + 1) for month in months]
    return [*(moment for moment in firsts if moment < end), end]


class Reader:
    """Reads one played tenant's report at each moment once it is over, and all of them again at the end."""

    def __init__(self, player: Player, moments: Sequence[datetime], first: datetime) -> None:
        self.player, self.left, self.first = player, list(moments), first
        self.told: dict[datetime, dict[str, Any]] = {}

    def read_until(self, hour: datetime) -> None:
        """The moments that lie before this hour."""
        while self.left and self.left[0] < hour:
            moment = self.left.pop(0)
            self._fold_until(moment, hour)
            self.told[moment] = self.read(moment, hour)

    def _fold_until(self, moment: datetime, hour: datetime) -> None:
        """Fold until answers for the moment are final: while other processes write, it takes more than one turn."""
        while self._final() < moment:
            fold_tenant(self.player.tenant_id, hour)
            time.sleep(0.01)

    def _final(self) -> datetime:
        with transaction(tenant=self.player.tenant_id) as session:
            return session.scalar(select(ReportCursor.known_until)) or datetime.min.replace(tzinfo=UTC)

    def read_again(self, end: datetime) -> dict[datetime, dict[str, Any]]:
        """What was told, once it is told again the same."""
        self.read_until(end)
        again = {moment: self.read(moment, end) for moment in self.told}
        assert again == self.told, "a report of the past changed"
        return self.told

    def read(self, as_of: datetime, now: datetime) -> dict[str, Any]:
        """The report's figures, named as `bench.log_figures` names them."""
        with (
            transaction(tenant=self.player.tenant_id) as session,
            reading(as_of, actor=self.player.admin, now=now) as asked,
        ):
            assert asked.as_of == as_of
            found = summarise(asked, first=self.first.date(), last=now.date())
            reroutes = session.scalar(REROUTES, {"as_of": as_of})
        on_time, survival = found["on_time"], found["survival"]
        return {
            **{name: on_time[name] for name in (*log_figures.COHORT, "share")},
            "open": found["open"]["count"],
            "ended": found["first_owner_right"]["ended"],
            "accounts": found["open"]["accounts"],
            "reroutes": reroutes,
            "months": {
                month["month"].isoformat(): {name: month[name] for name in log_figures.COHORT}
                for month in on_time["months"]
            },
            "closed_by_day": [(point.day, point.at_risk, point.closed) for point in survival["points"]],
            "median_days": survival["median_days"],
        }


def compare(path: Path, limit: int, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each tenant's report is what the file says of its incidents, and all together what it says of all; the whole at
    the end, with how many answers that were."""
    log = log_figures.read(path, limit=limit)
    for part in parts:
        for moment, told in part["reports"].items():
            plain = log_figures.figures(log, moment, incidents=part["numbers"])
            assert told == plain, f"as of {moment} the report says {told}, the file {plain}"
    moments = sorted({moment for part in parts for moment in part["reports"]})
    for moment in moments:
        _compare_all(log_figures.figures(log, moment), parts, moment)
    answers = sum(len(part["reports"]) for part in parts)
    return {"answers": answers, "moments": len(moments), "equal": True, **_whole(log, parts, moments)}


def _compare_all(plain: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], moment: datetime) -> None:
    told: Counter[str] = Counter()
    for part in filter(_played, parts):
        told.update({name: part["reports"][moment][name] for name in SUMMED})
    assert dict(told) == {name: plain[name] for name in SUMMED}, f"as of {moment}: {told}, the file {plain}"


def _played(part: Mapping[str, Any]) -> bool:
    return bool(part["reports"])


def _whole(log: dict[str, Any], parts: Sequence[Mapping[str, Any]], moments: Sequence[datetime]) -> dict[str, Any]:
    if not moments:
        return {}
    plain = log_figures.figures(log, moments[-1])
    names = ("raised", "on_time", "late", "share", "median_days", "reroutes")
    return {"as_of": moments[-1].isoformat(), **{name: plain[name] for name in names}}
