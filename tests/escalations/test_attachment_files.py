"""What may be attached: names made safe, content that is what the name says, zips that would burst nobody."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.escalations.attachments.archives import MAX_ENTRIES, check_archive
from app.escalations.attachments.errors import FileRefused
from app.escalations.attachments.kinds import Content, check_content, kind_of
from app.escalations.attachments.names import HIDDEN, MAX_CHARACTERS, safe_name

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
WEBP = b"RIFF\x10\0\0\0WEBPVP8 "
PROGRAM = b"MZ\x90\0\x03\0\0\0"


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("screen.png", "screen.png"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ada\\trace.log", "trace.log"),
        ("..", None),
        ("a/..", None),
        ("\u202e", None),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("line\r\nSet-Cookie: a=b.txt", "lineSet-Cookie_ a=b.txt"),
        ('a"b;c<d>.log', "a_b_c_d_.log"),
        ("zero\u200bwidth\u2066.txt", "zerowidth.txt"),
        ("  many   spaces .log ", "many spaces .log"),
        ("Protokoll fu\u0308r Mu\u0308ller.pdf", "Protokoll f\u00fcr M\u00fcller.pdf"),
        ("日本語.txt", "日本語.txt"),
        ("a" * 400 + ".log", "a" * 146 + ".log"),
        ("." * 10, None),
    ],
)
def test_a_name_is_made_safe_or_is_none(written, safe):
    assert safe_name(written) == safe


@given(st.text(max_size=300))
def test_no_name_keeps_a_way_out_or_what_cannot_be_seen(written):
    import unicodedata

    name = safe_name(written)
    if name is not None:
        assert 0 < len(name) <= MAX_CHARACTERS
        assert not set('/\\<>:"|?*%;') & set(name)
        assert name not in (".", "..")
        assert not {unicodedata.category(c) for c in name} & HIDDEN
        assert safe_name(name) == name


def content_of(data, step=1000):
    content = Content()
    for start in range(0, len(data), step):
        content.feed(data[start : start + step])
    return content


@pytest.mark.parametrize(
    ("name", "declared", "data"),
    [
        ("a.png", "image/png", PNG),
        ("a.PNG", "application/octet-stream", PNG),
        ("a.jpg", "image/jpeg", JPEG),
        ("a.jpeg", "image/pjpeg", JPEG),
        ("a.gif", "image/gif", b"GIF89a\x01\0"),
        ("a.webp", "image/webp", WEBP),
        ("a.pdf", "application/pdf", b"%PDF-1.7\n\xe2\xe3\0"),
        ("a.log", "text/plain", b"12:00 \x1b[31mred\x1b[0m\tdone\r\n"),
        ("latin.txt", "text/plain", "größer, µs".encode("latin-1")),
        ("utf8.txt", "text/plain", "größer, 日本".encode()),
        ("bom.txt", "text/plain", "größer".encode("utf-8-sig")),
        ("windows.log", "text/plain", "größer\r\n".encode("utf-16")),
        ("empty.csv", "application/vnd.ms-excel", b"id;name\n"),
        ("a.json", "application/json", b'\xef\xbb\xbf {"a": 1}'),
        ("a.har", "application/json", b'{"log": {"entries": []}}'),
        ("a.eml", "message/rfc822", b"Received: from mx\r\nSubject: Hi\r\n\r\n<html>in the body</html>"),
        ("trace.log", "text/plain", b"12:00 answered <html><body>500</body></html>\n"),
    ],
)
def test_a_file_that_is_what_it_says_is_taken(name, declared, data):
    check_content(kind_of(name, declared), content_of(data))


@pytest.mark.parametrize(
    ("name", "declared", "data", "looks_like"),
    [
        ("a.png", "image/png", JPEG, "it looks like jpeg"),
        ("a.jpg", "image/jpeg", b"<html><script>alert(1)</script>", "it looks like markup"),
        ("a.png", "image/png", b"PK\x03\x04" + bytes(30), "it looks like zip"),
        ("a.log", "text/plain", PROGRAM, "its bytes are none that may be attached"),
        ("a.log", "text/plain", b"fine\n" * 2000 + b"\0", "its bytes are none that may be attached"),
        ("a.log", "text/plain", b"\x7fELF\x02\x01\x01\0", "its bytes are none that may be attached"),
        ("a.txt", "text/plain", b"\n <!DOCTYPE html><p>", "it looks like markup"),
        ("a.txt", "text/plain", b"<svg onload=alert(1)>", "it looks like markup"),
        ("a.csv", "text/csv", b"<?xml version='1.0'?>\n<!-- x -->\n<svg>", "it looks like markup"),
        ("a.txt", "text/plain", "<script>1</script>".encode("utf-16"), "it looks like markup"),
        ("a.log", "text/plain", b"\xff\xfe" + b"\0" * 8, "its bytes are none that may be attached"),
        ("a.txt", "text/plain", b"%PDF-1.4\n", "it looks like pdf"),
        ("a.pdf", "application/pdf", b"plain words", "it looks like text"),
        ("a.json", "application/json", b"plain words", "it begins otherwise"),
        ("a.eml", "message/rfc822", b"plain words", "it begins otherwise"),
        ("a.gif", "image/gif", b"GIF8", "it looks like text"),
    ],
)
def test_a_disguised_file_is_refused_with_what_it_looks_like(name, declared, data, looks_like):
    kind = kind_of(name, declared)
    with pytest.raises(FileRefused) as refused:
        check_content(kind, content_of(data))
    assert looks_like in refused.value.detail
    assert refused.value.errors[0]["pointer"] == "/"


@pytest.mark.parametrize(
    ("name", "declared", "place"),
    [
        ("a.exe", "application/octet-stream", {"parameter": "filename"}),
        ("a.html", "text/plain", {"parameter": "filename"}),
        ("a.svg", "image/png", {"parameter": "filename"}),
        ("a.png.exe", "image/png", {"parameter": "filename"}),
        ("noending", "image/png", {"parameter": "filename"}),
        ("png", "image/png", {"parameter": "filename"}),
        ("a.png", "text/plain", {"header": "Content-Type"}),
        ("a.log", "image/png", {"header": "Content-Type"}),
    ],
)
def test_a_name_that_says_nothing_or_another_type_is_refused_before_a_byte_is_read(name, declared, place):
    with pytest.raises(FileRefused) as refused:
        kind_of(name, declared)
    (error,) = refused.value.errors
    assert place.items() <= error.items()


def zipped(entries, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def check(data, part=None):
    check_archive(io.BytesIO(data), len(data), part=part)


def test_an_ordinary_zip_and_documents_are_taken():
    check(zipped({"a/b.log": b"line\n" * 100_000, "c.txt": b""}))
    check(zipped({}))
    check(zipped({"[Content_Types].xml": b"", "word/document.xml": b"<w/>"}), part="word/document.xml")
    check(zipped({"a.txt": b"x"}) + b"", part=None)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (zipped({"zeros": bytes(40 << 20)}), "200 times its size unpacked, it declares 41943040 bytes"),
        (zipped({"../../evil.sh": b"x"}), "paths stay inside"),
        (zipped({"a/../../evil.sh": b"x"}), "paths stay inside"),
        (zipped({"/etc/cron.d/x": b"x"}), "paths stay inside"),
        (zipped({"C:\\x": b"x"}), "paths stay inside"),
        (zipped({f"{n}": b"" for n in range(MAX_ENTRIES + 1)}, zipfile.ZIP_STORED), "at most 10000 entries"),
        (b"PK\x03\x04" + b"rubbish" * 20, "can be read"),
        (b"PK\x05\x06", "can be read"),
        (b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 9, 9, 400, 0, 0), "can be read"),
        (b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 65535, 65535, 2**32 - 1, 0, 0), "at most 10000 entries"),
    ],
)  # fmt: skip
def test_a_zip_that_bursts_or_leads_out_is_refused(data, detail):
    with pytest.raises(FileRefused) as refused:
        check(data)
    assert detail in refused.value.detail


@pytest.mark.parametrize("comment", [b"", b"x", b"x" * 65535])
def test_a_zip64_record_that_overrides_the_end_record_is_refused(comment):
    """The end record says one entry in 46 bytes; the zip64 record says 50000, and zipfile believes that one."""
    one = zipped({"a": b""})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entries = one[at:end] * 50_000
    after = at + len(entries)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 50_000, 50_000, len(entries), at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, after, 1)
    plain = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 46, at, len(comment)) + comment
    data = one[:at] + entries + record + locator + plain
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == 50_000
    with pytest.raises(FileRefused) as refused:
        check(data)
    assert "without zip64 records" in refused.value.detail


def test_overlapping_entries_count_as_often_as_they_are_named():
    """A bomb that names the same bytes many times: 1 MiB of zeros, packed to a KiB, named 40 times is 40 MiB."""
    one = zipped({"a": bytes(1 << 20)})
    at = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entry = one[at:end]
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 40, 40, len(entry) * 40, at, 0)
    with pytest.raises(FileRefused) as refused:
        check(one[:at] + entry * 40 + record)
    assert "it declares 41943040 bytes" in refused.value.detail


def test_a_document_without_its_part_or_with_macros_is_refused():
    part = "word/document.xml"
    with pytest.raises(FileRefused) as plain:
        check(zipped({"a.txt": b"x"}), part=part)
    assert part in plain.value.detail
    with pytest.raises(FileRefused) as macros:
        check(zipped({part: b"<w/>", "word/vbaProject.bin": b"x"}), part=part)
    assert "without macros" in macros.value.detail
