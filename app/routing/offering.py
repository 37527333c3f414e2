"""What this tenant's rules may be made of: fields with operators and words, targets, and what its accounts have."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from app.auth.settings import REASONS, tenant_settings
from app.db import db
from app.routing.fields import ATTRIBUTE_PREFIX, FIELDS, Field, find_field
from app.routing.shapes import OPERATORS, RULE, SHAPES, TARGETS, allowed_values, shape_of

# The newest accounts stand for all: a tenant may have a hundred thousand, and a form shows a few words of each field.
LOOKED_AT = 5_000
WORDS_SHOWN = 50
SKILLS = "skills"
SKILLS_SHOWN = 500

SEEN = text(
    """
    with looked as materialized (
      select region, timezone, lifecycle, attributes from account
      where merged_into_id is null order by id desc limit :looked_at
    ), said as (
      select f.field, f.word, count(*) as count from looked cross join lateral (
        values ('account.region', region), ('account.timezone', timezone), ('account.lifecycle', lifecycle)
        union all
        select :prefix || key, case when length(value) <= 100 then value end from jsonb_each_text(attributes)
      ) f (field, word)
      group by 1, 2
    ), ranked as (
      select *, row_number() over (partition by field order by word is null, count desc, word) as place from said
    )
    select field, coalesce(array_agg(word order by place) filter (where word <> ''), '{}') as words
    from ranked where place <= :shown group by field
    union all
    select 'contract.service_level', coalesce(array_agg(name order by name), '{}')
    from (select name from service_level where retired_at is null order by name limit :shown) level
    union all
    select 'contract.currencies', coalesce(array_agg(currency order by currency), '{}')
    from (select distinct currency from contract limit :shown) held
    union all
    select 'skills', coalesce(array_agg(name order by lower(name)), '{}')
    from (select name from skill order by lower(name) limit :skills_shown) skill
    order by 1
    """
)


def offer() -> dict[str, Any]:
    """Fields, value shapes, operators, targets, members of a rule and skills; one statement."""
    seen = {row.field: row.words for row in db.session.execute(SEEN, _limits())}
    seen["escalation.reason"] = [*REASONS, *tenant_settings().reasons]
    attributes = [known for name in seen if name.startswith(ATTRIBUTE_PREFIX) and (known := find_field(name))]
    return {
        "items": [_field(known, seen) for known in (*FIELDS.values(), *attributes)],
        "shapes": list(SHAPES.values()),
        "operators": [{"name": name, "doc": doc} for name, doc in OPERATORS.items()],
        "targets": TARGETS,
        "rule": RULE,
        "skills": seen.get(SKILLS, []),
    }


def _limits() -> dict[str, Any]:
    return {"looked_at": LOOKED_AT, "shown": WORDS_SHOWN, "skills_shown": SKILLS_SHOWN, "prefix": ATTRIBUTE_PREFIX}


def _field(known: Field, seen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """`values` are the only words it can have, `seen` those it has here; `takes` is each operator's value."""
    takes = {op: {"shape": shape_of(known, op).name, "values": allowed_values(known, op)} for op in known.operators}
    members = {name: getattr(known, name) for name in ("name", "type", "doc", "operators", "values")}
    return {**members, "seen": seen.get(known.name, []), "takes": takes}
