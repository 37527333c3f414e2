"""What may be attached, and what a file is by its content; its name and declared type must say the same."""

import codecs
import re
from dataclasses import dataclass, field

from app.escalations.attachments.errors import refused

HEAD_BYTES = 4096
ANYTHING = "application/octet-stream"  # a declared type that declares nothing
OFFICE = "application/vnd.openxmlformats-officedocument"

SIGNATURES = (
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("pdf", re.compile(rb"%PDF-\d")),
    ("zip", re.compile(rb"PK(?:\x03\x04|\x05\x06)")),
)
NOT_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MARKUP = re.compile(r"\s*(?:<!doctype\s+(?:html|svg)|<(?:html|head|body|script|svg|iframe)\b)", re.IGNORECASE)
XML_MARKUP = re.compile(r"\s*<\?xml.*?<(?:!doctype\s+)?(?:html|svg)\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Kind:
    """`content` is what its bytes look like, `part` what a zip of this kind must hold, `starts` how its text begins;
    `also` are other types under which programs send it."""

    name: str
    media_type: str
    extensions: tuple[str, ...]
    content: str
    also: frozenset[str] = frozenset()
    part: str | None = None
    starts: re.Pattern[str] | None = field(default=None, compare=False)


JSON_START = re.compile(r"\s*[\[{]")
MAIL_START = re.compile(r"(?:From |[!-9;-~]+:)")
PLAIN = frozenset({"text/plain"})
KINDS = (
    Kind("png", "image/png", ("png",), "png"),
    Kind("jpeg", "image/jpeg", ("jpg", "jpeg"), "jpeg", frozenset({"image/jpg", "image/pjpeg"})),
    Kind("gif", "image/gif", ("gif",), "gif"),
    Kind("webp", "image/webp", ("webp",), "webp"),
    Kind("pdf", "application/pdf", ("pdf",), "pdf"),
    Kind("zip", "application/zip", ("zip",), "zip", frozenset({"application/x-zip-compressed"})),
    Kind("docx", f"{OFFICE}.wordprocessingml.document", ("docx",), "zip", part="word/document.xml"),
    Kind("xlsx", f"{OFFICE}.spreadsheetml.sheet", ("xlsx",), "zip", part="xl/workbook.xml"),
    Kind("text", "text/plain", ("txt", "log"), "text", frozenset({"text/x-log"})),
    Kind("csv", "text/csv", ("csv",), "text", PLAIN | {"application/csv", "application/vnd.ms-excel"}),
    Kind("json", "application/json", ("json",), "text", PLAIN, starts=JSON_START),
    Kind("har", "application/json", ("har",), "text", PLAIN | {"application/har+json"}, starts=JSON_START),
    Kind("eml", "message/rfc822", ("eml",), "text", PLAIN, starts=MAIL_START),
)
BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}
# A picture of these is drawn, never run; everything else is only ever saved.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TAKEN = tuple(sorted({ANYTHING} | {media for kind in KINDS for media in (kind.media_type, *kind.also)}))


def kind_of(name: str, declared: str) -> Kind:
    """The kind that the name says, which the declared type must not deny: known before a byte is read."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    kind = BY_EXTENSION.get(extension)
    if kind is None:
        expected = ", ".join(sorted(BY_EXTENSION))
        raise refused("parameter", "filename", f"expected a name that ends in one of {expected}")
    if declared not in (ANYTHING, kind.media_type, *kind.also):
        raise refused("header", "Content-Type", f"expected {kind.media_type} for a name that ends in {extension}")
    return kind


class Content:
    """What bytes that flow by look like: their first 4 KiB, and whether all of them could be text.

    Text has no control characters; with a byte order mark it is UTF-16, else any encoding that keeps ASCII.
    """

    def __init__(self) -> None:
        self.head = b""
        self.is_text = True
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        if self.is_text:
            self.is_text = self._could_be_text(chunk)

    def _could_be_text(self, chunk: bytes) -> bool:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(_encoding(self.head))()
        try:
            return NOT_IN_TEXT.search(self._decoder.decode(chunk)) is None
        except UnicodeDecodeError:
            return False

    @property
    def looks_like(self) -> str | None:
        """`png`, `zip`, `text` and so on; `markup` for what a browser would run, None for nothing we take."""
        for name, signature in SIGNATURES:
            if signature.match(self.head):
                return name
        if not self.is_text:
            return None
        beginning = self.beginning
        return "markup" if MARKUP.match(beginning) or XML_MARKUP.match(beginning) else "text"

    @property
    def beginning(self) -> str:
        return self.head.decode(_encoding(self.head), "ignore").lstrip("\ufeff\u00ef\u00bb\u00bf")


def _encoding(head: bytes) -> str:
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"


def check_content(kind: Kind, content: Content) -> None:
    """Refuse a file whose content is another than its name says."""
    found = content.looks_like
    if found is None:
        raise refused("pointer", "/", f"expected the content of {kind.name}, its bytes are none that may be attached")
    if found != kind.content:
        raise refused("pointer", "/", f"expected the content of {kind.name} as the name says, it looks like {found}")
    if kind.starts and not kind.starts.match(content.beginning):
        raise refused("pointer", "/", f"expected the content of {kind.name}, it begins otherwise")
