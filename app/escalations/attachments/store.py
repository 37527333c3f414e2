"""Where the bytes lie: a folder or a bucket, by keys that no caller can choose: tenant and SHA-256, never a name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import IO, Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import current_app
from fsspec.core import url_to_fs

from app.db import current_tenant, new_id

PART_BYTES = 5 << 20  # S3's smallest part: what is held in memory of an upload
INCOMING = "incoming"


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

    def listing(self, tenant_id: UUID) -> Iterator[tuple[str, datetime]]:
        """Each key of a tenant with the time it was written, those under way among them."""
        folder = f"{self.root}/{tenant_id}"
        if not self.files.exists(folder):
            return
        for path, facts in self.files.find(folder, detail=True).items():
            yield path.removeprefix(f"{self.root}/"), self._written_at(path, facts)

    def _make_folders(self, path: str) -> None:
        """The folders above a file, for our eyes only; permissions of those that are there are not changed."""
        missing = []
        while not os.path.isdir(path := os.path.dirname(path)):
            missing.append(path)
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another upload was as fast
                os.mkdir(folder, 0o700)

    def _written_at(self, path: str, facts: dict[str, Any]) -> datetime:
        modified: datetime = facts.get("LastModified") or self.files.modified(path)
        return modified

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"


@cache
def store_at(url: str) -> Store:
    return Store(url)


def get_store() -> Store:
    """The store that the settings name."""
    return store_at(current_app.config["ATTACHMENTS_URL"])
