"""Zips are kept, never unpacked; one that would burst whoever unpacks it is refused by what it declares."""

import struct
import zipfile
from typing import IO

from app.escalations.attachments.errors import refused

END = b"PK\x05\x06"
END_BYTES = 22
END64_LOCATOR = b"PK\x06\x07"
END64_LOCATOR_BYTES = 20
LONGEST_COMMENT = 65535
MAX_DIRECTORY_BYTES = 1 << 20  # zipfile reads the whole directory into memory
MAX_ENTRIES = 10_000
MAX_RATIO = 200
FREE_BYTES = 16 << 20  # below this nothing bursts, however well it is packed


def check_archive(file: IO[bytes], size: int, *, part: str | None = None) -> None:
    """Refuse too many entries, a size unpacked that is out of proportion, paths that lead out, another kind's insides.

    `part` is an entry that must be there: what makes a zip a document.
    """
    if _directory_bytes(file, size) > MAX_DIRECTORY_BYTES:
        raise _refused(f"expected a zip of at most {MAX_ENTRIES} entries")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    # All that the library raises for what is no zip, or one of a version or packing it does not read.
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError) as fault:
        raise _refused("expected a zip that can be read") from fault
    _check_entries(entries, size)
    names = {entry.filename for entry in entries}
    if part is not None and part not in names:
        raise _refused(f"expected a document with {part} inside, as the name says")
    if part is not None and any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _refused("expected a document without macros")


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _refused(f"expected a zip of at most {MAX_ENTRIES} entries")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(FREE_BYTES, MAX_RATIO * size):
        raise _refused(f"expected a zip of at most {MAX_RATIO} times its size unpacked, it declares {unpacked} bytes")
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":":
            raise _refused("expected a zip whose paths stay inside it")


def _directory_bytes(file: IO[bytes], size: int) -> int:
    """How long the list of entries is, by the end record (PKWARE APPNOTE 4.3.16), before anything reads it."""
    file.seek(max(0, size - END_BYTES - LONGEST_COMMENT - END64_LOCATOR_BYTES))
    tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_BYTES:
        raise _refused("expected a zip that can be read")
    if tail[:at][-END64_LOCATOR_BYTES:].startswith(END64_LOCATOR):  # zipfile lets its record override this one
        raise _refused("expected a zip without zip64 records")
    file.seek(0)
    return int(struct.unpack_from("<L", tail, at + 12)[0])


def _refused(detail: str) -> Exception:
    return refused("pointer", "/", detail)
