"""The sentence that says why: written by hand for each way in which somebody comes to own a case."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.routing.decide import decide
from app.routing.people import Hours, Inputs, Suggestion, TeamFacts
from app.routing.policy import compile_policy
from tests.routing.test_decide import inputs, person

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday; 11:00 in Berlin
TEAM = "0195c0de-0000-7000-8000-000000000001"
NINE_TO_FIVE = Hours(open=True, open_until=datetime(2026, 11, 23, 16, 0, tzinfo=UTC), overlap=1.0)
TOMORROW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = Hours(open=False, opens_at=TOMORROW, overlap=0.0)
SOON = Hours(open=False, opens_at=datetime(2026, 11, 23, 11, 30, tzinfo=UTC), overlap=0.5)

OWNER: dict[str, Any] = {"kind": "role", "role": "owner"}
CSM: dict[str, Any] = {"kind": "role", "role": "csm"}
PREVIOUS: dict[str, Any] = {"kind": "previous_owner"}
SUGGESTED: dict[str, Any] = {"kind": "suggested"}
DESK: dict[str, Any] = {"kind": "team", "team_id": TEAM}


def sentence(target: Any, *people: Any, fallback: Any = None, skills: Any = None, **given: Any) -> str:
    """Why, by one rule "all" with this target; severity 2 weighs 3, so 24 units are 8 places."""
    rule = {"name": "all", "when": {"all": []}, "target": target, "fallback": fallback, **(skills or {})}
    team = TeamFacts(TEAM, "Billing desk", "lead", {p.id: p.capacity for p in people if p.role == "specialist"})
    values: dict[str, Any] = {
        "now": NOW,
        "zone": "Europe/Berlin",
        "weight": Decimal(3),
        "due_at": datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
        "teams": {TEAM: team},
        "duty": {"duty_owner": "duty"},
        **given,
    }
    found: Inputs = inputs(*people, person("duty", role="admin"), **values)
    return decide(compile_policy(1, [rule], {}), found).why


def absent(id_: str, until: datetime, **given: Any) -> Any:
    return person(id_, absent=True, absent_until=until, **given)


NOVEMBER_24 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
OLGA = {"roles": {"owner": "olga"}}
BOTH = {"roles": {"owner": "olga", "csm": "carl"}}
olga = person("olga", load=Decimal(13), hours=NINE_TO_FIVE)  # 11 units left: 3 cases of weight 3


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # why this one, when they work, how much room they have
        (
            sentence(OWNER, olga, **OLGA),
            "owns the account, in working hours until 17:00, 3 of 8 places free",
        ),
        (
            sentence(CSM, person("carl", hours=SOON), **BOTH),
            "is the account's CSM, at work from 12:30, 8 of 8 places free",
        ),
        (
            sentence(OWNER, person("olga", hours=LATER), **OLGA, due_at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
            "owns the account, at work from 24 November 09:00, 8 of 8 places free",
        ),
        (
            sentence(OWNER, person("olga", hours=Hours(open=True)), **OLGA),
            "owns the account, in working hours at all times, 8 of 8 places free",
        ),
        (
            sentence(
                OWNER, person("olga", hours=Hours(open=True, open_until=datetime(2027, 1, 2, tzinfo=UTC))), **OLGA
            ),
            "owns the account, in working hours until 2 January 2027 01:00, 8 of 8 places free",
        ),
        (
            sentence(OWNER, person("olga", capacity=Decimal(4)), **OLGA),  # an old record: no hours in it
            "owns the account, 1 of 1 places free",
        ),
        (
            sentence(PREVIOUS, olga, previous_owner_id="olga"),
            "owned this account's previous escalation with the same reason, in working hours until 17:00, "
            "3 of 8 places free",
        ),
        (
            sentence(SUGGESTED, olga, suggested=(Suggestion("olga", 0.8, ()),)),
            "is suggested by who closed cases like this one, in working hours until 17:00, 3 of 8 places free",
        ),
        # the first choice was passed over
        (
            sentence(CSM, absent("carl", NOVEMBER_24), olga, fallback=OWNER, **BOTH),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "the account's CSM was absent until 24 November",
        ),
        (
            sentence(CSM, absent("carl", datetime(2026, 11, 23, 14, 0, tzinfo=UTC)), olga, fallback=OWNER, **BOTH),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "the account's CSM was absent until 15:00",
        ),
        (  # 23:30 UTC is the next day in Berlin
            sentence(CSM, absent("carl", datetime(2026, 11, 30, 23, 30, tzinfo=UTC)), olga, fallback=OWNER, **BOTH),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "the account's CSM was absent until 1 December",
        ),
        (
            sentence(CSM, person("carl", load=Decimal(22)), olga, fallback=OWNER, **BOTH),
            "owns the account, in working hours until 17:00, 3 of 8 places free; the account's CSM had no room for it",
        ),
        (
            sentence(CSM, person("carl", hours=LATER), olga, fallback=OWNER, **BOTH),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "the account's CSM is not at work before 24 November 09:00",
        ),
        (
            sentence(CSM, person("carl"), olga, fallback=OWNER, **BOTH, exclude=frozenset({"carl"})),
            "owns the account, in working hours until 17:00, 3 of 8 places free; the account's CSM had it just before",
        ),
        (
            sentence(CSM, person("carl"), olga, fallback=OWNER, **BOTH, lost=frozenset({"carl"})),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "another case took the last place of the account's CSM",
        ),
        (
            sentence(PREVIOUS, olga, fallback=OWNER, **OLGA),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "the account has no previous escalation with this reason",
        ),
        (
            sentence(
                CSM,
                person("carl", skills={"german": 2}),
                person("olga", skills={"german": 3, "sap": 1}),
                fallback=OWNER,
                skills={"required_skills": [{"skill": "German", "level": 3}, {"skill": "SAP"}]},
                **BOTH,
            ),
            "owns the account, 8 of 8 places free; the account's CSM lacks German (level 3) and SAP",
        ),
        (
            sentence(DESK, person("a", role="specialist", load=Decimal(24)), olga, fallback=OWNER, **OLGA),
            "owns the account, in working hours until 17:00, 3 of 8 places free; "
            "nobody in Billing desk could take it: 1 full",
        ),
        (
            sentence(DESK, olga, fallback=OWNER, **OLGA),
            "owns the account, in working hours until 17:00, 3 of 8 places free; Billing desk has no members",
        ),
        # of a team: points, and who could not
        (
            sentence(DESK, person("a", role="specialist"), person("b", role="specialist", load=Decimal(12))),
            "scores highest of 2 in Billing desk (45 points, most for free capacity), 8 of 8 places free",
        ),
        (
            sentence(
                DESK,
                person("a", role="specialist"),
                absent("b", NOVEMBER_24, role="specialist"),
                absent("c", NOVEMBER_24, role="specialist"),
                person("d", role="specialist", load=Decimal(22)),
            ),
            "is the only eligible member of Billing desk, 8 of 8 places free; passed over: 2 absent and 1 full",
        ),
        (
            sentence(
                DESK,
                person("a", role="specialist"),
                absent("olga", NOVEMBER_24, role="specialist"),
                person("d", role="specialist", load=Decimal(22)),
                **OLGA,
            ),
            "is the only eligible member of Billing desk, 8 of 8 places free; "
            "the account's owner was absent until 24 November",
        ),
        # preferred skills that had to be set aside
        (
            sentence(
                OWNER,
                person("olga", skills={"german": 1}),
                skills={"preferred_skills": [{"skill": "German"}, {"skill": "SAP", "level": 4}]},
                **OLGA,
            ),
            "owns the account, 8 of 8 places free; the preferred skill SAP (level 4) was set aside",
        ),
        (
            sentence(
                OWNER,
                person("olga"),
                skills={"preferred_skills": [{"skill": "German"}, {"skill": "SAP"}]},
                **OLGA,
            ),
            "owns the account, 8 of 8 places free; the preferred skills SAP and German were set aside",
        ),
        # in somebody's place
        (
            sentence(OWNER, absent("olga", NOVEMBER_24, delegate_id="dora"), person("dora"), **OLGA),
            "stands in for the account's owner, who is absent until 24 November, 8 of 8 places free",
        ),
        (
            sentence(DESK, absent("b", NOVEMBER_24, role="specialist", delegate_id="dora"), person("dora")),
            "stands in for a member of Billing desk, who is absent until 24 November, 8 of 8 places free",
        ),
        # nobody that the rules name
        (sentence(OWNER), "is the duty owner and stands in: the account has no owner here"),
        (
            sentence(OWNER, absent("olga", NOVEMBER_24), **OLGA),
            "is the duty owner and stands in: the account's owner was absent until 24 November",
        ),
        (
            sentence(DESK, person("lead", role="manager"), person("b", role="specialist", active=False)),
            "leads the team and stands in: nobody in Billing desk could take it: 1 no longer active",
        ),
        (
            sentence(OWNER, person("olga"), **OLGA, about_user_id="olga"),
            "is the duty owner and stands in: it is about the account's owner",
        ),
        (
            sentence(
                OWNER, absent("second", NOVEMBER_24, delegate_id="dora"), person("dora"), duty={"duty_owner": "second"}
            ),
            "stands in for the duty owner, who is absent until 24 November: the account has no owner here",
        ),
        (sentence(SUGGESTED), "is the duty owner and stands in: history suggests nobody surely enough"),
    ],
)
def test_the_sentence_says_why(said: str, expected: str) -> None:
    assert said == expected


def test_days_are_told_on_the_accounts_clocks_and_in_utc_once_nobody_knows_its_zone() -> None:
    people = (absent("carl", datetime(2026, 11, 30, 23, 30, tzinfo=UTC)), olga)
    for zone, told in (("Europe/Berlin", "1 December"), ("UTC", "30 November"), ("Mars/Olympus", "30 November")):
        assert sentence(CSM, *people, fallback=OWNER, **BOTH, zone=zone).endswith(f"absent until {told}")


def test_a_sentence_names_teams_and_rules_but_no_person() -> None:
    said = sentence(CSM, absent("carl", NOVEMBER_24), olga, fallback=OWNER, **BOTH)
    assert not any(name in said for name in ("olga", "carl"))
