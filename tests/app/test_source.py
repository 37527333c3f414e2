"""The source itself: one place commits, one place asks the time."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent.parent
TIMES = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("time", "ctime"),
    ("func", "now"), ("func", "current_timestamp"), ("func", "localtimestamp"), ("func", "current_date"),
    ("func", "clock_timestamp"), ("func", "statement_timestamp"), ("func", "transaction_timestamp"),
}  # fmt: skip
SQL_TIME = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)|\bcurrent_(timestamp|date|time)\b",
    re.IGNORECASE,
)
SQL_COMMIT = re.compile(r"^\s*(commit|begin|start transaction)\b", re.IGNORECASE)


def sources() -> list[Path]:
    """What runs in production; migrations open their own transaction, since there is no tenant in them."""
    found = [path for path in (ROOT / "app").rglob("*.py") if "migrations" not in path.parts]
    return [*found, *ROOT.glob("worker.py")]


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string that is not a docstring."""
    documented = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node


def commits(source: str) -> list[int]:
    """The lines that commit, or open a transaction that will."""
    tree = ast.parse(source)
    called = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("commit", "begin", "begin_twophase")
    ]
    options = [node.lineno for node in texts(tree) if node.value.upper() == "AUTOCOMMIT"]
    keywords = [k.value.lineno for k in ast.walk(tree) if isinstance(k, ast.keyword) and k.arg == "autocommit"]
    return called + options + keywords + [node.lineno for node in texts(tree) if SQL_COMMIT.match(node.value)]


def questions_to_the_clock(source: str) -> list[int]:
    """The lines that ask what time it is, in Python or in SQL; durations and sleeps are not asked of a clock."""
    tree = ast.parse(source)
    asked = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (getattr(node.value, "id", getattr(node.value, "attr", "")), node.attr) in TIMES
    ]
    imported = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "time"
        and {n.name for n in node.names} & {"time", "time_ns"}
    ]
    return asked + imported + [node.lineno for node in texts(tree) if SQL_TIME.search(node.value)]


def found_in(search, allowed: set[str]) -> dict[str, list[int]]:
    lines = {str(path.relative_to(ROOT)): search(path.read_text()) for path in sources()}
    assert all(lines[path] for path in allowed), "the search no longer finds what it should"
    return {path: found for path, found in lines.items() if found and path not in allowed}


def test_only_the_database_module_commits():
    assert found_in(commits, {"app/db.py"}) == {}


def test_only_the_clock_module_asks_the_time():
    assert found_in(questions_to_the_clock, {"app/clock.py"}) == {}


@pytest.mark.parametrize(
    "line",
    ["session.commit()", "with engine.begin() as c: pass", "execute('COMMIT')", "connect(autocommit=True)",
     "create_engine(url, isolation_level='AUTOCOMMIT')"],
)  # fmt: skip
def test_the_search_for_commits_finds(line):
    assert commits(line) == [1]


@pytest.mark.parametrize(
    "line",
    ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()", "x = datetime.now",
     "from time import time", "func.now()", "text('select now()')", "text('where at < current_timestamp')"],
)  # fmt: skip
def test_the_search_for_the_time_finds(line):
    assert questions_to_the_clock(line) == [1]


def test_the_search_for_the_time_leaves_durations_alone():
    assert questions_to_the_clock('"""Uses now()."""\nstarted = time.monotonic()\nnow = clock.now()') == []
