"""How a panel is opened: a launch of one use, a short session, and nothing of either in a cookie."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app import clock
from app.auth import panel_sessions
from app.auth.models import PanelSession, Tenant, User
from app.db import db, transaction
from app.panels.shell import hashed_files
from tests.conftest import ApiClient

NOBODY = "01900000000070008000000000000000"


def begin(app, token, **more):
    return ApiClient(app, None).post("/panel/session", data={"launch": token, **more})


def is_open(app, token):
    return ApiClient(app, token).post("/panel/session/renew").status_code == 200


def test_a_launch_opens_one_session_for_ten_minutes_at_its_page(app, launch, make_user):
    token = launch(make_user(), path="/accounts/x", origin="https://crm.example", renewal="host")
    told = begin(app, token).json
    assert told["token"].startswith("fp_")
    assert (told["seconds"], told["renewal"], told["path"], told["origin"]) == (
        600,
        "host",
        "/accounts/x",
        "https://crm.example",
    )
    again = begin(app, token)
    assert (again.status_code, list(again.json)) == (401, ["detail"])


def test_a_launch_is_good_for_sixty_seconds(app, launch, make_user):
    user = make_user()
    just, late = (launch(user, now=clock.real_now() - timedelta(seconds=age)) for age in (55, 60))
    assert (begin(app, just).status_code, begin(app, late).status_code) == (200, 401)


@pytest.mark.parametrize("token", ["", "fl_", "nonsense", f"fl_{NOBODY}_x", f"fh_{NOBODY}_x", "fl_\x00_\x00"])
def test_what_is_no_launch_is_refused_alike(app, token):
    assert begin(app, token).status_code == 401


def test_another_tenants_launch_opens_only_that_tenant(app, launch, make_user, new_tenant):
    token = launch(make_user())
    other = new_tenant("Other")
    moved = token.replace(token.split("_")[1], other.id.hex)
    assert begin(app, moved).status_code == 401
    assert begin(app, token).status_code == 200


@pytest.mark.parametrize("change", [{"active": False}, {"role": "integration"}])
def test_who_is_no_colleague_any_more_is_not_let_in_and_is_put_out(app, tenant, launch, make_user, change):
    user = make_user()
    token, open_one = launch(user), begin(app, launch(user)).json["token"]
    with transaction():
        db.session.execute(update(User).where(User.id == user.id).values(**change))
    assert begin(app, token).status_code == 401
    if "active" in change:
        assert not is_open(app, open_one)


def test_renewing_gives_a_new_secret_and_the_former_opens_nothing(app, panel, make_user):
    someone = panel(make_user())
    told = someone.post("/session/renew").json
    assert told["seconds"] == 600
    assert not is_open(app, someone.token)
    assert is_open(app, told["token"])


def test_a_session_that_its_host_renews_does_not_renew_itself(panel, make_user):
    assert panel(make_user(), renewal="host").post("/session/renew").status_code == 401


def test_the_host_brings_a_new_launch_and_the_same_session_goes_on(app, launch, make_user):
    user = make_user()
    first = begin(app, launch(user, renewal="host")).json["token"]
    second = begin(app, launch(user, renewal="host"), former=first).json["token"]
    strangers = begin(app, launch(make_user()), former=second).json["token"]
    with transaction():
        assert len(db.session.scalars(select(PanelSession)).all()) == 2
    assert [is_open(app, token) for token in (first, strangers)] == [False, True]


def test_a_session_ends_after_ten_minutes_unless_renewed_and_for_good_after_eight_hours(app, panel, make_user):
    someone = panel(make_user())
    with transaction():
        now = clock.real_now()
        row = db.session.scalars(select(PanelSession)).one()
        assert timedelta(hours=7, minutes=59) < row.ends_at - now <= timedelta(hours=8)
        row.ends_at = now + timedelta(minutes=3)
    assert someone.post("/session/renew").status_code == 200
    with transaction():
        row = db.session.scalars(select(PanelSession)).one()
        assert row.expires_at == row.ends_at
        row.expires_at = clock.real_now() - timedelta(seconds=1)
    assert someone.post("/session/end").status_code == 401


def test_signing_out_ends_the_session(panel, make_user):
    someone = panel(make_user())
    assert (someone.post("/session/end").status_code, someone.post("/session/end").status_code) == (200, 401)


def test_what_is_over_is_forgotten_daily(app, tenant, launch, panel, make_user):
    user = make_user()
    launch(user)
    panel(user)
    with transaction():
        assert panel_sessions.forget_old(clock.real_now() + timedelta(seconds=61)) == 1
        assert panel_sessions.forget_old(clock.real_now() + timedelta(hours=8)) == 1


def test_no_answer_sets_a_cookie_and_every_one_may_be_read_by_an_opaque_origin(app, launch, make_user, panel):
    opaque = {"Origin": "null"}
    begun = ApiClient(app, None).post("/panel/session", data={"launch": launch(make_user())}, headers=opaque)
    asked = ApiClient(app, None).open(
        "OPTIONS", "/panel/session/renew", headers={**opaque, "Access-Control-Request-Headers": "authorization"}
    )
    refused = ApiClient(app, None).post("/panel/session/renew", headers=opaque)
    for answer in (begun, asked, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == "null"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    elsewhere = panel(make_user()).post("/session/renew", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def ancestors(answer):
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return next(part for part in parts if part.startswith("frame-ancestors")).split()[1:]


def test_only_the_tenants_own_origins_may_embed_the_panel(app, tenant):
    shell = f"/panel/t/{tenant.id}"
    assert ancestors(ApiClient(app, None).get(shell)) == ["'self'"]
    with transaction():
        row = db.session.get(Tenant, tenant.id)
        row.settings = {**row.settings, "embed_origins": ["https://acme.my.salesforce.com"]}
    answer = ApiClient(app, None).get(shell)
    assert ancestors(answer) == ["'self'", "https://acme.my.salesforce.com"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert ancestors(ApiClient(app, None).get(f"/panel/t/{uuid4()}")) == ["'none'"]


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        (["https://acme.lightning.force.com", "https://*.visual.force.com", "http://localhost:9000"], 200),
        (["http://acme.example"], 422),
        (["https://acme.example/path"], 422),
        (["https://acme.example; script-src *"], 422),
        (["*"], 422),
    ],
)
def test_origins_are_origins(client, origins, status):
    etag = client.get("/api/v1/settings").headers["ETag"]
    assert client.patch("/api/v1/settings", json={"embed_origins": origins}, if_match=etag).status_code == status


def test_scripts_and_styles_have_the_name_their_content_gave_them(app):
    browser = ApiClient(app, None)
    assert {name.split(".")[0] for name in hashed_files()} == {"htmx", "panel", "icon", "try", "zendesk"}
    for name in hashed_files():
        answer = browser.get(f"/panel/static/{name}", headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True)
    assert browser.get("/panel/static/panel.0123456789ab.js").status_code == 404
    assert browser.get("/panel/static/..%2Fshell.py").status_code in (401, 404)


def test_whoever_is_no_longer_vouched_for_is_put_out_at_once(app, tenant, panel, make_user):
    user, other = make_user(), make_user()
    gone, stays = panel(user), panel(other)
    with transaction():
        panel_sessions.end_of([user.id])
    assert [one.get("/mine").status_code for one in (gone, stays)] == [401, 200]
