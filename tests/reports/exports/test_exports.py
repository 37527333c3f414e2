"""Files that the worker makes: asked for, followed to the last row, fetched by their owner alone, gone in time."""

import csv
import io
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app import clock
from app.accounts import service as accounts
from app.auth import service as auth
from app.db import db, tenant_scope, transaction
from app.escalations.models import Escalation
from app.reports.exports import asking, making, service
from app.reports.exports.export_routes import MEDIA_TYPES
from app.reports.exports.making import make_exports, make_next
from app.reports.exports.models import ReportExport
from app.reports.exports.tidying import tidy_exports
from app.store import get_store
from tests.conftest import ApiClient, actor_of
from tests.escalations.story import march

EXPORTS = "/api/v1/reports/exports"
AT = {"as_of": march("6 12:00").isoformat()}
OPEN = {"report": "rows", "format": "csv", "arguments": {"figure": "open", **AT}}


@pytest.fixture
def boss(company, as_user):
    return as_user(company.boss)


@pytest.fixture
def start(boss):
    def ask(asked=OPEN, *, caller=boss):
        answer = caller.post(EXPORTS, json=asked)
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"] == f"{EXPORTS}/{answer.json['id']}"
        assert (answer.json["state"], answer.json["rows_done"]) == ("waiting", 0)
        return answer.json["id"]

    return ask


@pytest.fixture
def cases(story, fold):
    found = [story(f"{day} 10:00", title=f"Case of day {day}") for day in (2, 3, 4)]
    fold("20 10:00")
    return found


def get(boss, export_id):
    return boss.get(f"{EXPORTS}/{export_id}").json


def row(export_id):
    with transaction():
        return db.session.get_one(ReportExport, UUID(export_id))


def change(export_id, **values):
    with transaction():
        db.session.execute(update(ReportExport).where(ReportExport.id == UUID(export_id)).values(values))


def titles(answer):
    header, *lines = csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""))
    return [line[header.index("title")] for line in lines]


def test_a_file_is_asked_for_followed_and_fetched_by_its_owner_alone(
    cases, start, boss, company, make_user, as_user, new_tenant, tenant, app
):
    export_id = start()
    assert boss.get(f"{EXPORTS}/{export_id}/file").json["code"] == "not_ready"
    assert make_exports() >= 1
    found = get(boss, export_id)
    assert (found["state"], found["rows_done"], found["rows_total"], found["failure"]) == ("done", 3, 3, None)
    answer = boss.get(f"{EXPORTS}/{export_id}/file")
    assert titles(answer) == ["Case of day 2", "Case of day 3", "Case of day 4"]
    assert answer.headers["Content-Disposition"] == "attachment; filename=firsthand-rows-2026-03-06.csv"
    assert int(answer.headers["Content-Length"]) == len(answer.data) == found["size"]

    others = [as_user(make_user("executive")), as_user(tenant.admin)]
    elsewhere = new_tenant("Other")
    with tenant_scope(elsewhere.id), transaction():
        token = auth.create_token(elsewhere.admin, name="t", now=clock.real_now())[1]
    for other in (*others, ApiClient(app, token)):
        assert other.get(EXPORTS).json["items"] == []
        for path in (export_id, f"{export_id}/file"):
            assert other.get(f"{EXPORTS}/{path}").status_code == 404
        assert other.post(f"{EXPORTS}/{export_id}/cancel").status_code == 404
    nobody = as_user(make_user("csm"))
    assert nobody.post(EXPORTS, json=OPEN).status_code == 403
    assert [one["id"] for one in boss.get(EXPORTS).json["items"]] == [export_id]


@pytest.mark.parametrize(("form", "start_of_it"), [("xlsx", b"PK\x03\x04"), ("pdf", b"%PDF-")])
def test_each_form_is_made_of_the_summary_as_of_the_moment_that_was_asked(cases, start, boss, form, start_of_it):
    export_id = start({"report": "summary", "format": form, "arguments": {**AT, "language": "de", "paper": "letter"}})
    assert make_next()
    found = get(boss, export_id)
    assert (found["state"], found["as_of"], found["rows_total"]) == ("done", "2026-03-06T12:00:00Z", None)
    answer = boss.get(f"{EXPORTS}/{export_id}/file")
    assert answer.data.startswith(start_of_it)
    assert answer.headers["Content-Type"] == MEDIA_TYPES[form]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"report": "nonsense", "format": "csv"}, "/report"),
        ({"report": "rows", "format": "doc"}, "/format"),
        ({"report": "rows", "format": "csv"}, "/arguments/figure"),
        ({**OPEN, "arguments": {"figure": "open", "nonsense": 1}}, "/arguments/nonsense"),
        ({**OPEN, "arguments": {"figure": "open", "as_of": "2026-03-02T10:00:00"}}, "/arguments/as_of"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_when_it_is_asked(boss, fold, body, pointer):
    fold("20 10:00")
    answer = boss.post(EXPORTS, json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_tenants_files_are_capped_and_a_cancelled_one_makes_room(cases, start, boss):
    ids = [start() for _ in range(service.MOST_OF_ONE)]
    refused = boss.post(EXPORTS, json=OPEN)
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_exports")
    assert boss.post(f"{EXPORTS}/{ids[0]}/cancel").json["state"] == "cancelled"
    start()
    assert boss.get(f"{EXPORTS}/{ids[0]}/file").json["code"] == "file_gone"
    while make_next():
        pass
    assert [get(boss, one)["state"] for one in ids] == ["cancelled", "done", "done"]
    assert boss.post(f"{EXPORTS}/{ids[1]}/cancel").json["state"] == "done"


def test_one_cancelled_while_it_is_made_leaves_no_file(cases, start, boss, monkeypatch):
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    monkeypatch.setattr(making, "AT_ONCE", 1)
    export_id = start()
    writing = making._write_csv

    def cancel_meanwhile(file, table, seen):
        boss.post(f"{EXPORTS}/{export_id}/cancel")
        writing(file, table, seen)

    monkeypatch.setattr(making, "_write_csv", cancel_meanwhile)
    assert make_next()
    assert (get(boss, export_id)["state"], get(boss, export_id)["rows_done"]) == ("cancelled", 0)
    assert not get_store().has(_key(export_id))


def _key(export_id, number=None):
    with transaction():
        return service.key_of(db.session.get_one(ReportExport, UUID(export_id)), number)


class Killed(BaseException):
    """What a process that is killed leaves behind: nothing is tidied."""


def test_a_worker_killed_in_the_middle_leaves_nothing_half_made_and_the_next_begins_anew(
    cases, start, boss, monkeypatch
):
    export_id = start()
    with monkeypatch.context() as patched:
        patched.setattr(making, "_store", lambda file, key: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            make_next()
    assert (get(boss, export_id)["state"], get(boss, export_id)["rows_done"]) == ("running", 3)
    assert boss.get(f"{EXPORTS}/{export_id}/file").json["code"] == "not_ready"
    assert not make_next(), "while the lease holds, it is another's"
    change(export_id, leased_until=clock.real_now() - timedelta(seconds=1))
    assert make_next()
    assert (get(boss, export_id)["state"], row(export_id).tries) == ("done", 2)
    assert len(titles(boss.get(f"{EXPORTS}/{export_id}/file"))) == 3


def test_one_that_kills_every_worker_is_given_up(cases, start, boss):
    export_id = start()
    change(export_id, tries=making.MOST_TRIES)
    assert make_next()
    found = get(boss, export_id)
    assert (found["state"], found["failure"]) == ("failed", making.STOPPED)
    assert boss.get(f"{EXPORTS}/{export_id}/file").json["detail"] == making.STOPPED


def test_a_stop_in_the_middle_gives_it_back_at_once(cases, start, boss, monkeypatch):
    export_id = start()
    with monkeypatch.context() as patched:
        patched.setattr(making.queue, "is_stopping", lambda: True)
        make_next()
    assert (row(export_id).state, row(export_id).tries, row(export_id).leased_until) == ("running", 0, None)
    assert make_next()
    assert get(boss, export_id)["state"] == "done"


def test_a_refusal_while_it_is_made_is_told(cases, start, boss, monkeypatch):
    monkeypatch.setattr(making.pdf_files, "MOST_ROWS", 2)
    export_id = start({**OPEN, "format": "pdf"})
    assert make_next()
    assert get(boss, export_id)["failure"].startswith("Paper takes 2 rows")


def test_nobody_fetches_what_they_may_not_see_by_now(cases, start, boss, company, make_user, as_user):
    """The other executive asked before the case was restricted; who left reads nothing at all."""
    other = make_user("executive", "other@example.com")
    caller = as_user(other)
    export_id = start(caller=caller)
    assert make_next()
    assert caller.get(f"{EXPORTS}/{export_id}/file").status_code == 200
    with transaction():
        link = service.link_to(UUID(export_id), actor=actor_of(other), now=clock.now())
    path = urlsplit(link).path
    assert len(titles(ApiClient(boss.app, None).get(path))) == 3
    with transaction():
        db.session.execute(update(Escalation).where(Escalation.id == cases[0].id).values(restricted=True))
    refused = caller.get(f"{EXPORTS}/{export_id}/file")
    assert (refused.status_code, refused.json["code"]) == (409, "shows_hidden")
    assert ApiClient(boss.app, None).get(path).status_code == 409
    assert ApiClient(boss.app, None).get(path[:-2]).status_code == 404


def test_a_file_is_removed_when_it_expires_with_those_of_other_tries(cases, start, boss):
    export_id = start()
    change(export_id, tries=1)
    with get_store().writing(_key(export_id, 1)) as left:
        left.write(b"of a try that was stopped")
    assert make_next()
    keys = [_key(export_id, number) for number in (1, 2)]
    tidy_exports()
    assert all(map(get_store().has, keys))
    change(export_id, expires_at=clock.real_now() - timedelta(seconds=1))
    assert boss.get(f"{EXPORTS}/{export_id}/file").json["code"] == "file_gone"
    assert tidy_exports() >= 1
    assert not any(map(get_store().has, keys))
    assert get(boss, export_id)["state"] == "expired"
    change(export_id, asked_at=clock.real_now() - timedelta(days=31))
    another = start()
    change(another, state="cancelled", expires_at=clock.real_now() - timedelta(seconds=1))
    assert tidy_exports() >= 1
    with transaction():
        assert list(db.session.scalars(select(ReportExport.id))) == [UUID(another)]


def test_a_long_table_is_read_in_pages_as_of_one_moment(story, fold, start, boss, monkeypatch, statements):
    """Pages of two: five accounts take three; a case raised meanwhile is not in the file."""
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    for number in range(5):
        with transaction():
            made = accounts.upsert_account("crm", f"A{number}", {"name": f"A{number}"}, now=march("1 9:00")).record.id
        story("2 10:00", account_id=made)
    fold("5 10:00")
    export_id = start(
        {"report": "rows", "format": "csv", "arguments": {"figure": "accounts", "as_of": march("5 9:00").isoformat()}}
    )
    story("7 10:00")
    fold("20 10:00")
    with statements() as sent:
        assert make_next()
    pages = [one for one in sent if "ranked" in one and "counted" not in one]
    assert (len(pages), get(boss, export_id)["rows_done"]) == (3, 5)
