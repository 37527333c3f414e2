"""The filter language of SCIM: what it reads, what it refuses, and what its questions find among users and groups."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.integrations.scim.attributes import GROUP, USER
from app.integrations.scim.elements import predicate
from app.integrations.scim.errors import InvalidFilter, InvalidPath
from app.integrations.scim.filters import (
    DEEPEST,
    OPERATORS,
    Comparison,
    Every,
    Not,
    Presence,
    Some,
    Target,
    Within,
    parse_filter,
    parse_target,
)
from tests.integrations.test_scim_users import ENTERPRISE, refused

A, B, C = (Comparison(name, "eq", name) for name in "abc")
WORK = Comparison("type", "eq", "work")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('userName eq "bjensen"', Comparison("userName", "eq", "bjensen")),
        ('userName Eq "b"', Comparison("userName", "eq", "b")),
        ('  name.familyName   co "O\'Malley"  ', Comparison("name.familyName", "co", "O'Malley")),
        (f'{USER.urn}:userName sw "J"', Comparison(f"{USER.urn}:userName", "sw", "J")),
        (f'{ENTERPRISE}:manager.value eq "1"', Comparison(f"{ENTERPRISE}:manager.value", "eq", "1")),
        ("title pr", Presence("title")),
        ("active eq true", Comparison("active", "eq", True)),
        ("active ne False", Comparison("active", "ne", False)),
        ("title eq null", Comparison("title", "eq", None)),
        ("age gt 7.5", Comparison("age", "gt", 7.5)),
        (r'a eq "say \"hi\" \u00e9 ] ) and"', Comparison("a", "eq", 'say "hi" é ] ) and')),
        ('a eq "a" and b eq "b" or c eq "c"', Some((Every((A, B)), C))),
        ('a eq "a" or b eq "b" and c eq "c"', Some((A, Every((B, C))))),
        ('a eq "a" and (b eq "b" or c eq "c")', Every((A, Some((B, C))))),
        ('(a eq "a")and(b eq "b")', Every((A, B))),
        ('not (a eq "a")', Not(A)),
        ('NOT(a eq "a") AND b eq "b"', Every((Not(A), B))),
        ('emails[type eq "work"]', Within("emails", WORK)),
        (
            'emails[type eq "work" and value co "@example.com"]',
            Within("emails", Every((WORK, Comparison("value", "co", "@example.com")))),
        ),
        (
            'emails[type eq "work"].value eq "x@example.com"',
            Within("emails", Every((WORK, Comparison("value", "eq", "x@example.com")))),
        ),
        ('emails[not (type eq "work")].value pr', Within("emails", Every((Not(WORK), Presence("value"))))),
        ('not pr or not eq "x"', Some((Presence("not"), Comparison("not", "eq", "x")))),
    ],
)
def test_a_filter_is_read_into_its_tree(text, tree):
    assert parse_filter(text) == tree


BROKEN = [
    "",
    " ",
    "userName",
    "userName eq",
    "userName eq bjensen",
    "userName eq 'bjensen'",
    'userName eq "bjensen',
    'userName == "bjensen"',
    'userName eq "a" "b"',
    'userName eq "a" and',
    'and userName eq "a"',
    'userName eq "a" or or title pr',
    '(userName eq "a"',
    'userName eq "a")',
    "not title pr",
    "()",
    "emails[",
    "emails[]",
    'emails[type eq "work"',
    'emails[type eq "work"].',
    'emails[type eq "work"].value',
    'emails[type eq "work"]value eq "x"',
    'emails(type eq "work")',
    "7 eq 7",
    "user name pr",
    "a..b pr",
    ".a pr",
    "a.b.c pr",
    'a eq "\\q"',
    'a eq "\\ud800"',
    'a eq "\\u0000"',
    "a eq 1e9999",
    "a gt " + "9" * 400,
    "(" * (DEEPEST + 1) + "title pr" + ")" * (DEEPEST + 1),
    "not (" * 500 + "title pr" + ")" * 500,
    "[" * 5_000,
    'a eq "' + "x" * 10_001 + '"',
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidFilter):
        parse_filter(text)


def written(tree):
    """A tree as a filter's text, with every bracket there may be."""
    match tree:
        case Every(parts):
            return " and ".join(f"({written(part)})" for part in parts)
        case Some(parts):
            return " or ".join(f"({written(part)})" for part in parts)
        case Not(part):
            return f"not ({written(part)})"
        case Within(path, inner):
            return f"{path}[{written(inner)}]"
        case Presence(path):
            return f"{path} pr"
        case Comparison(path, operator, value):
            return f"{path} {operator} {json.dumps(value)}"


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
VALUES = st.one_of(STORABLE, st.booleans(), st.none(), st.integers(-(10**6), 10**6).map(float))
INNER = st.sampled_from(["value", "type", "display", "primary", "$ref", "nothing"])
PATHS = st.sampled_from(
    """id externalId userName name name.givenName displayName active emails emails.value roles roles.value groups
    groups.display members members.value meta meta.created meta.lastModified manager manager.displayName title shoeSize
    urn:x:y:z urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager""".split()  # noqa: SIM905
)


def leaves(paths):
    return st.one_of(st.builds(Presence, paths), st.builds(Comparison, paths, st.sampled_from(OPERATORS), VALUES))


def trees(leaf):
    def grow(inner):
        lists = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Every, lists), st.builds(Some, lists), st.builds(Not, inner))

    return st.recursive(leaf, grow, max_leaves=5)


FILTERS = trees(st.one_of(leaves(PATHS), st.builds(Within, PATHS, trees(leaves(INNER)))))


@given(FILTERS)
def test_every_tree_survives_being_written_and_read(tree):
    assert parse_filter(written(tree)) == tree


@given(st.one_of(st.text(max_size=60), st.text('ab ()[]".\\eqprnotandor', max_size=60)))
@example('emails[type eq "work"].value')
def test_whatever_is_sent_is_read_or_refused(text):
    for read, refusal in ((parse_filter, InvalidFilter), (parse_target, InvalidPath)):
        with suppress(refusal):
            read(text)


@given(trees(leaves(INNER)), st.dictionaries(INNER, st.one_of(STORABLE, st.booleans(), st.none())))
def test_whatever_is_asked_of_a_value_is_answered_or_refused(tree, value):
    with suppress(InvalidFilter):
        assert predicate(Not(tree))(value) is not predicate(tree)(value)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("members", Target("members")),
        ("name.familyName", Target("name.familyName")),
        (f"{ENTERPRISE}:manager", Target(f"{ENTERPRISE}:manager")),
        ('members[value eq "1"]', Target("members", Comparison("value", "eq", "1"))),
        ('emails[type eq "work"].value', Target("emails", WORK, "value")),
    ],
)
def test_a_path_is_read_into_what_it_points_at(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text", ["", "[", "members[", 'members[value eq "1"', "members[]", "a b", "members].x", "a[b pr].c.d"]
)
def test_a_path_that_leads_nowhere_is_refused(text):
    with pytest.raises(InvalidPath):
        parse_target(text)


class TestFound:
    """What a filter finds among Ada, Bea, Cid and the tenant's admin."""

    @pytest.fixture
    def people(self, person, group):
        ada = person(
            "ada@example.com",
            externalId="Ext-1",
            displayName="Ada Lovelace",
            title="Countess",
            roles=["manager"],
            name={"givenName": "Ada", "familyName": "Lovelace"},
        )
        bea = person(
            "bea@example.org",
            displayName="Bea 100%_x",
            active=False,
            timezone="Europe/Oslo",
            **{ENTERPRISE: {"manager": {"value": ada["id"]}}},
        )
        cid = person("cid@example.com", displayName="Cid", externalId="ext-2")
        group("Support", [ada, bea])
        return {"ada": ada, "bea": bea, "cid": cid}

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('userName eq "ADA@example.com"', "ada"),
            ('userName ne "ada@example.com"', "admin bea cid"),
            ('userName co "EXAMPLE.COM"', "ada admin cid"),
            ('userName sw "b"', "bea"),
            ('userName ew ".org"', "bea"),
            ('displayName co "%_"', "bea"),
            ('displayName co "_0"', ""),
            ('userName gt "bea@example.org"', "cid"),
            ('userName ge "bea@example.org"', "bea cid"),
            ('userName lt "admin@example.com"', "ada"),
            ('userName le "admin@example.com"', "ada admin"),
            ('externalId eq "Ext-1"', "ada"),
            ('externalId eq "ext-1"', ""),
            ('externalId ne "Ext-1"', "admin bea cid"),
            ("externalId pr", "ada cid"),
            ("not (externalId pr)", "admin bea"),
            ("externalId eq null", "admin bea"),
            ("title ne null", "ada"),
            ("active eq true", "ada admin cid"),
            ('active eq "False"', "bea"),
            ("not (active eq true) or title pr", "ada bea"),
            ('not (title eq "Countess")', "admin bea cid"),
            ('name.familyName eq "lovelace" and (active eq true or title pr)', "ada"),
            ('name.formatted eq "Ada Lovelace" or name.formatted eq "Cid"', "ada cid"),
            ('emails eq "cid@example.com"', "cid"),
            ('emails.value co "example.org"', "bea"),
            ('emails[type eq "work"].value eq "CID@example.com"', "cid"),
            ('emails[type eq "work" and value sw "a"]', "ada admin"),
            ('emails[type eq "home"]', ""),
            ("emails[primary eq true]", "ada admin bea cid"),
            ('roles eq "Manager"', "ada"),
            ('roles[value eq "admin"]', "admin"),
            ('timezone eq "europe/oslo"', "bea"),
            ("manager pr", "bea"),
            ('manager.displayName eq "Ada Lovelace"', "bea"),
            ("groups pr", "ada bea"),
            ('groups.display eq "support"', "ada bea"),
            ('groups[display sw "Sup"]', "ada bea"),
            ('not (groups[display eq "Support"])', "admin cid"),
            ("meta.created gt 7", None),
            ('meta.created gt "2020-01-01T00:00:00Z"', "ada admin bea cid"),
            ('meta.lastModified le "2020-01-01T00:00:00Z"', ""),
            ('meta.lastModified gt "2020-01-01T00:00:00"', None),
            ('meta.created sw "2026"', None),
            ('meta.created gt "0001-01-01T00:00:00+14:00"', None),
            ('meta.resourceType eq "User"', "ada admin bea cid"),
            ("active gt true", None),
            ('active eq "perhaps"', None),
            ("userName eq true", None),
            ("userName gt null", None),
            ('name eq "Ada"', None),
            ('userName[value eq "x"]', None),
            ("emails[emails[type pr]]", None),
            ('shoeSize eq "40"', ""),
            ("shoeSize pr", ""),
            ('shoeSize ne "40"', "ada admin bea cid"),
            ('shoeSize[value eq "40"]', ""),
            ('phoneNumbers[type eq "work"].value eq "1"', ""),
            ('urn:example:2.0:Own:thing eq "1"', ""),
            (f'{USER.urn}:userName eq "ada@example.com"', "ada"),
            ('id eq "nobody"', ""),
            ('id co "-"', "ada admin bea cid"),
        ],
    )
    def test_among_users(self, directory, people, text, found):
        if found is None:
            answer = directory.get("/Users", query_string={"filter": text})
            assert refused(answer) == (400, "invalidFilter")
        else:
            users = directory.found("Users", text, sortBy="userName")
            assert [user["userName"].partition("@")[0] for user in users] == found.split()

    def test_by_ids(self, directory, people):
        ada, bea = people["ada"], people["bea"]
        for text, found in (
            (f'id eq "{bea["id"]}"', [bea["id"]]),
            (f'id ne "{bea["id"]}" and groups pr', [ada["id"]]),
            (f'manager eq "{ada["id"]}"', [bea["id"]]),
            (f'{ENTERPRISE}:manager.value eq "{ada["id"]}"', [bea["id"]]),
            (f'id eq "{bea["id"]}" and manager eq "{ada["id"]}"', [bea["id"]]),
            (f'id eq "{bea["id"]}" and manager eq "{bea["id"]}"', []),
            (f'groups.value eq "{directory.found("Groups", "displayName pr")[0]["id"]}"', [ada["id"], bea["id"]]),
            (f'groups.value eq "{ada["id"]}"', []),
        ):
            assert (text, [user["id"] for user in directory.found("Users", text, attributes="id")]) == (text, found)

    def test_among_groups(self, directory, people, group):
        empty = group("Night desk", externalId="n")
        support = directory.found("Groups", 'displayName eq "SUPPORT"', excludedAttributes="members")[0]
        assert "members" not in support
        for text, found in (
            (f'members eq "{people["ada"]["id"]}"', ["Support"]),
            (f'members[value eq "{people["cid"]["id"]}"]', []),
            (f'id eq "{support["id"]}" and members.value eq "{people["bea"]["id"]}"', ["Support"]),
            ('members.display eq "ada lovelace"', ["Support"]),
            ("not (members pr)", ["Night desk"]),
            ('externalId eq "n"', ["Night desk"]),
            ('members[type eq "User"] or displayName sw "Night"', ["Night desk", "Support"]),
        ):
            groups = directory.found("Groups", text, sortBy="displayName")
            assert (text, [each["displayName"] for each in groups]) == (text, found)
        assert empty["members"] == []


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_filter_is_answered_as_one(directory, text):
    answer = directory.post("/Users/.search", {"filter": text})
    assert refused(answer) == (400, "invalidFilter")


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_whatever_is_asked_of_the_lists_is_answered_or_refused(directory, kind):
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(FILTERS)
    def answers(tree):
        answer = directory.post(f"{kind.endpoint}/.search", {"filter": written(tree)})
        assert answer.status_code in (200, 400), (written(tree), answer.text)
        if answer.status_code == 400:
            assert refused(answer) == (400, "invalidFilter")

    answers()


def test_a_list_is_paged_by_an_index_that_starts_at_one(directory, person):
    for n in range(4):
        person(f"p{n}@example.com")
    first = directory.get("/Users?count=2&sortBy=userName&sortOrder=descending").json
    assert (first["totalResults"], first["startIndex"], first["itemsPerPage"]) == (5, 1, 2)
    assert [user["userName"] for user in first["Resources"]] == ["p3@example.com", "p2@example.com"]
    rest = directory.get("/Users?count=9&startIndex=3&sortBy=userName&sortOrder=descending").json
    assert (rest["startIndex"], rest["itemsPerPage"]) == (3, 3)
    assert [user["userName"] for user in rest["Resources"]][-1] == "admin@example.com"
    for query, total, items in (
        ("count=0", 5, 0),
        ("count=-3", 5, 0),
        ("startIndex=-7&count=1", 5, 1),
        ("startIndex=99", 5, 0),
        (f"startIndex={10**18}", 5, 0),
        ("count=1000000", 5, 5),
    ):
        page = directory.get(f"/Users?{query}").json
        assert (query, page["totalResults"], page["itemsPerPage"]) == (query, total, items)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("count=many", "invalidValue"),
        ("startIndex=1.5", "invalidValue"),
        (f"count={'9' * 5000}", "invalidValue"),
        ("sortOrder=sideways", "invalidValue"),
        ("sortBy=shoeSize", "invalidPath"),
        ("sortBy=name", "invalidPath"),
        ("filter=", "invalidFilter"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(directory, query, kind):
    assert refused(directory.get(f"/Users?{query}")) == (400, kind)


def test_a_search_asks_the_same_in_a_body(directory, person):
    person("bea@example.com", title="Guide")
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "title pr",
        "attributes": ["userName"],
        "startIndex": 1,
        "count": 10,
    }
    found = directory.post("/Users/.search", body).json
    assert [(user["userName"], set(user)) for user in found["Resources"]] == [
        ("bea@example.com", {"schemas", "id", "userName"})
    ]
    assert directory.post("/Groups/.search", {}).json["totalResults"] == 0
    for wrong in ({"filter": 7}, {"count": True}, {"count": [1]}, {"sortBy": {}}, {"attributes": 7}):
        assert refused(directory.post("/Users/.search", wrong)) == (400, "invalidValue")
