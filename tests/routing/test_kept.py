"""What is kept in memory: the ones used last, whatever other threads do meanwhile."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Barrier

import pytest

from app.auth import service as auth
from app.db import transaction
from app.routing.kept import Kept
from app.routing.learning import store
from tests.conftest import TestTenant

THREADS = 8
ROUNDS = 5_000


def test_of_more_than_fit_the_one_asked_for_longest_ago_goes() -> None:
    kept: Kept[str, int] = Kept(2)
    for number, key in enumerate("ab"):
        kept.keep(key, number)
    assert kept.find("a") == 0
    kept.keep("c", 2)
    assert [kept.find(key) for key in "abc"] == [0, None, 2]


def test_what_is_kept_again_is_the_newest() -> None:
    kept: Kept[str, int] = Kept(2)
    for number, key in enumerate("aba"):
        kept.keep(key, number)
    kept.keep("c", 3)
    assert [kept.find(key) for key in "abc"] == [2, None, 3]


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns after a microsecond instead of five thousand."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_each_thread_finds_its_own_value_or_none_while_others_push_it_out() -> None:
    kept: Kept[int, int] = Kept(3)
    start = Barrier(THREADS)

    def ask(number: int) -> bool:
        start.wait()
        found = set()
        for _ in range(ROUNDS):
            kept.keep(number, number)
            found.add(kept.find(number))
        return found <= {number, None}

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(ask, range(THREADS))) == [True] * THREADS


def test_one_model_too_many_drops_only_the_one_asked_for_longest_ago(
    tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of these numbers nothing is stored, which is kept in memory as a model would be."""
    monkeypatch.setattr(store, "_cache", Kept(2))

    def read(number: int) -> int:
        with transaction():
            auth.set_current(suggestion_model=number)
            with statements() as sent:
                store.find_current()
        return len(sent)

    assert [read(number) for number in (1, 2, 1, 3, 1, 2)] == [1, 1, 0, 1, 0, 1]
