"""The people of the sample tenant, what they can do and when they work, their teams, the rules and the settings."""

from dataclasses import dataclass, field
from typing import Any

TENANT = "Northwind CS (sample)"
DOMAIN = "northwind.example"


@dataclass(frozen=True)
class Person:
    """A colleague; `key` is how the story names them, and their address; `skills` with their levels."""

    key: str
    name: str
    role: str
    manager: str | None
    zone: str
    calendar: str | None = None
    skills: dict[str, int] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"


# Read in each one's own zone. Who has none of their own keeps their team's.
OFFICE, LONG_DAY, FOUR_DAYS = "Office hours", "Long day", "Four-day week"
OFFICE_DAYS = ("mon", "tue", "wed", "thu", "fri")
WORKING = {
    OFFICE: {day: [["08:30", "17:30"]] for day in OFFICE_DAYS},
    LONG_DAY: {day: [["08:00", "19:00"]] for day in OFFICE_DAYS},
    FOUR_DAYS: {day: [["08:00", "18:00"]] for day in OFFICE_DAYS[:4]},
}

# In the order they are made: a manager before whom they manage.
PEOPLE = (
    Person("tomas", "Tomas Lindqvist", "admin", None, "Europe/Stockholm"),
    Person("margaret", "Margaret Oyelaran", "executive", None, "America/New_York"),
    Person("priya", "Priya Raman", "manager", "margaret", "America/Chicago", LONG_DAY, {"contracts": 4}),
    Person("jonas", "Jonas Weber", "manager", "margaret", "Europe/Berlin", LONG_DAY, {"German": 5, "contracts": 4}),
    Person("hana", "Hana Sato", "manager", "margaret", "Asia/Tokyo", LONG_DAY, {"incident command": 5}),
    Person("ben", "Ben Castillo", "csm", "priya", "America/New_York", None, {"billing": 4, "Spanish": 5}),
    Person("chloe", "Chloe Marsh", "csm", "priya", "America/Los_Angeles", None, {"data migration": 3, "billing": 2}),
    Person("elif", "Elif Aydin", "csm", "jonas", "Europe/Berlin", None, {"German": 5, "audit": 4, "billing": 3}),
    Person("marco", "Marco Bellini", "csm", "jonas", "Europe/Rome", None, {"data migration": 2, "German": 2}),
    Person("wei", "Wei Tan", "csm", "jonas", "Asia/Singapore", None, {"Mandarin": 5, "audit": 2}),
    Person(
        "ines",
        "Ines Duarte",
        "specialist",
        "hana",
        "Europe/Lisbon",
        FOUR_DAYS,
        {"single sign-on": 5, "incident command": 3, "audit": 3},
    ),
    Person(
        "rahul",
        "Rahul Menon",
        "specialist",
        "hana",
        "Asia/Kolkata",
        None,
        {"performance": 5, "incident command": 4, "data migration": 4},
    ),
)
HELPDESK = Person("helpdesk", "Helpdesk integration", "integration", None, "UTC")


@dataclass(frozen=True)
class TeamPlan:
    """A team with the capacity of each member; `weights` has those who count for less than one, as newcomers do."""

    name: str
    lead: str
    members: dict[str, int]
    tier: str | None = None
    calendar: str | None = None
    weights: dict[str, str] = field(default_factory=dict)


TEAMS = (
    TeamPlan("Americas success", "priya", {"ben": 30, "chloe": 26}, calendar=OFFICE),
    TeamPlan(
        "EMEA and APAC success",
        "jonas",
        {"elif": 30, "marco": 26, "wei": 28},
        calendar=OFFICE,
        weights={"marco": "0.5"},
    ),
    TeamPlan("Platform specialists", "hana", {"ines": 20, "rahul": 22}, tier="tier_2", calendar=LONG_DAY),
)

# A calendar for each region, long enough for its zones; accounts name their region's.
HOURS = {"Americas": "America/Chicago", "EMEA": "Europe/Berlin", "APAC": "Asia/Singapore"}
WEEKLY = {day: [["07:00", "19:00"]] for day in OFFICE_DAYS}
DAY_SECONDS = 12 * 3600


def _is(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": "=", "value": value}


def _in(field: str, *values: Any) -> dict[str, Any]:
    return {"field": field, "op": "in", "value": list(values)}


def _at(skill: str, level: int) -> dict[str, Any]:
    return {"skill": skill, "level": level}


RULES: tuple[dict[str, Any], ...] = (
    {
        "name": "about a colleague: the VP",
        "when": _is("escalation.has_about_user", True),
        "target": {"kind": "user", "email": f"margaret@{DOMAIN}"},
    },
    {
        "name": "security and long outages: platform specialists",
        "when": {
            "all": [
                _in("escalation.reason", "security", "prolonged_outage"),
                {"field": "escalation.severity", "op": "<=", "value": 2},
            ]
        },
        "target": {"kind": "team", "team": "Platform specialists"},
        "fallback": {"kind": "role", "role": "csm"},
        "required_skills": [_at("incident command", 3)],
        "preferred_skills": [_at("single sign-on", 3), _at("performance", 3)],
    },
    {
        "name": "urgent invoices in the Americas: who knows billing well",
        "when": {
            "all": [
                _is("account.region", "Americas"),
                _is("escalation.reason", "billing"),
                {"field": "escalation.severity", "op": "<=", "value": 2},
            ]
        },
        "target": {"kind": "team", "team": "Americas success"},
        "required_skills": [_at("billing", 3)],
    },
    {
        "name": "urgent in the Americas, strategic or enterprise",
        "when": {
            "all": [
                _is("account.region", "Americas"),
                _in("account.segment", "strategic", "enterprise"),
                {"field": "escalation.severity", "op": "<=", "value": 2},
            ]
        },
        "target": {"kind": "team", "team": "Americas success"},
    },
    {
        "name": "urgent in EMEA and APAC, strategic or enterprise",
        "when": {
            "all": [
                _in("account.region", "EMEA", "APAC"),
                _in("account.segment", "strategic", "enterprise"),
                {"field": "escalation.severity", "op": "<=", "value": 2},
            ]
        },
        "target": {"kind": "team", "team": "EMEA and APAC success"},
    },
    {
        "name": "everything else: the account owner",
        "when": {"all": []},
        "target": {"kind": "role", "role": "owner"},
        "fallback": {"kind": "role", "role": "csm"},
    },
)

SETTINGS: dict[str, Any] = {
    "timezone": "Europe/London",
    "reporting_currency": "USD",
    "duty_owner_email": f"priya@{DOMAIN}",
    "duty_deputy_email": f"jonas@{DOMAIN}",
    "approval": {"asked": True, "approvers": [f"priya@{DOMAIN}", f"jonas@{DOMAIN}"]},
    # The sample's clock may run weeks ahead of its last exchange rate.
    "rate_max_age_days": 120,
    "reasons": ["onboarding_delay"],
}
