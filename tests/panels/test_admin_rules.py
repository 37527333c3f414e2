"""The policy as a form: rows added and moved by the server, saved as a draft, refused with the field, published."""

import json
import re
from html import unescape

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.routing import rule_form, rule_moves, rule_words
from tests import NOW
from tests.routing.conftest import publish
from tests.routing.past import raised

__all__ = ["publish"]

OWNER = {"kind": "role", "role": "owner"}
REST = {"name": "rest", "when": {"all": []}, "target": OWNER}
SEVERE = {
    "name": "severe",
    "when": {"all": [
        {"field": "escalation.severity", "op": "<=", "value": 2},
        {"any": [{"field": "account.region", "op": "in", "value": ["EMEA", "APAC"]},
                 {"not": {"field": "account.health", "op": "is_set", "value": True}}]},
        {"not": {"any": [{"field": "value.amount", "op": "<", "value": "1000.50"},
                         {"field": "escalation.restricted", "op": "=", "value": True}]}},
        {"not": {"all": [{"field": "value.renewal_on", "op": "within_days", "value": 30},
                         {"field": "escalation.raised_by_kind", "op": "!=", "value": "system"}]}},
    ]},
    "target": {"kind": "role", "role": "csm"},
    "fallback": {"kind": "previous_owner"},
    "required_skills": [{"skill": "German", "level": 3}],
}  # fmt: skip


@pytest.fixture
def admin(panel, tenant):
    return panel(tenant.admin)


def typed(page):
    """The fields of the rules' form, as a browser would send them."""
    form = page.text.split('<form class="rule-form"', 1)[1].split("</form>", 1)[0]
    found = {}
    for name, value in re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', form):
        found.setdefault(unescape(name), []).append(unescape(value))
    for name, value in re.findall(r'<textarea[^>]*?name="([^"]+)"[^>]*>([^<]*)</textarea>', form):
        found[unescape(name)] = [unescape(value)]
    for name, inner in re.findall(r'<select[^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        options = list(re.finditer(r'<option(?: value="([^"]*)")?( selected)?>([^<]*)<', inner))
        chosen = [one for one in options if one[2]] or options[:1]
        found[name] = [unescape(one[3] if one[1] is None else one[1]) for one in chosen]
    return found


def done(admin, form, wish):
    answer = admin.post("/admin/rules/shape", {**form, "do": wish})
    assert answer.status_code == 200, answer.text
    return answer


def test_a_rule_read_into_the_form_and_written_again_means_the_same():
    form = [rule_form.opened(SEVERE, {}), rule_form.opened(REST, {})]
    assert rule_form.write(form)[0] == [SEVERE, REST]


def test_places_of_a_rule_are_the_forms_fields():
    """Of a group within "none of these" the pointer goes through `not` and `any`, the field by its number alone."""
    _, places = rule_form.write([rule_form.opened(SEVERE, {})])
    assert places["/rules/0/when/all/1/any/0/value"] == "rules.0.when.of.1.of.0.value"
    assert places["/rules/0/when/all/2/not/any/1/op"] == "rules.0.when.of.2.of.1.op"
    assert places["/rules/0/target/role"] == "rules.0.target.role"


def test_rules_are_said_in_words():
    names = rule_words.Names()
    assert rule_words.condition(REST) == "Every case"
    assert rule_words.condition(SEVERE) == (
        "severity is at most 2 and (region is one of EMEA, APAC or (not (health is known))) and "
        "(not (value at stake is below 1000.50 or restricted: yes)) and "
        "(not (renewal is within 30 days and who raised it is not system))"
    )
    assert rule_words.wanted(SEVERE, names) == (
        "The account's CSM; else: Who owned their last one with this reason; needs German from level 3"
    )


def test_whoever_takes_a_row_away_goes_on_at_the_button_beside_it():
    form = [rule_form.opened(SEVERE, {})]
    assert rule_moves.do(form, "drop 0.when.of.1.of.0", {}) == "leaf 0.when.of.1"
    assert rule_moves.do(form, "drop 0.required_skills.0", {}) == "skill 0.required_skills"
    assert rule_moves.do([rule_form.opened(REST, {}), *form], "down 0", {}) == "down 1"


def test_a_form_that_points_to_nothing_is_told_so():
    with pytest.raises(rule_form.Unreadable):
        rule_moves.do([rule_form.opened(REST, {})], "drop 0.when.of.7", {})
    with pytest.raises(rule_form.Unreadable):
        rule_form.read({"0": {"closed": ["{"]}})


def test_a_rule_is_made_in_the_form_moved_and_saved_as_a_draft(admin, client):
    form = typed(admin.get("/admin/rules"))
    form = typed(done(admin, form, "add"))
    form |= {"rules.0.name": "severe ones", "rules.0.when.of.0.field": "escalation.severity"}
    form = typed(done(admin, form, ""))
    form |= {"rules.0.when.of.0.op": "<=", "rules.0.when.of.0.value": "2", "rules.0.target.role": "csm"}
    form = typed(done(admin, form, "group 0.when"))
    form["rules.0.when.of.1.of.0.field"] = "account.region"
    form = typed(done(admin, form, ""))
    form |= {"rules.0.when.of.1.of.0.op": "in"}
    form = typed(done(admin, form, ""))
    form |= {"rules.0.when.of.1.of.0.value": "EMEA\nAPAC", "weights.rest": "7.5"}
    answer = admin.post("/admin/rules", form)
    assert answer.status_code == 200, answer.text
    draft = client.get("/api/v1/routing/policy").json["draft"]
    assert draft["weights"] == {"rest": 7.5}
    assert draft["rules"][0] == {
        "name": "severe ones",
        "when": {"all": [
            {"field": "escalation.severity", "op": "<=", "value": 2},
            {"any": [{"field": "account.region", "op": "in", "value": ["EMEA", "APAC"]}]},
        ]},
        "target": {"kind": "role", "role": "csm"},
    }  # fmt: skip
    assert len(draft["rules"]) == 2
    assert "severity is at most 2 and (region is one of EMEA, APAC)" in admin.get("/admin/rules").text


def test_rules_move_fold_and_go(admin, publish):
    publish([SEVERE | {"required_skills": []}, {**REST, "name": "second"}, REST])
    form = typed(admin.get("/admin/rules"))
    form = typed(done(admin, form, "down 0"))
    assert [json.loads(form[f"rules.{n}.closed"][0])["name"] for n in range(3)] == ["second", "severe", "rest"]
    form = typed(done(admin, form, "open 1"))
    assert form["rules.1.when.of.1.of.0.value"] == ["EMEA\nAPAC"]
    form = typed(done(admin, form, "drop 1.when.of.1"))
    form = typed(done(admin, form, "close 1"))
    assert len(json.loads(form["rules.1.closed"][0])["when"]["all"]) == 3
    form = typed(done(admin, form, "drop 0"))
    assert [json.loads(form[f"rules.{n}.closed"][0])["name"] for n in range(2)] == ["severe", "rest"]
    stale = admin.post("/admin/rules/shape", {**form, "do": "drop 9"})
    assert (stale.status_code, "read the page again" in stale.text) == (422, True)


def test_what_is_refused_names_the_field_and_the_rule(admin):
    form = typed(done(admin, typed(admin.get("/admin/rules")), "add"))
    form |= {"rules.0.name": "odd", "rules.0.when.of.0.field": "escalation.severity", "rules.0.target.kind": "user"}
    form = typed(done(admin, form, ""))
    form |= {"rules.0.when.of.0.value": "many", "rules.0.target.email": "nobody@example.com"}
    refused = admin.post("/admin/rules", form)
    assert refused.status_code == 422
    assert set(re.findall('data-field="([^"]+)"', refused.text)) == {
        "rules.0.when.of.0.value", "rules.0.target.email"
    }  # fmt: skip
    assert "Rule 1 “odd”: a number" in refused.text
    told = admin.post("/admin/rules/check", form).text
    assert "2 faults keep it from being saved" in re.sub(r"\s+", " ", told) or "3 faults" in told


def test_a_draft_saved_meanwhile_is_shown_beside(admin, client, make_user):
    form = typed(done(admin, typed(admin.get("/admin/rules")), "open 0"))
    rules = [{"name": "account owner, else duty owner", "when": {"all": []}, "target": {"kind": "role", "role": "csm"}}]
    assert client.put("/api/v1/routing/policy", json={"rules": rules}, if_match="*").status_code == 200
    form["rules.0.target.role"] = "sponsor"
    refused = admin.post("/admin/rules", form)
    assert refused.status_code == 412
    assert "saved version 2" in refused.text
    assert "1. Every case: The account&#39;s CSM" in refused.text
    assert "1. Every case: The account&#39;s executive sponsor" in refused.text
    again = admin.post("/admin/rules", {**form, "version": re.findall('data-version="([0-9]+)"', refused.text)[0]})
    assert again.status_code == 200
    assert client.get("/api/v1/routing/policy").json["draft"]["rules"][0]["target"]["role"] == "sponsor"


def test_experts_write_text_and_a_slip_is_told_with_its_line(admin, client):
    version = typed_version(admin.get("/admin/rules/text"))
    refused = admin.post("/admin/rules", {"version": version, "text": '{"rules": [\n{,]}'})
    assert (refused.status_code, 'data-field="text"' in refused.text, "line 2" in refused.text) == (422, True, True)
    text = json.dumps({"rules": [{**REST, "name": "by text"}], "weights": {}})
    assert admin.post("/admin/rules", {"version": version, "text": text}).status_code == 200
    assert client.get("/api/v1/routing/policy").json["draft"]["rules"][0]["name"] == "by text"


def typed_version(page):
    return re.findall(r'name="version" value="(\d+)"', page.text)[0]


def test_publishing_what_leaves_cases_without_an_owner_asks_for_a_reason(admin, client, make_user):
    owner = make_user()
    with transaction():
        accounts.upsert_account("crm", "A1", {"name": "Acme", "owner_email": owner.email}, now=NOW)
    case = raised(client)
    rules = [{"name": "csm", "when": {"all": []}, "target": {"kind": "role", "role": "csm"}}]
    number = client.put("/api/v1/routing/policy", json={"rules": rules}, if_match="*").json["draft"]["number"]
    shown = admin.get(f"/admin/rules/versions/{number}")
    assert "1. Every case: The account&#39;s CSM" in shown.text
    form = {"number": number, "version": typed_version(shown)}
    refused = admin.post("/admin/rules/publish", form)
    assert refused.status_code == 409
    assert 'data-field="reason"' in refused.text
    assert case["number"] in refused.text
    assert admin.post("/admin/rules/publish", {**form, "reason": "CSMs start on Monday"}).status_code == 200
    history = admin.get("/admin/rules/versions").text
    assert "CSMs start on Monday" in history
    back = admin.get("/admin/rules/versions/1")
    assert "Roll back to version 1" in back.text
    form = {"number": 1, "version": typed_version(back)}
    assert admin.post("/admin/rules/publish", form).status_code == 200
    assert client.get("/api/v1/routing/policy").json["current"]["number"] == 1


def test_who_may_only_read_gets_no_form_and_others_nothing(panel, make_user):
    manager = panel(make_user("manager"))
    told = manager.get("/admin/rules")
    assert (told.status_code, "<form" in told.text) == (200, False)
    assert manager.post("/admin/rules", {"version": 1}).status_code == 403
    assert panel(make_user("csm")).get("/admin/rules").status_code == 403


def test_pages_of_rules_are_read_in_few_statements(admin, publish, statements):
    publish([SEVERE | {"required_skills": []}, REST])
    for path in ("/admin/rules", "/admin/rules/text", "/admin/rules/versions", "/admin/rules/versions/1"):
        with statements() as sent:
            assert admin.get(path).status_code == 200
        assert len(sent) <= 10, (path, len(sent))
