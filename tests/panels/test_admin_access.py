"""Admin pages about ways in: API tokens, whose pages may show ours, and the identity provider."""

import re

import pytest

from tests.conftest import ApiClient
from tests.panels.test_admin_people import admin, goes_to, refused_at, version_in

__all__ = ["admin"]

PAGES = ("/admin/tokens", "/admin/tokens/new", "/admin/embedding", "/admin/sign-in", "/admin/crm")


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_for_admins_only_in_few_statements(path, admin, panel, make_user, statements):
    assert panel(make_user("manager")).get(path).status_code == 403
    with statements() as sent:
        assert admin.get(path).status_code == 200
    assert len(sent) <= 6, sent


def test_a_token_is_shown_once_works_as_far_as_it_goes_and_is_revoked(admin, app, make_user):
    form = {"name": "Nightly", "expires_at": "2040-01-01T00:00", "scopes": ["users:read"], "user_email": ""}
    made = admin.post("/admin/tokens", form, key="once")
    plain = re.search(r'<input id="token" value="([^"]*)" readonly>', made.text)[1]
    assert plain not in admin.post("/admin/tokens", form, key="once").text
    program = ApiClient(app, plain)
    assert program.get("/api/v1/users").status_code == 200
    assert program.get("/api/v1/accounts").status_code == 403
    listed = admin.get("/admin/tokens").text
    assert "Nightly" in listed
    assert plain not in listed
    path = re.search(r'hx-post="/panel(/admin/tokens/[^"]*/revoke)"', listed)[1]
    assert admin.post(path).status_code == 200
    assert program.get("/api/v1/users").status_code == 401


def test_a_token_of_somebody_else_stands_among_everybodys(admin, make_user):
    other = make_user("manager", "max@example.com")
    admin.post("/admin/tokens", {"name": "Report", "user_email": other.email})
    assert ">Report<" not in admin.get("/admin/tokens").text
    assert "max@example.com" in admin.get("/admin/tokens?of=all").text


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"user_email": "nobody@example.com"}, "user_email"),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
        ({"scopes": ["users:delete"]}, "scopes.0"),
    ],
)
def test_a_token_that_cannot_be_is_refused_by_field(form, named, admin):
    assert refused_at(admin.post("/admin/tokens", {"name": "Report", **form})) == (422, [named])


def test_pages_that_may_show_ours_are_written_a_line_each(admin, client):
    version = version_in(admin.get("/admin/embedding"))
    form = {"version": version, "embed_origins": "https://a.example.com\r\n\r\nhttps://*.example.org\r\n"}
    goes_to(admin.post("/admin/embedding", {**form, "embed_match_email": "false"}))
    settings = client.get("/api/v1/settings").json
    assert settings["embed_origins"] == ["https://a.example.com", "https://*.example.org"]
    assert settings["embed_match_email"] is False
    stale = admin.post("/admin/embedding", {**form, "embed_origins": "", "embed_match_email": "true"})
    assert stale.status_code == 412
    assert "https://a.example.com\nhttps://*.example.org" in stale.text
    newer = version_in(admin.get("/admin/embedding"))
    wrong = {"version": newer, "embed_origins": "https://a.example.com/path", "embed_match_email": "true"}
    assert refused_at(admin.post("/admin/embedding", wrong)) == (422, ["embed_origins.0"])
    goes_to(admin.post("/admin/embedding", {**wrong, "embed_origins": ""}))
    assert client.get("/api/v1/settings").json["embed_origins"] == []


def test_a_provider_is_entered_changed_and_removed_and_its_secret_never_shown(admin, client, make_user):
    form = {"issuer": "https://login.example.com", "client_id": "fh", "client_secret": "s3cret-s3cret"}
    form |= {"match_email": "true", "vouched_by": "email_verified", "required_claims": "hd=example.com\n"}
    goes_to(admin.post("/admin/sign-in", {**form, "version": "0"}))
    made = client.get("/api/v1/identity-provider").json
    assert (made["issuer"], made["has_secret"], made["required_claims"]) == (
        *(form["issuer"], True),
        {"hd": "example.com"},
    )
    shown = admin.get("/admin/sign-in")
    assert "s3cret" not in shown.text
    assert made["sign_in_url"] in shown.text
    kept = {**form, "client_secret": "", "client_id": "other", "version": version_in(shown)}
    goes_to(admin.post("/admin/sign-in", kept))
    assert client.get("/api/v1/identity-provider").json["has_secret"] is True
    assert admin.post("/admin/sign-in", kept).status_code == 412
    newer = version_in(admin.get("/admin/sign-in"))
    assert refused_at(admin.post("/admin/sign-in", {**kept, "version": newer, "required_claims": "hd"})) == (
        *(422, ["required_claims"]),
    )
    user = make_user()
    goes_to(admin.post("/admin/sign-in/identities", {"subject": "abc", "user_email": user.email}))
    assert user.email in admin.get("/admin/sign-in").text
    goes_to(admin.post("/admin/sign-in/remove", {"version": newer}))
    assert client.get("/api/v1/identity-provider").status_code == 404


def test_a_crm_is_connected_changed_and_disconnected_and_an_admin_says_who_its_users_are(admin, client, make_user):
    form = {"kind": "hubspot", "name": "Our portal", "external_key": "62515", "secret": "hub-secret-9", "origins": ""}
    assert refused_at(admin.post("/admin/crm", {**form, "external_key": "x"})) == (422, ["external_key"])
    path = goes_to(admin.post("/admin/crm", form))
    api = f"/api/v1/embed-installations/{path.rpartition('/')[2]}"
    made = client.get(api).json
    shown = admin.get(path)
    assert made["address"] in shown.text
    assert "hub-secret-9" not in shown.text
    version = version_in(shown)
    change = {"version": version, "name": "The portal", "secret": "", "origins": "https://app.hubspot.com"}
    goes_to(admin.post(path, change))
    assert client.get(api).json["origins"] == ["https://app.hubspot.com"]
    stale = admin.post(path, {**change, "name": "Another"})
    assert stale.status_code == 412
    assert "The portal</td>" in stale.text
    user = make_user()
    goes_to(admin.post(f"{path}/identities", {"external_id": "77", "user_email": user.email}))
    assert user.email in admin.get(path).text
    goes_to(admin.post(f"{path}/identities/forget", {"external_id": "77"}))
    assert client.get(f"{api}/identities").json["items"] == []
    goes_to(admin.post(f"{path}/disconnect", {"version": version_in(admin.get(path))}))
    assert client.get(api).status_code == 404
