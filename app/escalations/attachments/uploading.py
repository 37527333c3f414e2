"""Taking a file from a form: the same checks as at the API's door."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from flask import current_app

from app.escalations.attachments.errors import refused
from app.escalations.attachments.kinds import kind_of
from app.escalations.attachments.names import safe_name
from app.escalations.attachments.receiving import Received, received
from app.store import get_store


@contextmanager
def arriving(stream: IO[bytes], *, filename: str, media_type: str) -> Iterator[Received]:
    """The file in our store while the caller decides to keep it."""
    name = safe_name(filename)
    if name is None:
        raise refused("parameter", "file", "expected a file")
    limit = current_app.config["MAX_ATTACHMENT_BYTES"]
    with received(stream, get_store(), name=name, kind=kind_of(name, media_type), limit=limit) as got:
        yield got
