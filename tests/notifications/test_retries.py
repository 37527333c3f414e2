"""When a message is tried again and when it is given up; expected times are computed by hand."""

from datetime import timedelta

import pytest

from app.notifications.retries import SENT, UNTRIED, Outcome, follow
from tests import NOW

FAILED, REFUSED, OUTAGE = Outcome("failed", "451"), Outcome("refused", "550"), Outcome("outage", "refused")


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 120), (3, 600), (4, 1800), (5, 7200), (6, 21600), (7, 43200), (8, 86400)],
)
def test_each_try_of_a_failing_message_waits_longer(attempts: int, seconds: int) -> None:
    following = follow(FAILED, attempts=attempts, failing_since=None, now=NOW, spread=0)
    assert (following.state, following.retry_at) == ("pending", NOW + timedelta(seconds=seconds))


def test_after_the_last_delay_a_failing_message_is_dead() -> None:
    assert follow(FAILED, attempts=9, failing_since=NOW, now=NOW, spread=0).state == "dead"


@pytest.mark.parametrize(("spread", "seconds"), [(-1, 24), (0.5, 33), (1, 36)])
def test_delays_are_spread_by_up_to_a_fifth(spread: float, seconds: int) -> None:
    following = follow(FAILED, attempts=1, failing_since=None, now=NOW, spread=spread)
    assert following.retry_at == NOW + timedelta(seconds=seconds)


def test_a_refusal_for_ever_is_dead_at_once() -> None:
    assert follow(REFUSED, attempts=1, failing_since=None, now=NOW, spread=0).state == "dead"


@pytest.mark.parametrize(
    ("failing_for", "delay"),
    [
        (timedelta(0), timedelta(seconds=30)),
        (timedelta(minutes=10), timedelta(minutes=5)),
        (timedelta(hours=40), timedelta(minutes=30)),
    ],
)
def test_an_outage_waits_half_as_long_as_it_lasts_within_limits_and_counts_for_no_message(
    failing_for: timedelta, delay: timedelta
) -> None:
    following = follow(OUTAGE, attempts=9, failing_since=NOW - failing_for, now=NOW, spread=0)
    assert (following.state, following.retry_at, following.counted) == ("pending", NOW + delay, False)


def test_an_outage_of_two_days_makes_a_dead_letter() -> None:
    assert follow(OUTAGE, attempts=1, failing_since=NOW - timedelta(days=2), now=NOW, spread=0).state == "dead"


def test_what_was_not_tried_keeps_its_place() -> None:
    following = follow(UNTRIED, attempts=3, failing_since=NOW, now=NOW, spread=0)
    assert (following.state, following.retry_at, following.counted, following.failing_since) == (
        "pending",
        None,
        False,
        NOW,
    )


def test_what_is_sent_is_no_longer_failing() -> None:
    following = follow(SENT, attempts=3, failing_since=NOW, now=NOW, spread=0)
    assert (following.state, following.failing_since) == ("sent", None)
