"""A file that goes with a mail: in the store while it may be sent, and removed afterwards."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app import clock
from app.db import db, new_id, transaction
from app.notifications import enclosures, service
from app.notifications.models import IntentFile
from app.rows import insert_all

PDF = b"%PDF-1.7 a report"


@pytest.fixture
def post(tenant, outbox, colleague):
    """A message with a file to a colleague; answers the intent and where the file lies."""

    def make(app):
        row = outbox.post(colleague, opens=("report", new_id()))
        with transaction():
            file = enclosures.enclose(row.id, place=row.id, name="a.pdf", media_type="application/pdf", content=PDF)
            insert_all([file])
        return row, Path(urlsplit(app.config["ATTACHMENTS_URL"]).path) / file.key

    return make


def forget(after=timedelta(0)):
    with transaction():
        enclosures.forget_old(clock.real_now() + after)
        return db.session.scalar(select(IntentFile.removed_at)) is not None


def test_a_file_is_sent_with_its_mail_and_removed_afterwards(app, post, outbox, receiver):
    _, path = post(app)
    assert (forget(), path.read_bytes()) == (False, PDF)
    assert outbox.deliver() == 1
    (enclosed,) = receiver.mails[0].iter_attachments()
    assert enclosed.get_content() == PDF
    assert "/reports/sent/" in receiver.mails[0].get_body(("plain",)).get_content()
    assert (forget(), path.exists()) == (True, False)


def test_a_dead_letter_keeps_its_file_a_month(app, post, outbox, receiver):
    receiver.on_data = lambda mail: "552 too large"
    row, path = post(app)
    outbox.deliver()
    assert outbox.read(row).state == "dead"
    assert (forget(timedelta(days=29)), path.exists()) == (False, True)
    assert (forget(timedelta(days=31)), path.exists()) == (True, False)
    with transaction():
        service.redeliver(row.id)
    outbox.deliver()
    again = outbox.read(row)
    assert (again.state, again.last_error) == ("dead", "The file that goes with it is no longer kept")
