"""SQL: what cases have at stake and what renews, line by line: kept once for each content and named by facts.

The fold makes rows of `worth` from what snapshots say; answers join them by the fact's `worth_id`.
"""

from sqlalchemy import text

# A snapshot written before there were lines names its contracts alone: their present amounts are all that is known.
_LINES = """
    coalesce(s.lines, (
        select jsonb_agg(jsonb_build_object('kind', 'contract', 'id', c.id, 'amount', c.arr::text,
                                            'currency', c.currency, 'weight', '1', 'ends_on', c.ends_on) order by c.id)
        from contract c where s.contracts ? c.id::text), '[]'::jsonb)
"""
# The name of a content is made from it, so that making facts anew finds the same one.
_ID = "md5(cast({lines} as text))::uuid"
WORTH_ID = _ID.format(lines=_LINES)
# What a row of `worth` lists, from lines `l` of what was `said`.
_AT_STAKE_OF = {"ids": "l.id", "kinds": "l.kind", "amounts": "l.amount * l.weight", "currencies": "l.currency",
                "ends_on": "l.ends_on"}  # fmt: skip
_RENEWALS_OF = {f"renewal_{name}": _AT_STAKE_OF[name] for name in ("ids", "amounts", "currencies")}
LISTS = (*_AT_STAKE_OF, *_RENEWALS_OF)
_LISTED = "coalesce(array_agg({value}) filter (where l.kind {which} 'renewal'), '{{}}')"
LISTED = ", ".join(
    _LISTED.format(value=value, which=which)
    for values, which in ((_AT_STAKE_OF, "<>"), (_RENEWALS_OF, "="))
    for value in values.values()
)
UNPACKED = """
    left join lateral jsonb_to_recordset(said.lines)
              as l(kind text, id uuid, amount numeric, currency text, weight numeric, ends_on date) on true
"""
KEEP = text(
    f"""
    insert into worth (tenant_id, id, {", ".join(LISTS)})
    select current_setting('app.tenant_id')::uuid, said.id, {LISTED}
    from (
        select distinct {_ID.format(lines="lines")} as id, lines from (
            select {_LINES} as lines from snapshot s
            where s.escalation_id = any(cast(:ids as uuid[])) and s.transaction_id < :until) every
    ) said {UNPACKED}
    where not exists (select from worth w where w.id = said.id)
    group by said.id
    """  # noqa: S608 - the parts are ours
)
_TOUCHED = f"""
    (select distinct s.account_id, unnest(w.ids) as line_id
     from (select s.account_id, {WORTH_ID} as worth_id from snapshot s
           where s.escalation_id = any(cast(:ids as uuid[])) and s.transaction_id < :until) s
     join worth w on w.id = s.worth_id)
"""  # noqa: S608 - the parts are ours
HOLD = text(
    f"""
    insert into line_holder (tenant_id, id, line_id, account_id, shared)
    select current_setting('app.tenant_id')::uuid, gen_random_uuid(), t.line_id, t.account_id, false
    from {_TOUCHED} t where not exists (
        select from line_holder h where h.line_id = t.line_id and h.account_id = t.account_id)
    """  # noqa: S608 - the parts are ours
)
SHARE = text(
    f"""
    update line_holder h set shared = true where not h.shared and h.line_id in (select line_id from {_TOUCHED} t)
    and exists (select from line_holder o where o.line_id = h.line_id and o.account_id <> h.account_id)
    """  # noqa: S608 - the parts are ours
)
# What all that is at stake comes to, joined to `worth w`, as the facts name it.
COMES_TO = """
    cross join lateral (
        select case when count(distinct l.currency) = 1 then sum(l.amount) end as amount,
               case when count(distinct l.currency) = 1 then min(l.currency) end as currency,
               count(*) as lines, min(l.ends_on) as until
        from (select unnest(w.amounts) as amount, unnest(w.currencies) as currency, unnest(w.ends_on) as ends_on) l
    ) c
"""
STAKE = """
    'stake_amount', c.amount::text, 'stake_currency', c.currency, 'stake_lines', c.lines, 'stake_until', c.until
"""
# A list of lists in a `select` costs half of what it does as a table function.
_JOINED = "join worth w on w.id = {fact}.worth_id cross join lateral (select {lists}) l"


def _unnested(**names: str) -> str:
    return ", ".join(f"unnest(w.{listed}) as {name}" for name, listed in names.items())


_AT_STAKE = _unnested(id="ids", kind="kinds", amount="amounts", currency="currencies", ends_on="ends_on")
_RENEWING = _unnested(id="renewal_ids", amount="renewal_amounts", currency="renewal_currencies")


def at_stake(fact: str) -> str:
    """SQL: joined to facts, each line `l` that they have at stake, its amount as weighted."""
    return _JOINED.format(fact=fact, lists=_AT_STAKE)


def renewing(fact: str) -> str:
    """SQL: joined to facts, each line `l` that renews next."""
    return _JOINED.format(fact=fact, lists=_RENEWING)
