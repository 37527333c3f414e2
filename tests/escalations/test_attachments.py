"""Files on a case, through HTTP: what is taken, what is refused, who gets the content, what becomes of it."""

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import select

from app import clock
from app.auth.links import make_link
from app.auth.models import LinkView, User
from app.db import db, transaction
from app.escalations.attachments import jobs, reading
from app.escalations.attachments.models import Attachment
from app.operations.persons.erase import erase
from app.operations.persons.export import export
from app.operations.persons.tables import find_person
from app.store import PARTS, get_store, key_of
from tests.conftest import ApiClient
from tests.escalations.test_attachment_files import zipped

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
LOG = b"12:00 stopped\n" * 1000
MIB = 1 << 20


def path_of(case, made=None, action=""):
    path = f"/api/v1/escalations/{case['id']}/attachments"
    return f"{path}/{made['id']}{action}" if made else path


@pytest.fixture
def attach(client):
    """Attach bytes to a case as the admin, or as `by`, and expect this status."""

    def send(case, content=PNG, filename="screen.png", media="image/png", *, by=client, status=201, **options):
        answer = by.post(
            path_of(case), query_string={"filename": filename}, data=content, content_type=media, **options
        )
        assert answer.status_code == status, answer.text
        return answer.json

    return send


def link_of(client, case, made):
    url = client.get(path_of(case, made, "/link")).json["url"]
    return urlsplit(url).path


def timeline(client, case):
    return client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]


def stored(tenant):
    return sorted(key for part in PARTS for key, _ in get_store().listing(tenant.id, part))


def test_a_file_is_kept_listed_and_opened_by_its_link(app, client, raise_case, attach):
    case = raise_case()
    made = attach(case)
    expected = {"name": "screen.png", "media_type": "image/png", "size": 608, "state": "unscanned"}
    assert {key: made[key] for key in expected} == expected
    assert made["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert made["uploaded_by"]["email"] == "admin@example.com"
    assert client.get(path_of(case)).json == {"items": [made], "next_cursor": None}
    assert client.get(path_of(case, made)).json == made
    opened = ApiClient(app, None).get(link_of(client, case, made))
    assert (opened.status_code, opened.data) == (200, PNG)


def test_the_timeline_keeps_the_hash_and_the_name_beside_it_and_still_verifies(client, raise_case, attach):
    case = raise_case()
    made = attach(case)
    event = timeline(client, case)[-1]
    assert (event["kind"], event["texts"]) == ("attachment", {"name": "screen.png"})
    assert event["facts"] == {
        "attachment": made["id"],
        "sha256": made["sha256"],
        "size": 608,
        "media_type": "image/png",
    }
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"]


def test_pages_of_a_list_are_oldest_first(client, raise_case, attach):
    case = raise_case()
    made = [attach(case, LOG, f"{n}.log", "text/plain")["id"] for n in range(3)]
    first = client.get(path_of(case) + "?limit=2").json
    second = client.get(path_of(case), query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    assert [item["id"] for page in (first, second) for item in page["items"]] == made
    assert second["next_cursor"] is None


def test_a_list_of_many_takes_no_more_statements_than_one_of_few(client, raise_case, attach, statements):
    case = raise_case()
    for n in range(5):
        attach(case, LOG, f"{n}.log", "text/plain")
    with statements() as sent:
        assert len(client.get(path_of(case)).json["items"]) == 5
    assert (
        len([s for s in sent if s.lstrip().lower().startswith(("select", "with"))]) <= 5
    )  # scope and token among them


def test_the_same_file_again_is_answered_with_what_is_there(client, raise_case, attach, tenant):
    case = raise_case()
    made = attach(case)
    assert attach(case, status=200) == made
    other = attach(case, filename="again.png")
    assert other["id"] != made["id"]
    assert stored(tenant) == [f"{tenant.id}/{made['sha256']}"]


def test_bytes_are_kept_once_in_a_tenant_and_apart_from_another_tenants(app, raise_case, attach, tenant, new_tenant):
    first, second = raise_case(), raise_case(title="Imports fail")
    attach(first)
    made = attach(second)
    assert stored(tenant) == [f"{tenant.id}/{made['sha256']}"]
    assert stored(new_tenant("Others")) == []
    folder = get_store().root
    from pathlib import Path

    assert "screen" not in " ".join(str(path) for path in Path(folder).rglob("*"))


@pytest.mark.parametrize(
    ("content", "filename", "media", "place"),
    [
        (b"\xff\xd8\xff" + bytes(9), "a.png", "image/png", {"pointer": "/"}),
        (b"<html>", "a.txt", "text/plain", {"pointer": "/"}),
        (b"", "a.txt", "text/plain", {"pointer": "/"}),
        (PNG, "a.exe", "image/png", {"parameter": "filename"}),
        (PNG, "..", "image/png", {"parameter": "filename"}),
        (PNG, "", "image/png", {"parameter": "filename"}),
        (PNG, "a.png", "text/plain", {"header": "Content-Type"}),
        (zipped({"zeros": bytes(40 * MIB)}), "a.zip", "application/zip", {"pointer": "/"}),
        (zipped({"../evil": b"x"}), "a.zip", "application/zip", {"pointer": "/"}),
    ],
)
def test_a_refused_file_leaves_nothing_and_says_what_was_wrong(
    client, raise_case, attach, tenant, content, filename, media, place
):
    case = raise_case()
    refused = attach(case, content, filename, media, status=422)
    assert place.items() <= refused["errors"][0].items()
    assert client.get(path_of(case)).json["items"] == []
    assert stored(tenant) == []
    assert "attachment" not in [event["kind"] for event in timeline(client, case)]


def test_a_name_is_asked_for_and_nothing_else(client, raise_case):
    path = path_of(raise_case())
    missing = client.post(path, data=PNG, content_type="image/png")
    assert (missing.status_code, missing.json["errors"][0]["parameter"]) == (422, "filename")
    more = client.post(f"{path}?filename=a.png&path=/etc", data=PNG, content_type="image/png")
    assert (more.status_code, more.json["errors"][0]["parameter"]) == (422, "path")
    form = client.post(f"{path}?filename=a.png", data={"file": "x"}, content_type="multipart/form-data")
    assert form.status_code == 415


def test_a_hostile_name_is_made_safe(app, client, raise_case, attach):
    case = raise_case()
    made = attach(case, filename='../../a"\r\nX-Evil: 1\u202egnp.png')
    assert made["name"] == "a_X-Evil_ 1gnp.png"
    opened = ApiClient(app, None).get(link_of(client, case, made))
    assert "X-Evil" not in opened.headers
    assert opened.headers["Content-Disposition"] == 'inline; filename="a_X-Evil_ 1gnp.png"'


def test_json_of_any_size_within_the_limit_is_taken_as_a_file_and_not_read_as_a_body(client, raise_case, attach):
    har = b'{"log": "' + b"x" * (2 * MIB) + b'"}'  # more than an ordinary body may have
    assert attach(raise_case(), har, "a.har", "application/json")["size"] == len(har)


def test_a_file_over_the_limit_is_refused_before_and_while_it_is_read(app, raise_case, attach, tenant, monkeypatch):
    case = raise_case()
    monkeypatch.setitem(app.config, "MAX_ATTACHMENT_BYTES", len(LOG))
    assert attach(case, LOG, "a.log", "text/plain")["size"] == len(LOG)
    over = attach(case, LOG + b"\n", "b.log", "text/plain", status=413)
    assert over["detail"] == f"expected at most {len(LOG)} bytes, the file has {len(LOG) + 1}"
    assert len(stored(tenant)) == 1


def test_a_case_holds_only_so_much_and_room_is_made_by_removing(client, app, raise_case, attach, monkeypatch):
    case = raise_case()
    monkeypatch.setitem(app.config, "MAX_CASE_ATTACHMENT_BYTES", 2 * len(LOG))
    first = attach(case, LOG, "a.log", "text/plain")
    attach(case, LOG, "b.log", "text/plain")
    assert attach(case, b"one more", "c.log", "text/plain", status=409)["code"] == "attachments_full"
    assert client.post(path_of(case, first, "/remove"), json={"reason": "too much"}).status_code == 200
    attach(case, b"one more", "c.log", "text/plain")


def test_a_case_holds_only_so_many(raise_case, attach, monkeypatch):
    monkeypatch.setattr("app.escalations.attachments.filing.MAX_FILES", 2)
    case = raise_case()
    for n in range(2):
        attach(case, LOG, f"{n}.log", "text/plain")
    assert attach(case, LOG, "3.log", "text/plain", status=409)["code"] == "attachments_full"


@pytest.mark.parametrize(
    ("content", "filename", "media", "disposition", "served"),
    [
        (PNG, "a.png", "image/png", "inline; filename=a.png", "image/png"),
        (LOG, "a.log", "text/plain", "attachment; filename=a.log", "application/octet-stream"),
        (b"%PDF-1.7 x", "a.pdf", "application/pdf", "attachment; filename=a.pdf", "application/octet-stream"),
        (PNG, "größe.png", "image/png", "inline; filename=groe.png; filename*=UTF-8''gr%C3%B6%C3%9Fe.png", "image/png"),
    ],
)  # fmt: skip
def test_content_is_served_so_that_no_browser_runs_it(
    app, client, raise_case, attach, content, filename, media, disposition, served
):
    case = raise_case()
    opened = ApiClient(app, None).get(link_of(client, case, attach(case, content, filename, media)))
    assert opened.headers["Content-Type"] == served
    assert opened.headers["Content-Disposition"] == disposition
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert opened.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert opened.headers["Cache-Control"] == "private, no-store"
    assert int(opened.headers["Content-Length"]) == len(content)


def test_a_range_is_served_and_one_beyond_the_end_is_refused(app, client, raise_case, attach):
    case = raise_case()
    path = link_of(client, case, attach(case, LOG, "a.log", "text/plain"))
    anybody = ApiClient(app, None)
    part = anybody.get(path, headers={"Range": "bytes=6-12"})
    assert (part.status_code, part.data) == (206, b"stopped")
    assert part.headers["Content-Range"] == f"bytes 6-12/{len(LOG)}"
    last = anybody.get(path, headers={"Range": "bytes=-8"})
    assert (last.status_code, last.data) == (206, b"stopped\n")
    assert anybody.get(path, headers={"Range": f"bytes={len(LOG)}-"}).status_code == 416


def test_a_link_expires_after_ten_minutes_and_every_opening_is_kept(app, client, tenant, raise_case, attach):
    case = raise_case()
    made = attach(case)
    link = client.get(path_of(case, made, "/link")).json
    assert 590 < (clock.real_now() - _moment(link["expires_at"])).total_seconds() * -1 <= 600
    anybody = ApiClient(app, None)
    assert anybody.get(urlsplit(link["url"]).path).status_code == 200
    with transaction():
        views = db.session.execute(select(LinkView.user_id, LinkView.subject, LinkView.subject_id)).all()
        old = make_link(
            tenant.admin.id,
            "attachment",
            views[0].subject_id,
            actions=("download",),
            lifetime=reading.LIFETIME,
            now=clock.real_now() - timedelta(minutes=10),
            path="/attachments/",
        )
    assert [(tenant.admin.id, "attachment", made["id"])] == [(v[0], v[1], str(v[2])) for v in views]
    expired = anybody.get(urlsplit(old).path)
    assert (expired.status_code, expired.json["code"]) == (410, "link_expired")


def _moment(text):
    from datetime import datetime

    return datetime.fromisoformat(text)


@pytest.mark.parametrize("position", [0, 20, -2])
def test_a_changed_link_leads_nowhere(app, client, raise_case, attach, position):
    case = raise_case()
    head, _, token = link_of(client, case, attach(case)).rpartition("/")
    letters = list(token)
    letters[position] = "A" if letters[position] != "A" else "B"
    assert ApiClient(app, None).get(f"{head}/{''.join(letters)}").status_code == 404


def test_a_link_to_something_else_opens_no_file_and_a_files_link_no_page(app, client, tenant, raise_case, attach):
    case = raise_case()
    made = attach(case)
    path = link_of(client, case, made)
    anybody = ApiClient(app, None)
    assert anybody.get(path.replace("/attachments/", "/l/")).status_code == 404
    with transaction():
        row = db.session.scalars(select(Attachment)).one()
        viewing = make_link(tenant.admin.id, "attachment", row.id, path="/attachments/")
        page = make_link(tenant.admin.id, "escalation", row.escalation_id, path="/attachments/")
    for url in (viewing, page):
        assert anybody.get(urlsplit(url).path).status_code == 404
    forged = URLSafeSerializer("another secret key of 32 characters", salt="link").dumps([tenant.id.hex])
    assert anybody.get(f"/attachments/{forged}").status_code == 404


def test_the_link_of_who_left_or_may_no_longer_see_the_case_leads_nowhere(
    app, client, raise_case, attach, company, as_user, make_user
):
    helper = make_user("specialist", "helper@example.com")
    case = raise_case()
    made = attach(case)
    of_helper, of_csm = (link_of(as_user(user), case, made) for user in (helper, company.csm))
    anybody = ApiClient(app, None)
    assert anybody.get(of_helper).status_code == 200
    etag = client.get(f"/api/v1/escalations/{case['id']}").headers["ETag"]
    restricted = client.patch(f"/api/v1/escalations/{case['id']}", json={"restricted": True}, if_match=etag)
    assert restricted.status_code == 200
    assert anybody.get(of_helper).status_code == 404
    owners = link_of(as_user(company.owner), case, made)
    assert anybody.get(owners).status_code == 200
    with transaction():
        db.session.get_one(User, company.owner.id).active = False
    assert anybody.get(owners).status_code == 404
    assert anybody.get(of_csm).status_code == 404


def test_who_does_not_see_a_restricted_case_sees_none_of_its_files_and_adds_none(
    raise_case, attach, company, as_user, make_user
):
    stranger = as_user(make_user("specialist", "stranger@example.com"))
    case = raise_case(restricted=True)
    made = attach(case)
    for path in (path_of(case), path_of(case, made), path_of(case, made, "/link")):
        assert stranger.get(path).status_code == 404
    attach(case, by=stranger, status=404)
    assert stranger.post(path_of(case, made, "/remove"), json={"reason": "x"}).status_code == 404
    assert as_user(company.owner).get(path_of(case, made)).status_code == 200


def test_another_tenants_file_is_found_through_none_of_ours(app, client, raise_case, attach, new_tenant):
    from app.auth import service as auth

    case = raise_case()
    made = attach(case)
    others = new_tenant("Others")
    with transaction(tenant=others.id):
        token = auth.create_token(auth.get_user(others.admin.id), name="", now=clock.real_now())[1]
    theirs = ApiClient(app, token)
    for path in (path_of(case), path_of(case, made), path_of(case, made, "/link")):
        assert theirs.get(path).status_code == 404
    with transaction(tenant=others.id):
        row_id = made["id"]
        from uuid import UUID

        from app.db import tenant_scope

        with tenant_scope(others.id):
            forged = make_link(others.admin.id, "attachment", UUID(row_id), actions=("download",), path="/attachments/")
    assert theirs.get(urlsplit(forged).path).status_code == 404


def test_a_file_belongs_to_its_own_case_only(client, raise_case, attach):
    case, other = raise_case(), raise_case(title="Imports fail")
    made = attach(case)
    for action in ("", "/link"):
        assert client.get(path_of(other, made, action)).status_code == 404
    assert client.post(path_of(other, made, "/remove"), json={"reason": "x"}).status_code == 404


def test_a_removed_file_stays_as_a_tombstone_and_its_bytes_go(app, client, tenant, raise_case, attach):
    case = raise_case()
    made = attach(case)
    path = link_of(client, case, made)
    gone = client.post(path_of(case, made, "/remove"), json={"reason": "shows a password"})
    assert gone.status_code == 200
    assert (gone.json["state"], gone.json["reason"], gone.json["name"]) == ("removed", "shows a password", "screen.png")
    assert client.get(path_of(case)).json["items"] == [gone.json]
    assert client.get(path_of(case, made, "/link")).status_code == 410
    opened = ApiClient(app, None).get(path)
    assert (opened.status_code, opened.json["code"]) == (410, "content_gone")
    event = timeline(client, case)[-1]
    assert (event["kind"], event["texts"]["reason"]) == ("attachment_removed", "shows a password")
    jobs.scan_attachments()
    assert stored(tenant) == []
    assert client.post(path_of(case, made, "/remove"), json={"reason": "again"}).json == gone.json
    assert len([e for e in timeline(client, case) if e["kind"] == "attachment_removed"]) == 1
    assert attach(case)["state"] == "unscanned"  # the same bytes may come back, as a new file


def test_removed_bytes_stay_while_another_file_wants_them(client, tenant, raise_case, attach, app):
    first, second = raise_case(), raise_case(title="Imports fail")
    made, kept = attach(first), attach(second)
    client.post(path_of(first, made, "/remove"), json={"reason": "wrong case"})
    jobs.scan_attachments()
    assert stored(tenant) == [f"{tenant.id}/{made['sha256']}"]
    assert ApiClient(app, None).get(link_of(client, second, kept)).data == PNG


def test_a_file_is_removed_by_who_uploaded_it_who_works_on_the_case_and_admins(
    client, raise_case, attach, company, as_user, make_user
):
    helper, other = (as_user(make_user("specialist", f"{name}@example.com")) for name in ("helper", "other"))
    case = raise_case()
    for remover in (helper, as_user(company.owner), as_user(company.manager), client):
        made = attach(case, by=helper)
        refused = other.post(path_of(case, made, "/remove"), json={"reason": "x"})
        assert (refused.status_code, refused.json["code"]) == (403, "not_yours")
        assert remover.post(path_of(case, made, "/remove"), json={"reason": "x"}).status_code == 200
    blank = client.post(path_of(case, made, "/remove"), json={"reason": "  "})
    assert (blank.status_code, blank.json["errors"][0]["pointer"]) == (422, "/reason")


def test_a_merged_cases_files_are_the_survivors_with_their_origin(app, client, raise_case, attach):
    first, second = raise_case(), raise_case(title="Imports fail")
    made = attach(second)
    merged = client.post(f"/api/v1/escalations/{second['id']}/merge", json={"into_id": first["id"], "reason": "same"})
    assert merged.status_code == 200
    (item,) = client.get(path_of(first)).json["items"]
    assert (item["id"], item["escalation_id"], item["origin_id"]) == (made["id"], first["id"], second["id"])
    assert client.get(path_of(second)).json["items"] == [item]
    assert ApiClient(app, None).get(link_of(client, second, made)).data == PNG
    carried = [event for event in timeline(client, first) if event["kind"] == "attachment"]
    assert [(e["facts"]["origin"], e["texts"]["name"]) for e in carried] == [(second["id"], "screen.png")]
    assert attach(second, LOG, "late.log", "text/plain")["escalation_id"] == first["id"]


def test_an_erased_person_takes_what_they_uploaded_with_them(
    app, client, tenant, raise_case, attach, make_user, as_user
):
    nora = make_user("specialist", "nora@example.com", name="Nora Lind")
    case = raise_case()
    made = attach(case, by=as_user(nora))
    named = attach(case, LOG, "Nora Lind says.log", "text/plain")
    with transaction():
        kept = export(find_person("nora@example.com"))["tables"]["attachment"]
        assert sorted(row["name"] for row in kept) == ["Nora Lind says.log", "screen.png"]
        erase(find_person("nora@example.com"), clock.real_now())
    jobs.scan_attachments()
    items = {item["id"]: item for item in client.get(path_of(case)).json["items"]}
    assert (items[made["id"]]["state"], items[made["id"]]["name"]) == ("removed", "erased person")
    assert (items[named["id"]]["state"], items[named["id"]]["name"]) == ("unscanned", "erased person says.log")
    assert stored(tenant) == [f"{tenant.id}/{named['sha256']}"]
    texts = [event["texts"] for event in timeline(client, case) if event["kind"] == "attachment"]
    assert texts == [{"name": None}, {"name": None}]
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"]


def test_a_file_that_the_store_lost_is_said_to_be_missing(app, client, tenant, raise_case, attach):
    case = raise_case()
    made = attach(case)
    path = link_of(client, case, made)
    get_store().delete(key_of(bytes.fromhex(made["sha256"]), tenant.id))
    assert ApiClient(app, None).get(path).status_code == 404


def test_attaching_is_a_sign_of_work_when_the_owner_does_it(client, raise_case, attach, company, as_user):
    case = raise_case()
    owner = as_user(company.owner)
    assert owner.post(f"/api/v1/escalations/{case['id']}/acknowledge", json={}).status_code == 200
    attach(case, by=owner)
    clocks = client.get(f"/api/v1/escalations/{case['id']}").json["clocks"]
    assert max(c["cycle"] for c in clocks if c["kind"] == "still_on_it") == 2
