"""The data folder: who holds it, what runs on it, and where that can be reached."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.operations.errors import FolderHeld

PATIENCE_SECONDS = 1.0  # attach() takes the lock for an instant to see whether somebody else has it


@dataclass(frozen=True)
class Urls:
    database_url: str
    migration_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        """The settings that point a process of ours at these servers."""
        return {f"FIRSTHAND_{name.upper()}": url for name, url in asdict(self).items()}


@dataclass(frozen=True)
class Published:
    urls: Urls
    base_url: str | None


def open_folder(data_dir: Path) -> Path:
    """The folder's real path, made if absent: others may pass through it (the servers' user), not list it."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711)
    return data_dir.resolve()


@contextmanager
def hold(data_dir: Path) -> Iterator[Path]:
    """Be the one process that works on the folder, or raise FolderHeld; the lock ends when we do."""
    folder = open_folder(data_dir)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not _lock(lock, patience_seconds=PATIENCE_SECONDS):
            raise FolderHeld(folder, _holder(lock))
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        (folder / "run.json").unlink(missing_ok=True)  # of a holder that was killed
        try:
            yield folder
        finally:
            (folder / "run.json").unlink(missing_ok=True)
    finally:
        os.close(lock)


def publish(folder: Path, urls: Urls, base_url: str | None = None, **more: Any) -> None:
    """Tell other commands, in run.json, what runs on the folder: URLs, pids, ports."""
    write_private(folder / "run.json", json.dumps({**asdict(urls), "base_url": base_url, **more}, indent=2) + "\n")


def attach(data_dir: Path) -> Published | None:
    """What the process that holds the folder has published, or None."""
    published = read_json(data_dir / "run.json")
    if published is None or not _is_held(data_dir / "lock"):
        return None
    urls = Urls(published["database_url"], published["migration_url"], published["redis_url"])
    return Published(urls, published["base_url"])


def secret_key(folder: Path) -> str:
    """The folder's own secret key, made once."""
    path = folder / "secret_key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48) + "\n")
    return path.read_text().strip()


def metrics_environment(folder: Path) -> dict[str, str]:
    """Where the processes of one start add up what they counted; what a former start counted is gone."""
    shared = folder / "metrics"
    shared.mkdir(mode=0o700, exist_ok=True)
    for counted in shared.glob("*.db"):
        counted.unlink()
    return {"PROMETHEUS_MULTIPROC_DIR": str(shared)}


def lock_file(path: Path, *, patience_seconds: float) -> int | None:
    """An open, locked file that a server inherits: locked for as long as any process of that server lives."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if _lock(lock, patience_seconds=patience_seconds):
        return lock
    os.close(lock)
    return None


def _lock(lock: int, *, patience_seconds: float) -> bool:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        else:
            return True


def _is_held(path: Path) -> bool:
    lock = os.open(path, os.O_RDONLY)
    try:
        return not _lock(lock, patience_seconds=0)
    finally:
        os.close(lock)


def _holder(lock: int) -> str:
    return os.pread(lock, 20, 0).decode() or "(unknown)"


def read_json(path: Path) -> Mapping[str, Any] | None:
    try:
        published: Mapping[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return published


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, for our eyes only."""
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
