"""Taking a file in as it flows: in constant memory, outside any transaction, cut off at its limit."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from app.escalations.attachments.archives import check_archive
from app.escalations.attachments.errors import FileTooLarge, refused
from app.escalations.attachments.kinds import Content, Kind, check_content
from app.store import Store, incoming_key

CHUNK_BYTES = 256 << 10


@dataclass(frozen=True)
class Received:
    """A file that lies under a temporary key, checked."""

    name: str
    kind: Kind
    key: str
    sha256: bytes
    size: int


@contextmanager
def received(stream: IO[bytes], store: Store, *, name: str, kind: Kind, limit: int) -> Iterator[Received]:
    """The file while the caller decides to keep it; what was not moved away is removed at the end."""
    key = incoming_key()
    try:
        sha256, size, content = _write(stream, store, key, limit)
        check_content(kind, content)
        if kind.content == "zip":
            with store.reading(key) as file:
                check_archive(file, size, part=kind.part)
        yield Received(name, kind, key, sha256, size)
    finally:
        store.delete(key)


def _write(stream: IO[bytes], store: Store, key: str, limit: int) -> tuple[bytes, int, Content]:
    hashed, size, content = hashlib.sha256(), 0, Content()
    with store.writing(key) as file:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(f"expected at most {limit} bytes")
            hashed.update(chunk)
            content.feed(chunk)
            file.write(chunk)
    if size == 0:
        raise refused("pointer", "/", "expected a file that is not empty")
    return hashed.digest(), size, content
