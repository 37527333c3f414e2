"""The scanner: nothing is given out before it, infected bytes go, and what it cannot answer is said."""

import os
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app import clock
from app.db import db, tenant_scope, transaction
from app.escalations.attachments import infected, jobs, scanning
from app.escalations.attachments.models import Attachment, AttachmentTidy
from app.escalations.attachments.receiving import received
from app.notifications.models import Intent
from app.store import PARTS, Store, get_store, incoming_key
from tests.conftest import ApiClient
from tests.escalations.test_attachments import LOG, PNG, attach, link_of, path_of, stored, timeline

__all__ = ["attach"]
DAY = timedelta(days=1)
# Infected is what holds the word; like clamscan it answers 0, 1 or something else.
SCANNER = (
    "import sys; data = sys.stdin.buffer.read(); print('stdin: Test-Signature FOUND') if b'virus' in data else None; "
    "sys.exit(2 if b'odd' in data else int(b'virus' in data))"
)
VIRUS = b"a virus\n" * 10


@pytest.fixture
def scanner(app, monkeypatch):
    monkeypatch.setitem(app.config, "SCAN_COMMAND", (sys.executable, "-c", SCANNER))


def test_with_a_scanner_a_file_opens_only_once_it_was_found_clean(app, client, raise_case, attach, scanner):
    case = raise_case()
    made = attach(case)
    assert made["state"] == "scanning"
    refused = client.get(path_of(case, made, "/link"))
    assert (refused.status_code, refused.json["code"]) == (409, "not_clean")
    jobs.scan_attachments()
    scanned = client.get(path_of(case, made)).json
    assert (scanned["state"], scanned["reason"]) == ("clean", None)
    assert ApiClient(app, None).get(link_of(client, case, made)).data == PNG


def test_what_was_attached_before_there_was_a_scanner_is_scanned_once_there_is_one(
    app, client, raise_case, attach, monkeypatch
):
    case = raise_case()
    made = attach(case, VIRUS, "a.log", "text/plain")
    path = link_of(client, case, made)
    monkeypatch.setitem(app.config, "SCAN_COMMAND", (sys.executable, "-c", SCANNER))
    assert ApiClient(app, None).get(path).status_code == 409
    jobs.scan_attachments()
    assert client.get(path_of(case, made)).json["state"] == "infected"


def test_infected_bytes_are_deleted_in_every_case_and_who_uploaded_them_is_told(
    client, tenant, raise_case, attach, scanner, company, as_user
):
    first, second = raise_case(), raise_case(title="Imports fail")
    owner = as_user(company.owner)
    made = [attach(case, VIRUS, "a.log", "text/plain", by=owner) for case in (first, second)]
    jobs.scan_attachments()
    assert stored(tenant) == []
    for case, file in zip((first, second), made, strict=True):
        item = client.get(path_of(case, file)).json
        assert (item["state"], item["reason"]) == ("infected", "stdin: Test-Signature FOUND")
        assert client.get(path_of(case, file, "/link")).status_code == 410
        event = timeline(client, case)[-1]
        assert (event["kind"], event["facts"]["state"], event["actor"]) == ("attachment_scanned", "infected", None)
        assert event["texts"] == {"name": "a.log", "reason": "stdin: Test-Signature FOUND"}
    with transaction():
        told = db.session.execute(select(Intent.user_id, Intent.subject).where(Intent.kind == "attachment")).all()
    assert sorted((user, subject.rpartition(": ")[2]) for user, subject in told) == [
        (company.owner.id, "a file you attached is infected"),
        (company.owner.id, "a file you attached is infected"),
    ]


def test_dying_after_the_verdict_leaves_no_file_of_infected_bytes_open_and_nobody_untold(
    client, tenant, raise_case, attach, scanner, monkeypatch
):
    first, second = raise_case(), raise_case(title="Imports fail")
    made = [attach(case, VIRUS, "a.log", "text/plain") for case in (first, second)]
    with transaction():
        db.session.execute(update(Attachment).where(Attachment.id == made[1]["id"]).values(state="clean"))

    def die(*_):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(infected, "begin", die)
        with pytest.raises(SystemExit):
            jobs.scan_attachments()
    for case, file in zip((first, second), made, strict=True):
        assert client.get(path_of(case, file)).json["state"] == "infected"
        assert client.get(path_of(case, file, "/link")).status_code == 410
    assert len(told_of_infections()) == 2

    jobs.scan_attachments()
    assert stored(tenant) == []
    for case in (first, second):
        events = [event for event in timeline(client, case) if event["kind"] == "attachment_scanned"]
        assert [event["facts"]["state"] for event in events] == ["infected"]
    assert len(told_of_infections()) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [(VIRUS, "a file you attached is infected"), (b"odd\n", "a file you attached could not be scanned")],
)
def test_of_a_case_that_they_may_not_see_any_more_an_uploader_hears_number_and_file_alone(
    client, tenant, raise_case, attach, scanner, company, as_user, content, said
):
    case = raise_case(title="About the board")
    attach(case, content, "a.log", "text/plain", by=as_user(company.csm))
    attach(case, content + b"2", "b.log", "text/plain", by=as_user(company.owner))
    path = f"/api/v1/escalations/{case['id']}"
    hidden = client.patch(path, json={"restricted": True}, if_match=client.get(path).headers["ETag"])
    assert hidden.status_code == 200
    for _ in range(3):
        jobs.scan_attachments()
        later(1)
    with transaction():
        found = db.session.scalars(select(Intent).where(Intent.kind == "attachment"))
        told = {one.user_id: (one.subject, one.body.split("\n")[0], one.escalation_id, one.why) for one in found}
    assert told[company.csm.id] == (
        f"{case['number']}: {said}",
        "a.log",
        None,
        "You get this because you attached the file.",
    )
    subject, name, linked, why = told[company.owner.id]
    assert (subject, name) == (f"Globex: About the board · {case['number']}: {said}", "b.log")
    assert (str(linked), why) == (case["id"], None)


@pytest.mark.parametrize("content", [VIRUS, b"odd\n"])
def test_whom_a_case_is_about_by_now_hears_nothing_of_what_they_attached(
    client, raise_case, attach, scanner, company, as_user, content
):
    case = raise_case()
    attach(case, content, "a.log", "text/plain", by=as_user(company.csm))
    about = raise_case(about_user=company.csm.email)
    body = {"into_id": case["id"], "reason": "The same"}
    assert client.post(f"/api/v1/escalations/{about['id']}/merge", json=body).status_code == 200
    for _ in range(3):
        jobs.scan_attachments()
        later(1)
    assert told_of_infections() == []


def told_of_infections():
    with transaction():
        return list(db.session.scalars(select(Intent.subject).where(Intent.kind == "attachment")))


def later(seconds):
    """As if the leases of scans had ended."""
    with transaction():
        db.session.execute(update(Attachment).values(leased_until=clock.real_now() - timedelta(seconds=seconds)))


def test_a_scan_without_answer_is_tried_three_times_and_then_said_to_have_failed(
    client, raise_case, attach, scanner, tenant
):
    case = raise_case()
    made = attach(case, b"odd\n", "a.log", "text/plain")
    for _ in range(2):
        jobs.scan_attachments()
        assert client.get(path_of(case, made)).json["state"] == "scanning"
        jobs.scan_attachments()  # not again before the lease has ended
        later(1)
    jobs.scan_attachments()
    failed = client.get(path_of(case, made)).json
    assert (failed["state"], failed["reason"]) == ("failed", "the scanner ended with status 2")
    assert client.get(path_of(case, made, "/link")).status_code == 409
    assert len(stored(tenant)) == 1
    again = attach(case, b"odd\n", "a.log", "text/plain", status=200)
    assert (again["id"], again["state"], again["reason"]) == (made["id"], "scanning", None)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((sys.executable, "-c", "import time; time.sleep(60)"), "the scanner did not answer within 0.5 seconds"),
        (("/no/such/scanner",), "the scanner does not start: No such file or directory"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"), "the scanner ended with status -9"),
    ],
)
def test_a_scanner_that_hangs_dies_or_is_not_there_says_nothing_of_the_file(tmp_path, command, said):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        began = time.monotonic()
        assert scanning.ask(command, file.fileno(), seconds=0.5) == scanning.Verdict("failed", said)
    assert time.monotonic() - began < 10


def test_the_scanner_is_told_none_of_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTHAND_SECRET_KEY", "secret")
    path = tmp_path / "file"
    path.write_bytes(b"x")
    listing = "import os; print(sorted(n for n in os.environ if 'FIRSTHAND' in n))"
    with path.open("rb") as file:
        assert scanning.ask((sys.executable, "-c", listing), file.fileno()) == scanning.Verdict("clean", "[]")


def test_a_worker_without_the_webs_store_says_so(client, raise_case, attach, scanner, tenant):
    case = raise_case()
    made = attach(case)
    with transaction():
        db.session.execute(update(Attachment).values(tries=2))
    get_store().delete(stored(tenant)[0])
    jobs.scan_attachments()
    assert "must share one" in client.get(path_of(case, made)).json["reason"]


def test_a_store_that_lets_nobody_in_is_a_failed_scan_and_the_run_goes_on(
    client, raise_case, attach, scanner, tenant, monkeypatch
):
    case = raise_case()
    made = [attach(case), attach(case, b"line\n", "a.log", "text/plain")]
    with transaction():
        db.session.execute(update(Attachment).values(tries=2))
    shut, reading = f"{tenant.id}/{made[0]['sha256']}", Store.reading

    def refuse(store, key):
        if key == shut:
            raise PermissionError(13, "Permission denied", "/secret/place")
        return reading(store, key)

    monkeypatch.setattr(Store, "reading", refuse)
    with capture_logs() as logged:
        jobs.scan_attachments()
    files = [client.get(path_of(case, file)).json for file in made]
    assert [file["state"] for file in files] == ["failed", "clean"]
    assert files[0]["reason"] == "the store did not let the file be read"
    assert "store_unreadable" in [line["event"] for line in logged]


def age(key, days):
    """Make a stored file older."""
    then = time.time() - days * 86400
    os.utime(f"{get_store().root}/{key}", (then, then))


def test_what_aborted_uploads_left_is_swept_a_day_later_and_what_is_attached_stays(client, raise_case, attach, tenant):
    case = raise_case()
    kept = attach(case)
    with tenant_scope(tenant.id):
        old, new = incoming_key(), incoming_key()
    orphans = [f"{tenant.id}/{digit * 64}" for digit in ("a", "b")]
    for key in (old, new, *orphans):
        with get_store().writing(key) as file:
            file.write(b"left behind")
    for key in (old, orphans[0], f"{tenant.id}/{kept['sha256']}"):
        age(key, 2)
    assert jobs.tidy_attachments() == 2
    assert stored(tenant) == sorted([new, orphans[1], f"{tenant.id}/{kept['sha256']}"])
    age(orphans[1], 2)
    assert jobs.tidy_attachments() == 0  # once a day
    tidying(due_at=clock.real_now())
    assert jobs.tidy_attachments() == 1


def tidying(**values):
    """Change when and where the tenant's store is looked at next."""
    with transaction():
        db.session.execute(update(AttachmentTidy).values(values))


def left(key):
    """A file that nothing names, two days old."""
    with get_store().writing(key) as file:
        file.write(b"left behind")
    age(key, 2)
    return key


def test_a_run_whose_time_is_up_goes_on_where_it_ended(tenant, monkeypatch):
    keys = [left(f"{tenant.id}/{digit * 64}") for digit in ("0", "7", "f")]
    parts, ended = [], jobs._tidy_part

    def until_seven(tenant_id, part, now):
        parts.append(part)
        return ended(tenant_id, part, now)

    monkeypatch.setattr(jobs, "_tidy_part", until_seven)
    monkeypatch.setattr(jobs, "_goes_on", lambda ends_at: "7" not in parts)
    assert jobs.tidy_tenant(tenant.id, clock.real_now(), ends_at=1.0) == 2
    assert stored(tenant) == keys[2:]
    with transaction():
        assert db.session.scalar(select(AttachmentTidy.part)) == PARTS.index("8")

    monkeypatch.undo()
    parts.clear()
    assert jobs.tidy_attachments() == 1
    assert stored(tenant) == []


def test_a_store_that_lets_nobody_into_one_tenants_files_stops_no_other_and_is_asked_again_in_an_hour(
    new_tenant, monkeypatch
):
    tenants = [new_tenant(name) for name in ("Shut", "Open", "Other")]
    keys = [left(f"{one.id}/{'c' * 64}") for one in tenants]
    listing = Store.listing

    def refuse(store, tenant_id, part):
        if tenant_id == tenants[0].id:
            raise PermissionError(13, "Permission denied")
        return listing(store, tenant_id, part)

    with monkeypatch.context() as patched, capture_logs() as logged:
        patched.setattr(Store, "listing", refuse)
        assert jobs.tidy_attachments() == 2
    assert [get_store().has(key) for key in keys] == [True, False, False]
    assert [line["tenant_id"] for line in logged if line["event"] == "store_not_tidied"] == [str(tenants[0].id)]
    assert jobs.tidy_attachments() == 0
    with tenant_scope(tenants[0].id):
        tidying(due_at=clock.real_now())
    assert jobs.tidy_attachments() == 1


def test_bytes_that_a_store_does_not_let_go_stop_no_other_tenant_and_go_later(
    client, raise_case, attach, tenant, monkeypatch
):
    case = raise_case()
    made = attach(case)
    assert client.post(path_of(case, made, "/remove"), json={"reason": "Wrong file"}).status_code == 200

    def refuse(store, key):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched, capture_logs() as logged:
        patched.setattr(Store, "delete", refuse)
        jobs.scan_attachments()
    assert "store_not_purged" in [line["event"] for line in logged]
    assert len(stored(tenant)) == 1
    jobs.scan_attachments()
    assert stored(tenant) == []


def listed(store, tenant):
    return sorted(key for part in PARTS for key, _ in store.listing(tenant.id, part))


@pytest.mark.parametrize("name", ["notes.txt", "ab", "A" * 64])
def test_a_file_that_we_did_not_write_stays_and_does_not_stop_the_sweep(tenant, name):
    stray, orphan = f"{tenant.id}/{name}", f"{tenant.id}/{'c' * 64}"
    for key in (stray, orphan):
        with get_store().writing(key) as file:
            file.write(b"left behind")
        age(key, 2)
    with capture_logs() as logged, tenant_scope(tenant.id):
        assert jobs.tidy_tenant(tenant.id, clock.real_now()) == 1
    assert stored(tenant) == [stray]
    assert [line["key"] for line in logged if line["event"] == "attachment_stray"] == [stray]
    get_store().delete(stray)


class Broken:
    """A client that goes away in the middle."""

    def __init__(self):
        self.pieces = [LOG, LOG]

    def read(self, size):
        if self.pieces:
            return self.pieces.pop()
        raise ConnectionError("gone")


def test_an_upload_that_breaks_off_leaves_nothing(tenant):
    from app.escalations.attachments.kinds import kind_of

    kind = kind_of("a.log", "text/plain")
    broken = received(Broken(), get_store(), name="a.log", kind=kind, limit=10**6)
    with pytest.raises(ConnectionError), broken:
        pytest.fail("it was taken")
    assert stored(tenant) == []


def test_a_store_that_is_no_folder_keeps_moves_reads_lists_and_deletes(tenant):
    store = Store(f"memory://bucket-{tenant.id}/prefix")
    with tenant_scope(tenant.id):
        incoming, key = incoming_key(), f"{tenant.id}/{'c' * 64}"
    with store.writing(incoming) as file:
        file.write(LOG)
    store.keep(incoming, key)
    assert listed(store, tenant) == [key]
    with store.reading(key) as file:
        file.seek(6)
        assert file.read(7) == b"stopped"
    store.delete(key)
    store.delete(key)
    assert listed(store, tenant) == []


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a data folder 100% größer"
    store = Store(folder.as_uri())
    with store.writing("tenant/key") as file:
        file.write(LOG)
    assert (folder / "tenant" / "key").read_bytes() == LOG
    with store.reading("tenant/key") as file:
        assert file.read() == LOG


def test_files_of_the_folder_are_for_our_eyes_only(raise_case, attach, tenant):
    attach(raise_case())
    tenants = f"{get_store().root}/{tenant.id}"
    assert [os.stat(folder).st_mode & 0o077 for folder in (tenants, f"{tenants}/incoming")] == [0, 0]


def test_only_tenants_with_work_are_found(client, raise_case, attach, tenant, app, scanner, statements):
    jobs.scan_attachments()
    with statements() as sent:
        jobs.scan_attachments()
    assert len([s for s in sent if "attachment" in s]) == 1
    assert urlsplit(app.config["ATTACHMENTS_URL"]).scheme == "file"
