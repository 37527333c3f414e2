"""Bytes as numbered lines of text in constant memory, whatever their number and wherever they come from."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from app.operations.imports.errors import TooLarge, UnreadableFile

MAX_LINE = 1 << 20
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Line:
    """A line of the file, counted from 1; `fault` says why it has no text."""

    number: int
    text: str
    fault: str | None = None


class _Bounded(io.RawIOBase):
    """At most `limit` bytes of a stream."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self.stream = stream
        self.limit = limit
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        self.count += len(data)
        if self.count > self.limit:
            raise TooLarge(f"expected at most {self.limit} bytes")
        buffer[: len(data)] = data
        return len(data)


def open_lines(stream: Readable, *, limit: int) -> Iterator[Line]:
    """The lines of a UTF-8 stream, gzipped or not, of at most `limit` bytes, unpacked ones too."""
    file: io.BufferedReader[Any] = io.BufferedReader(_Bounded(stream, limit), 1 << 16)
    if file.peek(2)[:2] == GZIP:
        unpacked = gzip.GzipFile(fileobj=file, mode="rb")
        file = io.BufferedReader(_Bounded(unpacked, limit), 1 << 16)
    try:
        yield from _lines(file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(f"the gzip file is damaged: {error}") from error


def _lines(file: "io.BufferedReader[Any]") -> Iterator[Line]:
    start = file.peek(3)[:3]
    if encoding := OTHER_ENCODINGS.get(start[:2]):
        raise UnreadableFile(f"line 1, byte 1: expected UTF-8, found {encoding}")
    position = len(file.read(3)) if start == BYTE_ORDER_MARK else 0
    number = 0
    while data := file.readline(MAX_LINE):
        number += 1
        if len(data) >= MAX_LINE and not data.endswith(b"\n"):
            position += len(data) + _skip_line(file)
            yield Line(number, "", f"expected lines of less than {MAX_LINE} bytes")
            continue
        yield _decoded(number, data, position)
        position += len(data)


def _decoded(number: int, data: bytes, position: int) -> Line:
    try:
        return Line(number, data.decode())
    except UnicodeDecodeError as error:
        found = f"found byte 0x{data[error.start]:02x} at byte {error.start + 1} of the line"
        return Line(number, "", f"expected UTF-8, {found} (byte {position + error.start + 1} of the file)")


def _skip_line(file: "io.BufferedReader[Any]") -> int:
    """Read on to the end of an overlong line; the number of bytes passed."""
    skipped = 0
    while data := file.readline(MAX_LINE):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
