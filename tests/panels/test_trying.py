"""The panel without a CRM: only for whom the sample's address was signed."""

import re

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.panels.trying import DAYS, try_address
from tests import NOW
from tests.conftest import ApiClient


@pytest.fixture
def address(app, tenant):
    return try_address(tenant.id).removeprefix(app.config["BASE_URL"])


def test_the_page_names_people_and_accounts_of_its_tenant_alone(app, address, make_user, new_tenant):
    make_user(name="Ada Lovelace")
    make_user("integration", name="Helpdesk")
    with transaction():
        accounts.upsert_account("crm", "A-1", {"name": "Globex"}, now=NOW)
    other = new_tenant("Other")
    with transaction(tenant=other.id):
        accounts.upsert_account("crm", "A-1", {"name": "Hooli"}, now=NOW)
    said = ApiClient(app, None).get(address).text
    assert ("Ada Lovelace" in said, "Globex" in said) == (True, True)
    assert ("Helpdesk" in said, "Hooli" in said) == (False, False)


def test_choosing_somebody_opens_the_panel_as_them(app, address, make_user):
    user = make_user(name="Ada Lovelace")
    shell = ApiClient(app, None).post(address, data={"user": str(user.id), "beside": "window"}).text
    launch = re.search(r'data-launch="(fl_[^"]+)"', shell)[1]
    told = ApiClient(app, None).post("/panel/session", data={"launch": launch}).json
    assert (told["path"], told["renewal"]) == ("/mine", "self")


def test_beside_a_record_the_launch_stands_in_the_frames_fragment_and_the_host_brings_the_next(app, address, make_user):
    user = make_user()
    with transaction():
        account = accounts.upsert_account("crm", "A-1", {"name": "Globex"}, now=NOW).record
    form = {"user": str(user.id), "beside": "record", "account": str(account.id)}
    page = ApiClient(app, None).post(address, data=form).text
    launch = re.search(r"#t=(fl_[^\"]+)\"", page)[1]
    told = ApiClient(app, None).post("/panel/session", data={"launch": launch}).json
    assert (told["path"], told["renewal"]) == (f"/accounts/{account.id}", "host")
    next_one = ApiClient(app, None).post(f"{address}/launch", data={"user": str(user.id)}).json["token"]
    assert ApiClient(app, None).post("/panel/session", data={"launch": next_one}).status_code == 200


def test_an_address_that_we_did_not_sign_or_that_is_old_opens_nothing(app, address, monkeypatch):
    assert ApiClient(app, None).get(f"{address}x").status_code == 404
    monkeypatch.setattr("time.time", lambda: NOW.timestamp() + 10**9)
    assert ApiClient(app, None).get(address).status_code == 404
    assert DAYS == 7


@pytest.mark.parametrize("user", ["", "nobody", "01900000-0000-7000-8000-000000000000"])
def test_somebody_who_is_not_there_is_not_found(app, address, user):
    assert ApiClient(app, None).post(address, data={"user": user, "beside": "window"}).status_code == 404
