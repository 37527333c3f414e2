"""Imports from the panel: tried, done, refused rows by line, how far one is."""

import gzip
import io
import re

import pytest
from sqlalchemy import select

from app import clock
from app.accounts.models import Account
from app.db import db, transaction
from app.operations.models import Import

ROWS = "external_id,name,health\nA1,Acme,50\nA2,Bolt,many\nA3,,10\n"


@pytest.fixture
def admin(panel, tenant):
    return panel(tenant.admin)


def send(admin, text=ROWS, name="accounts.csv", **form):
    content = text if isinstance(text, bytes) else text.encode()
    form = {"kind": "accounts", "file": (io.BytesIO(content), name), **form}
    return admin.post("/admin/imports", form, content_type="multipart/form-data")


def counts(answer):
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", answer.text))


def names():
    with transaction():
        return db.session.scalars(select(Account.name).order_by(Account.name)).all()


def test_a_try_tells_of_every_row_and_writes_nothing(admin):
    told = send(admin, dry_run="true")
    assert told.status_code == 200, told.text
    assert counts(told) == {"Rows": "3", "New": "1", "Changed": "0", "The same as before": "0",
                            "Older than ours": "0", "Refused": "2"}  # fmt: skip
    assert "Line 3</strong> · health: expected a whole number" in told.text
    assert names() == []
    assert "Nothing imported yet" in admin.get("/admin/imports").text


def test_good_rows_land_and_bad_ones_stand_with_line_and_reason(admin, statements):
    done = send(admin)
    path = re.findall(r'"path": ?"([^"]+)"', done.headers["HX-Trigger"])[0]
    assert names() == ["Acme"]
    with statements() as sent:
        told = admin.get(path)
    assert len(sent) <= 10
    assert (counts(told)["New"], counts(told)["Refused"]) == ("1", "2")
    assert "Line 4</strong> · name" in told.text
    assert "line,field,reason\n3,health,expected a whole number\n4,name," in admin.get(f"{path}/rows").text
    assert "2 refused" in admin.get("/admin/imports").text
    again = send(admin)
    assert again.status_code == 200


def test_lines_of_json_in_a_gzip_file_are_taken(admin):
    content = gzip.compress(b'{"external_id": "J1", "name": "Json"}\n')
    assert send(admin, content, "accounts.ndjson.gz").status_code == 200
    assert names() == ["Json"]


def test_what_cannot_be_an_import_is_refused_before_a_row_is_read(admin, app, monkeypatch):
    assert 'data-field="file"' in admin.post("/admin/imports", {"kind": "accounts"}).text
    assert 'data-field="kind"' in send(admin, kind="cats").text
    wrong = send(admin, "external_id,nome\nA1,Acme\n")
    assert (wrong.status_code, "unknown column" in wrong.text) == (422, True)
    monkeypatch.setitem(app.config, "MAX_IMPORT_BYTES", 20)
    large = send(admin)
    assert (large.status_code, "at most 20 bytes" in large.text) == (413, True)
    assert names() == []


def test_one_that_runs_shows_how_far_it_is_until_it_ends(admin, tenant):
    with transaction():
        now = clock.real_now()
        row = Import(kind="accounts", actor_id=tenant.admin.id, total=2000, created=1990, started_at=now, beat_at=now)
        db.session.add(row)
        db.session.flush()
        id_ = row.id
    told = admin.get(f"/admin/imports/{id_}")
    assert (counts(told)["Rows"], 'hx-trigger="every 2s"' in told.text) == ("2000", True)
    assert 'hx-trigger="every 2s"' in admin.get("/admin/imports/list").text
    assert counts(admin.get(f"/admin/imports/{id_}/progress"))["New"] == "1990"
    with transaction():
        ended = db.session.get(Import, id_)
        ended.state, ended.ended_at = "done", clock.real_now()
    assert "fh-go" in admin.get(f"/admin/imports/{id_}/progress").headers["HX-Trigger"]


def test_only_admins_import(panel, make_user):
    someone = panel(make_user("manager"))
    assert someone.get("/admin/imports").status_code == 403
    assert send(someone).status_code == 403
