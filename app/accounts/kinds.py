"""The records that come from a CRM: which fields each has, what they accept and which columns they fill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.accounts import checks
from app.accounts.checks import Check
from app.accounts.errors import RowRefused


@dataclass(frozen=True)
class Column:
    """One column of a record's table and its PostgreSQL type; `blank` is what null stores in it."""

    name: str
    type: str = "text"
    blank: str = "null"


@dataclass(frozen=True)
class Field:
    """One field of the upsert. `required` ones must come with a new record and can't be cleared."""

    name: str
    check: Check
    columns: tuple[Column, ...]
    required: bool = False
    tracked: bool = False


@dataclass(frozen=True)
class Kind:
    """A table of records; `refusals` are SQL conditions on the record as it would be, with field and complaint."""

    name: str
    table: str
    fields: Mapping[str, Field]
    below_account: bool = True
    refusals: tuple[tuple[str, str, str], ...] = ()
    bits: Mapping[str, int] = field(default_factory=dict)

    @property
    def required_bits(self) -> int:
        return sum(self.bits[f.name] for f in self.fields.values() if f.required)

    def missing(self, given: int) -> list[str]:
        """The required fields that `given` lacks."""
        return [f.name for f in self.fields.values() if f.required and not given & self.bits[f.name]]


def _field(name: str, check: Check, type_: str = "text", *, blank: str = "null", **more: Any) -> Field:
    return Field(name, check, (Column(name, type_, blank),), **more)


def _kind(name: str, table: str, *fields: Field, **more: Any) -> Kind:
    bits = {f.name: 1 << n for n, f in enumerate(fields)}
    return Kind(name, table, {f.name: f for f in fields}, bits=bits, **more)


ACCOUNT = _kind(
    "accounts",
    "account",
    _field("name", checks.text(500), required=True),
    _field("domain", checks.text(253)),
    _field("segment", checks.segment, tracked=True),
    _field("region", checks.text(100)),
    _field("timezone", checks.zone),
    _field("calendar", checks.text(100)),
    _field("health", checks.health, "int", tracked=True),
    _field("lifecycle", checks.text(100)),
    _field("owner_email", checks.email, tracked=True),
    _field("csm_email", checks.email, tracked=True),
    _field("sponsor_email", checks.email, tracked=True),
    _field("parent_external_id", checks.text(255), tracked=True),
    _field("attributes", checks.attributes, "jsonb", blank="'{}'::jsonb"),
    below_account=False,
)
CONTRACT = _kind(
    "contracts",
    "contract",
    _field("arr", checks.money, "numeric", required=True),
    _field("currency", checks.currency, required=True),
    _field("starts_on", checks.day, "date", required=True),
    _field("ends_on", checks.day, "date"),
    Field(
        "escalator",
        checks.escalator,
        (
            Column("escalator_kind", "text", "'none'"),
            Column("escalator_percent", "numeric"),
            Column("escalator_floor", "numeric"),
            Column("escalator_cap", "numeric"),
        ),
    ),
    _field("service_level", checks.text(100)),
    refusals=(("ends_on < starts_on", "ends_on", "expected a day on or after starts_on"),),
)
CONTACT = _kind(
    "contacts",
    "contact",
    _field("name", checks.text(500)),
    _field("email", checks.email),
    _field("role", checks.text(200)),
    refusals=(("name is null and email is null", "name", "expected a name or an email"),),
)
OPPORTUNITY = _kind(
    "opportunities",
    "opportunity",
    _field("name", checks.text(500)),
    _field("amount", checks.money, "numeric", required=True),
    _field("currency", checks.currency, required=True),
    _field("probability", checks.probability, "numeric", blank="0"),
    _field("type", checks.text(100)),
    _field("closes_on", checks.day, "date"),
)
KINDS = {kind.name: kind for kind in (ACCOUNT, CONTRACT, CONTACT, OPPORTUNITY)}

SOURCE = checks.text(50)
EXTERNAL_ID = checks.text(255)


def check_fields(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored; an unknown one is refused, and every fault is named at once."""
    checked: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    for name, value in fields.items():
        known = kind.fields.get(name)
        try:
            if name == "source_updated_at":
                checked[name] = None if value is None else checks.moment(value)
            elif known is None:
                faults.append((name, "unknown field"))
            elif value is not None:
                checked[name] = known.check(value)
            elif known.required:
                faults.append((name, "expected a value: it can't be cleared"))
            else:
                checked[name] = None
        except ValueError as error:
            faults.append((name, str(error)))
    if faults:
        raise RowRefused(faults)
    return checked
