"""PATCH of SCIM as a pure rule: what each operation makes of a resource, in the standard's words and in dialects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AppError
from app.integrations.scim import bodies, patches
from app.integrations.scim.attributes import ENTERPRISE, GROUP, USER
from app.integrations.scim.errors import Immutable, InvalidPath, InvalidSyntax, InvalidValue, NoTarget
from app.integrations.scim.wishes import read_wish

BEFORE: dict[str, Any] = {
    "id": "1",
    "userName": "bea@example.com",
    "name": {"formatted": "Bea Berg", "givenName": "Bea", "familyName": "Berg"},
    "displayName": "Bea Berg",
    "title": "Guide",
    "active": True,
    "emails": [{"value": "bea@example.com", "type": "work", "primary": True}],
    "roles": [{"value": "csm"}],
    ENTERPRISE: {"manager": {"value": "9", "displayName": "Boss"}},
}
SEVEN = {ENTERPRISE: {"manager": {"value": "7", "displayName": "Boss"}}}
TEAM: dict[str, Any] = {"displayName": "Support", "members": [{"value": str(n), "type": "User"} for n in (1, 2, 3)]}


def patched(kind, before, *operations):
    return patches.apply(kind, before, {"schemas": [patches.SCHEMA], "Operations": list(operations)})


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "replace", "path": "title", "value": "Lead"}, {"title": "Lead"}),
        ({"op": "Replace", "path": "TITLE", "value": "Lead"}, {"title": "Lead"}),
        ({"op": "add", "path": f"{USER.urn}:title", "value": "Lead"}, {"title": "Lead"}),
        ({"op": "remove", "path": "title"}, {"title": None}),
        ({"op": "replace", "path": "title", "value": ""}, {"title": None}),
        ({"op": "replace", "value": {"title": "Lead", "active": False}}, {"title": "Lead", "active": False}),
        ({"op": "replace", "path": "active", "value": "False"}, {"active": False}),
        ({"op": "Add", "path": "active", "value": "true"}, {"active": True}),
        ({"op": "replace", "value": {"active": "False"}}, {"active": False}),
        (
            {"op": "replace", "path": "name.familyName", "value": "Bo"},
            {"name": {"formatted": "Bea Berg", "givenName": "Bea", "familyName": "Bo"}},
        ),
        (
            {"op": "replace", "value": {"name.familyName": "Bo"}},
            {"name": {"formatted": "Bea Berg", "givenName": "Bea", "familyName": "Bo"}},
        ),
        (
            {"op": "replace", "path": "name", "value": {"familyName": "Bo", "middleName": "X"}},
            {"name": {"formatted": "Bea Berg", "givenName": "Bea", "familyName": "Bo"}},
        ),
        (
            {"op": "remove", "path": "name.givenName"},
            {"name": {"formatted": "Bea Berg", "givenName": None, "familyName": "Berg"}},
        ),
        ({"op": "add", "path": "roles", "value": ["admin"]}, {"roles": [{"value": "csm"}, {"value": "admin"}]}),
        ({"op": "add", "path": "roles", "value": {"value": "csm"}}, {"roles": [{"value": "csm"}]}),
        ({"op": "replace", "path": "roles", "value": "manager"}, {"roles": [{"value": "manager"}]}),
        ({"op": "remove", "path": "roles"}, {"roles": []}),
        ({"op": "remove", "path": 'roles[value eq "CSM"]'}, {"roles": []}),
        ({"op": "remove", "path": 'roles[value eq "admin"]'}, {"roles": [{"value": "csm"}]}),
        ({"op": "replace", "path": 'roles[value eq "csm"].value', "value": "admin"}, {"roles": [{"value": "admin"}]}),
        (
            {"op": "replace", "path": 'roles[value eq "csm"]', "value": {"primary": True}},
            {"roles": [{"value": "csm", "primary": True}]},
        ),
        (
            {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "manager"},
            {"roles": [{"value": "csm"}, {"primary": True, "value": "manager"}]},
        ),
        ({"op": "replace", "path": f"{ENTERPRISE}:manager", "value": "7"}, SEVEN),
        ({"op": "replace", "path": "manager.value", "value": "7"}, SEVEN),
        ({"op": "add", "path": ENTERPRISE, "value": {"manager": {"value": "7"}}}, SEVEN),
        ({"op": "add", "value": {ENTERPRISE: {"manager": "7", "department": "x"}}}, SEVEN),
        ({"op": "add", "value": {f"{ENTERPRISE}:manager": "7"}}, SEVEN),
        ({"op": "replace", "path": f"{ENTERPRISE}:manager", "value": ""}, {ENTERPRISE: {"manager": None}}),
        ({"op": "remove", "path": f"{ENTERPRISE}:manager"}, {ENTERPRISE: {"manager": None}}),
        # Kept by nobody here: passed over, with or without a path.
        ({"op": "add", "path": "nickName", "value": "B"}, {}),
        ({"op": "add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"}, {}),
        ({"op": "replace", "path": "name.middleName", "value": "X"}, {}),
        ({"op": "add", "path": f"{ENTERPRISE}:department", "value": "x"}, {}),
        ({"op": "add", "path": "urn:example:2.0:Own:thing", "value": "x"}, {}),
        ({"op": "replace", "value": {"shoeSize": 40, "password": "x", "urn:example:2.0:Own": {"a": 1}}}, {}),
        # Ours to set, along with other things.
        ({"op": "replace", "value": {"id": "1", "meta": {}, "groups": [], "title": "Lead"}}, {"title": "Lead"}),
    ],
)  # fmt: skip
def test_an_operation_on_a_user(operation, changed):
    assert patched(USER, BEFORE, operation) == {**BEFORE, **changed}


@pytest.mark.parametrize(
    ("operations", "members"),
    [
        ([{"op": "add", "path": "members", "value": [{"value": "4"}, {"value": "1"}]}], "2 3 4 1"),
        ([{"op": "add", "path": "members", "value": {"value": "4"}}], "1 2 3 4"),
        ([{"op": "add", "path": "members", "value": "4"}], "1 2 3 4"),
        ([{"op": "add", "value": {"members": [{"value": "4", "display": "D"}]}}], "1 2 3 4"),
        ([{"op": "replace", "path": "members", "value": [{"value": "4"}]}], "4"),
        ([{"op": "replace", "value": {"displayName": "Desk"}}], "1 2 3"),
        ([{"op": "replace", "path": "displayName", "value": "Desk"}], "1 2 3"),
        ([{"op": "remove", "path": "members"}], ""),
        ([{"op": "Remove", "path": "members", "value": [{"value": "2", "$ref": None}]}], "1 3"),
        ([{"op": "remove", "path": "members", "value": []}], "1 2 3"),
        ([{"op": "remove", "path": 'members[value eq "2"]'}], "1 3"),
        ([{"op": "remove", "path": 'members[value eq "2" or value eq "3"]'}], "1"),
        ([{"op": "remove", "path": 'members[value eq "9"]'}], "1 2 3"),
        ([{"op": "remove", "path": 'members[not (value eq "1")]'}], "1"),
        (
            [
                {"op": "remove", "path": 'members[value eq "1"]'},
                {"op": "add", "path": "members", "value": [{"value": "1"}]},
                {"op": "remove", "path": 'members[value eq "3"]'},
            ],
            "2 1",
        ),
    ],
)
def test_operations_on_members(operations, members):
    after = patched(GROUP, TEAM, *operations)
    assert [member["value"] for member in after["members"]] == members.split()


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, InvalidSyntax),
        ({"Operations": []}, InvalidSyntax),
        ({"Operations": {}}, InvalidSyntax),
        ({"Operations": [{"op": "remove", "path": "title"}] * 1_001}, InvalidValue),
        ({"Operations": ["add"]}, InvalidSyntax),
        ({"Operations": [{"path": "title", "value": "x"}]}, InvalidSyntax),
        ({"Operations": [{"op": "move", "path": "title", "value": "x"}]}, InvalidSyntax),
        ({"schemas": [USER.urn], "Operations": [{"op": "remove", "path": "title"}]}, InvalidSyntax),
        ({"Operations": [{"op": "remove"}]}, NoTarget),
        ({"Operations": [{"op": "add", "path": "title"}]}, InvalidValue),
        ({"Operations": [{"op": "add", "value": "x"}]}, InvalidValue),
        ({"Operations": [{"op": "add", "path": 7, "value": "x"}]}, InvalidPath),
        ({"Operations": [{"op": "add", "path": "shoeSize", "value": 40}]}, InvalidPath),
        ({"Operations": [{"op": "add", "path": "title[", "value": "x"}]}, InvalidPath),
        ({"Operations": [{"op": "add", "path": 'title[value eq "x"]', "value": "x"}]}, InvalidPath),
        ({"Operations": [{"op": "replace", "path": "id", "value": "2"}]}, Immutable),
        ({"Operations": [{"op": "add", "path": "groups", "value": [{"value": "2"}]}]}, Immutable),
        ({"Operations": [{"op": "replace", "path": "meta.created", "value": "2"}]}, Immutable),
        ({"Operations": [{"op": "remove", "path": "userName"}]}, Immutable),
        ({"Operations": [{"op": "replace", "path": "userName", "value": None}]}, Immutable),
        ({"Operations": [{"op": "replace", "path": "active", "value": "maybe"}]}, InvalidValue),
        ({"Operations": [{"op": "replace", "path": "title", "value": ["x"]}]}, InvalidValue),
        ({"Operations": [{"op": "replace", "path": 'roles[value co "x"].value', "value": "y"}]}, NoTarget),
        ({"Operations": [{"op": "replace", "path": 'roles[value eq "csm"]', "value": []}]}, InvalidValue),
    ],
)
def test_what_cannot_be_done_is_refused(body, refusal):
    with pytest.raises(refusal):
        patches.apply(USER, BEFORE, body)


def test_the_resource_that_was_read_is_left_as_it_was():
    before = {"roles": [{"value": "csm"}], "name": {"givenName": "Bea"}}
    patched(
        USER,
        before,
        {"op": "replace", "path": "roles.value", "value": "admin"},
        {"op": "add", "path": "name.givenName", "value": "B"},
    )
    assert before == {"roles": [{"value": "csm"}], "name": {"givenName": "Bea"}}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["value", "type", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
TARGETS = st.sampled_from(
    ["userName", "name", "name.givenName", "active", "roles", "roles.value", 'roles[value eq "csm"]', "emails", "id"]
) | st.sampled_from(
    ['roles[primary eq "True"].value', 'emails[type eq "work"].value', ENTERPRISE, f"{ENTERPRISE}:manager"]
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove", "x"])},
    optional={
        "path": st.one_of(TARGETS, st.text(max_size=8)),
        "value": st.one_of(JSON, st.dictionaries(TARGETS, JSON)),
    },
)


@given(st.one_of(st.lists(OPERATIONS, max_size=4), JSON))
def test_whatever_is_sent_changes_a_user_into_one_or_is_refused(operations):
    try:
        wish = read_wish(patches.apply(USER, BEFORE, {"Operations": operations}), BEFORE)
    except AppError as error:
        refusal = error.status
    else:
        refusal = None
        assert isinstance(wish.active, bool)
        assert wish.email
        assert wish.name
    assert refusal in (None, 400)


@given(st.dictionaries(st.one_of(TARGETS, st.text(max_size=8)), JSON))
def test_whatever_body_is_sent_is_read_into_a_user_or_refused(body):
    try:
        wish = read_wish(bodies.read(USER, {"userName": "bea@example.com", **body}))
    except AppError as error:
        refusal = error.status
    else:
        refusal = None
        assert wish.name
    assert refusal in (None, 400)
