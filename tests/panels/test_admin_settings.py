"""Settings in words: changed through the form, refused with the field, both versions where two changed them."""

import re
from html import unescape

import pytest


@pytest.fixture
def admin(panel, tenant):
    return panel(tenant.admin)


def typed(page):
    """The form's fields as a browser would send them."""
    found = {}
    form = page.text.split("<form hx-post", 1)[1].split("</form>", 1)[0]
    for field in re.findall(r"<input[^>]*>", form):
        if 'type="checkbox"' in field and " checked" not in field:
            continue
        if name := re.search(r' name="([^"]+)"', field):
            value = re.search(r' value="([^"]*)"', field)
            found.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, value in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>([^<]*)<', form):
        found[name] = [unescape(value)]
    for name, inner in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', inner)
        found[name] = chosen or re.findall(r'value="([^"]*)"', inner)[:1]
    return found


def test_what_is_not_touched_stays_and_a_change_is_saved(admin, client, make_user, statements):
    deputy = make_user("manager")
    before = client.get("/api/v1/settings").json
    with statements() as sent:
        page = admin.get("/admin/settings")
    assert len(sent) <= 10
    assert "Calendar days from the raise. Usually 30." in page.text
    form = typed(page)
    assert admin.post("/admin/settings", form).status_code == 200
    assert client.get("/api/v1/settings").json == before
    form = typed(admin.get("/admin/settings"))
    form |= {"close_days": "21", "duty_deputy_email": deputy.email, "suggestion_confidence": "0.7",
             "approval.asked": ["false", "true"], "approval.approvers": f"{deputy.email}\n"}  # fmt: skip
    assert admin.post("/admin/settings", form).status_code == 200
    after = client.get("/api/v1/settings").json
    assert (after["close_days"], after["duty_deputy_email"], after["suggestion_confidence"]) == (21, deputy.email, 0.7)
    assert after["approval"] == {"asked": True, "approvers": [deputy.email]}
    form = typed(admin.get("/admin/settings"))
    form |= {"duty_deputy_email": "", "suggestion_confidence": "", "approval.approvers": ""}
    assert admin.post("/admin/settings", form).status_code == 200
    after = client.get("/api/v1/settings").json
    assert (after["duty_deputy_email"], after["suggestion_confidence"]) == (None, None)
    assert after["approval"] == {"asked": True, "approvers": []}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("close_days", "0", "close_days"),
        ("timezone", "Mars/Olympus", "timezone"),
        ("duty_deputy_email", "nobody@example.com", "duty_deputy_email"),
        ("priority_weights.value", "31", "priority_weights"),
        ("approval.approvers", "nobody", "approval.approvers.0"),
    ],
)
def test_what_is_refused_names_its_field(admin, field, value, named):
    refused = admin.post("/admin/settings", {**typed(admin.get("/admin/settings")), field: value})
    assert (refused.status_code, re.findall('data-field="([^"]+)"', refused.text)) == (422, [named])


def test_two_who_changed_settings_see_both_versions(admin, client):
    form = typed(admin.get("/admin/settings"))
    etag = client.get("/api/v1/settings").headers["ETag"]
    patch = {"close_days": 45, "priority_weights": {"value": 25, "severity": 30}}
    assert client.patch("/api/v1/settings", json=patch, if_match=etag).status_code == 200
    refused = admin.post("/admin/settings", {**form, "close_days": "20"})
    assert refused.status_code == 412
    both = re.findall(
        r'<th scope="row">([^<]+)</th><td class="words">([^<]*)</td><td class="words">([^<]*)<', refused.text
    )
    assert both == [("Close", "45", "20"), ("Value at stake", "25", "30"), ("Severity", "30", "25")]
    version = re.findall('data-version="([^"]+)"', refused.text)[0]
    assert admin.post("/admin/settings", {**form, "close_days": "20", "version": version}).status_code == 200
    assert client.get("/api/v1/settings").json["close_days"] == 20


def test_reasons_are_named_retired_added_and_taken_away(admin, client):
    form = typed(admin.get("/admin/settings/reasons"))
    form |= {"reasons": ["data_loss"], "reason_details.billing.retired": ["false", "true"],
             "reason_details.security.preventable_by_default": "true"}  # fmt: skip
    assert admin.post("/admin/settings/reasons", form).status_code == 200
    details = client.get("/api/v1/settings").json["reason_details"]
    assert details == {"billing": {"retired": True}, "security": {"preventable_by_default": True}}
    form = typed(admin.get("/admin/settings/reasons"))
    assert form["reasons"] == ["data_loss", ""]
    form |= {"reason_details.data_loss.label": "Loss of data"}
    assert admin.post("/admin/settings/reasons", form).status_code == 200
    assert "Loss of data" in [one["label"] for one in client.get("/api/v1/reasons").json["items"]]
    form = typed(admin.get("/admin/settings/reasons"))
    assert admin.post("/admin/settings/reasons", {**form, "reasons": ["", ""]}).status_code == 200
    assert "data_loss" not in [one["name"] for one in client.get("/api/v1/reasons").json["items"]]
    form = typed(admin.get("/admin/settings/reasons"))
    refused = admin.post("/admin/settings/reasons", {**form, "reasons": ["Data Loss"]})
    assert (refused.status_code, 'data-field="reasons.0"' in refused.text) == (422, True)


def test_only_admins_change_settings(panel, make_user):
    someone = panel(make_user("manager"))
    assert someone.get("/admin/settings").status_code == 403
    assert someone.post("/admin/settings", {"version": 1}).status_code == 403
