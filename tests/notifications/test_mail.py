"""What a mail looks like to people and to programs."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.mail import BadAddress, Enclosed, Letter, checked_address, one_line, write

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LETTER = Letter(
    intent_id=UUID(int=1),
    tenant_id=UUID(int=2),
    escalation_id=UUID(int=3),
    recipient="carl@example.com",
    subject="Globex: tell the customer by 16:00 · ESC-1042",
    body="Exports fail since Monday.\n\nThe customer waits\nfor a first answer.",
    why="You get this because you own ESC-1042.",
    link="https://firsthand.example/l/token",
    link_ends_at=datetime(2026, 11, 6, tzinfo=UTC),
)


def read(letter: Letter = LETTER, mail_from: str = "Firsthand <escalations@firsthand.example>") -> EmailMessage:
    mail = message_from_bytes(write(letter, mail_from=mail_from, at=AT).content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: Any = part.get_content()
    return str(content)


def test_headers_identify_thread_and_silence() -> None:
    mail = read()
    root = "<escalation.00000000-0000-0000-0000-000000000003@firsthand.example>"
    headers = ("Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress", "List-Id")
    assert [mail[header] for header in headers] == [
        "<message.00000000-0000-0000-0000-000000000001@firsthand.example>",
        root,
        root,
        "auto-generated",
        "All",
        "<escalations.00000000000000000000000000000002.firsthand.example>",
    ]
    assert (mail["From"], mail["To"]) == ("Firsthand <escalations@firsthand.example>", "carl@example.com")
    assert mail["Date"] == "Mon, 02 Nov 2026 09:00:00 +0000"


def test_two_mails_of_one_escalation_share_a_thread_and_two_escalations_do_not() -> None:
    first, second = read(), read(replace(LETTER, intent_id=UUID(int=9)))
    other = read(replace(LETTER, escalation_id=UUID(int=4)))
    assert first["References"] == second["References"] != other["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_the_subject_is_the_fact_and_both_twins_say_the_same() -> None:
    mail = read()
    assert mail["Subject"] == LETTER.subject
    plain, html = text_of(mail, "plain"), text_of(mail, "html")
    for words in ("Exports fail since Monday.", "You get this because you own ESC-1042.", "ends on 6 November 2026"):
        assert words in plain
        assert words in html
    assert "https://firsthand.example/l/token" in plain
    assert html.count("<a ") == 1
    assert 'href="https://firsthand.example/l/token"' in html
    assert "max-width:600px" in html
    assert "<img" not in html


def test_what_people_wrote_cannot_become_markup() -> None:
    html = text_of(read(replace(LETTER, subject="<b>x</b>", body="<script>alert(1)</script>", why='"><i>')), "html")
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_message_without_an_escalation_has_neither_thread_nor_button() -> None:
    mail = read(replace(LETTER, escalation_id=None, link=None, link_ends_at=None))
    assert mail["References"] is None
    assert "<a " not in text_of(mail, "html")


@given(st.text(max_size=400), st.text(max_size=100))
def test_no_text_adds_a_header_or_breaks_the_mail(subject: str, injected: str) -> None:
    mail = read(replace(LETTER, subject=f"{subject}\r\nBcc: x@example.com\n{injected}", body=injected, why=injected))
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1
    assert sorted(set(mail.keys())) == sorted(
        {
            "Auto-Submitted",
            "Content-Type",
            "Date",
            "From",
            "In-Reply-To",
            "List-Id",
            "MIME-Version",
            "Message-ID",
            "References",
            "Subject",
            "To",
            "X-Auto-Response-Suppress",
        }
    )


@pytest.mark.parametrize("word", ["=?utf-8?q?a=0D=0ABcc:_x@example.com?=", "=?utf-8?b?YQ0KQmNjOiB4QGV4YW1wbGUuY29t?="])
def test_an_encoded_line_end_in_a_subject_stays_text(word: str) -> None:
    letter = replace(LETTER, subject=word)
    head = write(letter, mail_from="a@b.example", at=AT).content.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head
    assert str(read(letter)["Subject"]) == word.replace("=?", "= ?")


def test_every_line_on_the_wire_is_short_and_plain_ascii() -> None:
    content = write(replace(LETTER, body="ü" * 3000), mail_from="a@b.example", at=AT).content
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert re.search(rb"[^\r]\n", content) is None


def test_long_subjects_are_cut_and_direction_tricks_removed() -> None:
    assert one_line("a\u202eb\tc\u2028d") == "a b c d"
    assert one_line("x" * 300) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("given", "written"),
    [("carl@example.com", "carl@example.com"), ("o'neil+x@exämple.com", "o'neil+x@xn--exmple-cua.com")],
)
def test_an_address_is_written_as_mail_servers_read_it(given: str, written: str) -> None:
    assert checked_address(given) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "carl",
        "a@b\r\nBcc: c@d",
        "a b@c.d",
        "<a@b.c>",
        "a@b@c",
        "a,b@c.d",
        "x" * 65 + "@b.c",
        "a@" + "b." * 130 + "c",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        checked_address(address)


def test_ids_stay_on_one_line_under_a_long_domain() -> None:
    content = write(LETTER, mail_from=f"a@{'long-' * 10}name.example", at=AT).content
    root = f"<escalation.{LETTER.escalation_id}@{'long-' * 10}name.example>"
    assert f"\r\nReferences: {root}\r\n".encode() in content
    assert f"\r\nIn-Reply-To: {root}\r\n".encode() in content


def test_a_file_goes_with_its_mail_under_its_name() -> None:
    content = bytes(range(256)) * 9
    file = Enclosed("Bericht für Möller.pdf", "application/pdf", lambda: content)
    written = write(replace(LETTER, record="report", file=file), mail_from="f@firsthand.example", at=AT)
    mail = message_from_bytes(written.whole(), policy=default)
    assert isinstance(mail, EmailMessage)
    assert "opens this report only" in text_of(mail, "plain")
    assert ">Open the report</a>" in text_of(mail, "html")
    assert mail.get_content_type() == "multipart/mixed"
    (enclosed,) = mail.iter_attachments()
    assert (enclosed.get_filename(), enclosed.get_content_type()) == ("Bericht für Möller.pdf", "application/pdf")
    assert enclosed.get_content() == content
    assert max(map(len, written.whole().split(b"\r\n"))) <= 998
