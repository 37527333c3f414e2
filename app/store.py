"""Where files lie: a folder or a bucket, by keys that no caller can choose: never by a name that somebody gave.

Attachments of cases lie under their tenant and SHA-256; what other packages keep lies beside, under a word of theirs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import current_app
from fsspec.core import url_to_fs

from app.db import current_tenant, new_id

PART_BYTES = 5 << 20  # S3's smallest part: what is held in memory of an upload
INCOMING = "incoming"
# What a tenant's files are listed by, one part at a time, so that no list is longer than a sixteenth of them: what is
# under way, and the hashes by their first digit. The last is what we did not write, seen in a folder alone.
PARTS = (INCOMING, *"0123456789abcdef", "")


def _errors() -> tuple[type[Exception], ...]:
    """OSError, and where S3's client is installed its own: s3fs passes on those that came without an answer."""
    try:
        client = import_module("botocore.exceptions")
    except ModuleNotFoundError:
        return (OSError,)
    return (OSError, client.BotoCoreError)


STORE_ERRORS = _errors()  # what a store raises that cannot be reached or does not let us in


def key_of(sha256: bytes, tenant_id: UUID | None = None) -> str:
    """Where a tenant's file of this hash lies."""
    return f"{tenant_id or current_tenant()}/{sha256.hex()}"


def incoming_key() -> str:
    """Where a file lies while its hash is not known."""
    return f"{current_tenant()}/{INCOMING}/{new_id()}"


class Store:
    def __init__(self, url: str) -> None:
        self.is_folder = url.startswith("file:")
        if self.is_folder:  # fsspec takes %20 for three letters of a folder's name
            url = f"file://{unquote(urlsplit(url).path)}"
        self.files, self.root = url_to_fs(url, use_listings_cache=False)

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A new file, on disk when this ends; removed when it fails."""
        path = self._path(key)
        if self.is_folder:
            self._make_folders(path)
        file = self.files.open(path, "wb", block_size=PART_BYTES)
        try:
            yield file
            if self.is_folder:
                file.flush()
                os.fsync(file.fileno())
            file.close()
        except BaseException:
            file.close()
            self.delete(key)
            raise

    def keep(self, incoming: str, key: str) -> None:
        """Move a file to where it stays; the same bytes that lie there already are not written again."""
        if not self.has(key):
            self.files.mv(self._path(incoming), self._path(key))

    def has(self, key: str) -> bool:
        return bool(self.files.exists(self._path(key)))

    def reading(self, key: str) -> IO[bytes]:
        """The file from its beginning; FileNotFoundError where it is not."""
        file: IO[bytes] = self.files.open(self._path(key), "rb", block_size=PART_BYTES)
        return file

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is removed already."""
        if self.has(key):
            self.files.rm_file(self._path(key))

    def listing(self, tenant_id: UUID, part: str) -> Iterator[tuple[str, datetime]]:
        """Each key of this part of a tenant's files with the time it was written; of a folder one after the other."""
        place = f"{tenant_id}/{INCOMING}/" if part == INCOMING else f"{tenant_id}/"
        return self._in_folder(place, part) if self.is_folder else self._in_bucket(place, part)

    def _in_folder(self, place: str, part: str) -> Iterator[tuple[str, datetime]]:
        try:
            entries = os.scandir(self._path(place))
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                if (part == INCOMING or _part_of(entry.name) == part) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):  # kept or deleted meanwhile
                        written_at = entry.stat(follow_symlinks=False).st_mtime
                        yield place + entry.name, datetime.fromtimestamp(written_at, UTC)

    def _in_bucket(self, place: str, part: str) -> Iterator[tuple[str, datetime]]:
        if not part or not self.files.exists(self._path(place)):
            return
        prefix = "" if part == INCOMING else part
        for path, facts in self.files.find(self._path(place), prefix=prefix, detail=True).items():
            key = path.removeprefix(f"{self.root}/")
            if key.startswith(place + prefix):  # not every store lists by prefix
                yield key, facts.get("LastModified") or self.files.modified(path)

    def fault(self) -> str | None:
        """Why a file could not be kept, read and deleted now; None if it can."""
        if self.is_folder and not os.path.isdir(self.root):
            return self._fault_of_parent()
        key, content = f"check-{new_id()}", b"Is this store writable?"
        try:
            with self.writing(key) as file:
                file.write(content)
            with self.reading(key) as file:
                came_back = file.read() == content
            self.delete(key)
        except STORE_ERRORS as error:
            return getattr(error, "strerror", None) or type(error).__name__
        return None if came_back else "what was written came back changed"

    def _fault_of_parent(self) -> str | None:
        """The first file makes the folder; whoever looks makes none that might be theirs alone."""
        parent = self.root
        while not os.path.exists(parent):
            parent = os.path.dirname(parent)
        return None if os.path.isdir(parent) and os.access(parent, os.W_OK | os.X_OK) else "Permission denied"

    def _make_folders(self, path: str) -> None:
        """The folders above a file, for our eyes only; permissions of those that are there are not changed."""
        missing = []
        while not os.path.isdir(path := os.path.dirname(path)):
            missing.append(path)
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another upload was as fast
                os.mkdir(folder, 0o700)

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"


def _part_of(name: str) -> str:
    return name[0] if name[0] in PARTS else ""


@cache
def store_at(url: str) -> Store:
    return Store(url)


def get_store() -> Store:
    """The store that the settings name."""
    return store_at(current_app.config["ATTACHMENTS_URL"])


def fault_of_store() -> str | None:
    """Why this process cannot keep a file in the store that the settings name; None if it can."""
    return get_store().fault()
