"""One message as a mail: the fact as subject, why you get it, one button, plain text and a small HTML twin.

Threading and loop headers as in RFC 5322 §3.6.4 and RFC 3834. All mails of an escalation answer one thread root that
is never sent itself, so mail programs group them whichever arrives first.
"""

import re
import unicodedata
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

SUBJECT_LENGTH = 200
ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+")
LOCAL_LENGTH = 64
ADDRESS_LENGTH = 254
CRLF = "\r\n"
WHY = "You get this because you are named on this escalation."


class BadAddress(ValueError):
    """No mail can be sent to this address: it is not one."""


@dataclass(frozen=True)
class Listed:
    """One message of several in a mail."""

    subject: str
    body: str
    link: str | None


@dataclass(frozen=True)
class Enclosed:
    """A file that goes with a mail; `read` fetches its bytes only when the mail is handed over."""

    name: str
    media_type: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Letter:
    """What a mail is made of; `link` opens its `record`, of that kind, until `link_ends_at`. A digest lists several."""

    intent_id: UUID
    tenant_id: UUID
    escalation_id: UUID | None
    recipient: str
    subject: str
    body: str
    why: str | None
    link: str | None
    link_ends_at: datetime | None
    listed: tuple[Listed, ...] = ()
    record: str = "escalation"
    file: Enclosed | None = None


@dataclass(frozen=True)
class Mail:
    """Ready to hand over: envelope and bytes, up to the file that goes with it."""

    intent_id: UUID
    sender: str
    recipient: str
    content: bytes
    file: Enclosed | None = None

    def whole(self) -> bytes:
        """All of it; reads the file."""
        return self.content if self.file is None else self.content + enclosed(self.file, self.intent_id)


def write(letter: Letter, *, mail_from: str, at: datetime) -> Mail:
    """The letter as a mail from `mail_from`, written at `at`; `BadAddress` when it can reach nobody.

    Written out here, not by `email.message`, whose header objects take ten times as long as everything else together.
    """
    name, sender = parseaddr(mail_from)
    recipient = checked_address(letter.recipient)
    boundary = f"=_{letter.intent_id.hex}"  # quoted-printable text never contains "=_"
    twins = f'multipart/alternative; boundary="{boundary}"'
    headers = {
        "From": formataddr((one_line(name), sender)),
        "To": recipient,
        "Subject": encoded(one_line(letter.subject)),
        "Date": format_datetime(at),
        **_identity(letter, sender.rpartition("@")[2] or "localhost"),
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/mixed; boundary="{_around(letter.intent_id)}"' if letter.file else twins,
    }
    head = "".join(f"{header}: {value}{CRLF}" for header, value in headers.items())
    parts = _part(boundary, "plain", plain_text(letter)) + _part(boundary, "html", html(letter))
    begun = f"--{_around(letter.intent_id)}{CRLF}Content-Type: {twins}{CRLF}{CRLF}" if letter.file else ""
    content = f"{head}{CRLF}{begun}{parts}--{boundary}--{CRLF}".encode()
    return Mail(letter.intent_id, sender, recipient, content, letter.file)


def enclosed(file: Enclosed, intent_id: UUID) -> bytes:
    """The last part of a mail: its file, as RFC 2183 and 2231 name it."""
    headers = {
        "Content-Type": file.media_type,
        "Content-Transfer-Encoding": "base64",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(one_line(file.name), safe='')}",
    }
    around = _around(intent_id)
    head = "".join(f"{header}: {value}{CRLF}" for header, value in headers.items())
    lines = encodebytes(file.read()).replace(b"\n", b"\r\n")
    return f"{CRLF}--{around}{CRLF}{head}{CRLF}".encode() + lines + f"--{around}--{CRLF}".encode()


def _around(intent_id: UUID) -> str:
    """The boundary around text and file."""
    return f"=_{intent_id.hex}_"


def _identity(letter: Letter, domain: str) -> dict[str, str]:
    """Stable ids, so that a receiver drops a second copy and threads what belongs together; no auto-replies, please.

    Each stays on one line: folded after their name, some mail programs read ids as empty.
    """
    root = thread_root(letter.escalation_id, domain) if letter.escalation_id else None
    return {
        "Message-ID": message_id(letter.intent_id, domain),
        **({"In-Reply-To": root, "References": root} if root else {}),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"<escalations.{letter.tenant_id.hex}.{domain}>",
    }


def _part(boundary: str, subtype: str, content: str) -> str:
    """One twin, as lines of plain ASCII (RFC 2045 §6.7)."""
    text = b2a_qp(content.replace(CRLF, "\n").replace("\r", "\n").encode(), istext=True)
    lines = text.decode("ascii").replace("\n", CRLF)
    kind = f"Content-Type: text/{subtype}; charset=utf-8{CRLF}Content-Transfer-Encoding: quoted-printable{CRLF}"
    return f"--{boundary}{CRLF}{kind}{CRLF}{lines}{CRLF}"


def encoded(line: str) -> str:
    """A text of one line for a header, folded, as RFC 2047 words where it is not ASCII."""
    return Header(line, "us-ascii" if line.isascii() else "utf-8", header_name="Subject").encode(linesep=CRLF)


def message_id(intent_id: UUID, domain: str) -> str:
    """The same for every try of one message."""
    return f"<message.{intent_id}@{domain}>"


def thread_root(escalation_id: UUID, domain: str) -> str:
    """The mail that all mails of an escalation answer."""
    return f"<escalation.{escalation_id}@{domain}>"


def one_line(value: str) -> str:
    """Without line ends, control and direction characters, spaces folded, cut to length: safe in a header.

    `=?` is broken up: a reader would decode what follows it.
    """
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in value)
    line = " ".join(visible.split()).replace("=?", "= ?")
    return line if len(line) <= SUBJECT_LENGTH else line[: SUBJECT_LENGTH - 1].rstrip() + "…"


def checked_address(value: str) -> str:
    """An address that fits in an envelope, its domain as the name system writes it."""
    if not ADDRESS.fullmatch(value):
        raise BadAddress("the address is not an e-mail address")
    local, _, domain = value.rpartition("@")
    try:
        written = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        raise BadAddress("the address has no valid domain") from None
    if len(local.encode()) > LOCAL_LENGTH or len(f"{local}@{written}") > ADDRESS_LENGTH:
        raise BadAddress("the address is too long")
    return f"{local}@{written}"


def plain_text(letter: Letter) -> str:
    """The twin for readers without HTML: the same words in the same order."""
    parts = [one_line(letter.subject), letter.body.strip(), *(_listed_text(item) for item in letter.listed)]
    if letter.link:
        parts.append(f"Open it:\n{letter.link}")
    parts += [letter.why or WHY, _link_note(letter)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed_text(item: Listed) -> str:
    lines = [f"* {one_line(item.subject)}", *(f"  {line}" for line in item.body.strip().splitlines() if line.strip())]
    return "\n".join([*lines, *([f"  {item.link}"] if item.link else [])])


def _link_note(letter: Letter) -> str:
    """What a link is good for; nothing where there is none."""
    if letter.link_ends_at is None:
        return ""
    until = f"{letter.link_ends_at:%d %B %Y}".lstrip("0")
    if letter.listed:
        return f"Each link is meant for you alone, opens one escalation only, and ends on {until}."
    return f"The link is meant for you alone, opens this {letter.record} only, and ends on {until}."


def html(letter: Letter) -> str:
    listed = [(one_line(item.subject), _paragraphs(item.body), item.link) for item in letter.listed]
    return _template().render(
        subject=one_line(letter.subject),
        paragraphs=_paragraphs(letter.body),
        listed=listed,
        link=letter.link,
        link_note=_link_note(letter),
        record=letter.record,
        why=letter.why or WHY,
    )


def _paragraphs(body: str) -> list[list[str]]:
    return [block.splitlines() for block in re.split(r"\n\s*\n", body.strip()) if block.strip()]


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("app"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("mail.html")
