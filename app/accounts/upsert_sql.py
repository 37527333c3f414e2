"""The set-based upsert of one kind of record, as one statement: what came is compared with what is held.

A stored row is locked, merged field by field with what was given, judged (`created, updated, unchanged, stale,
incomplete, refused_N`) and written; a row that another transaction wrote meanwhile comes back without an outcome, so
that the caller tries it again.

A stored row is looked up by its key one at a time and written where it lies (`ctid`): the planner takes a tenant whose
rows are being imported for an empty one and would read all of them for every thousand.
"""

from functools import lru_cache

from sqlalchemy import TextClause, text

from app.accounts.kinds import KINDS, Column, Kind

TENANT = "current_setting('app.tenant_id')::uuid"


@lru_cache(maxsize=len(KINDS))
def statement(name: str) -> TextClause:
    """Parameters `rows` (a JSON array) and `now`; answers n, outcome, id, account_id, version, changes."""
    kind = KINDS[name]
    parts = [_incoming(kind), _held(kind), _merged(kind), _judged(kind), _created(kind), _updated(kind)]
    account = "j.account_id" if kind.below_account else "j.id"
    return text(
        f"with {', '.join(parts)} "  # noqa: S608 - made of our own column names only
        "select j.n, case when j.outcome in ('created', 'updated') and w.id is null then null else j.outcome end "
        f"as outcome, j.id, {account} as account_id, j.changes from judged j left join "
        "(select id from created union all select id from updated) w on w.id = j.id"
    )


def _columns(kind: Kind) -> list[Column]:
    return [column for field in kind.fields.values() for column in field.columns]


def _incoming(kind: Kind) -> str:
    columns = ", ".join(f"{c.name} {c.type}" for c in _columns(kind))
    account = "account_id uuid, " if kind.below_account else ""
    return (
        "incoming as materialized (select * from jsonb_to_recordset(cast(:rows as jsonb)) as i("  # noqa: S608
        f"n int, id uuid, given int, source text, external_id text, {account}{columns}, "
        "source_updated_at timestamptz))"
    )


def _held(kind: Kind) -> str:
    account = " and a.account_id = i.account_id" if kind.below_account else ""
    return (
        "held as materialized (select i.n, r.* from incoming i cross join lateral ("  # noqa: S608
        f"select a.*, a.ctid as held_at from {kind.table} a "
        f"where a.source = i.source and a.external_id = i.external_id{account} for update) r)"
    )


def _merged(kind: Kind) -> str:
    values = ", ".join(
        f"case when i.given & {kind.bits[field.name]} <> 0 then coalesce(i.{c.name}, {c.blank}) "
        f"when h.id is not null then h.{c.name} else {c.blank} end as {c.name}"
        for field in kind.fields.values()
        for c in field.columns
    )
    account = "i.account_id, " if kind.below_account else ""
    return (
        f"merged as materialized (select i.n, i.given, h.id is null as is_new, h.held_at, coalesce(h.id, i.id) as id, "  # noqa: S608
        f"i.source, i.external_id, {account}{values}, "
        "coalesce(i.source_updated_at, h.source_updated_at) as source_updated_at, "
        "coalesce(i.source_updated_at < h.source_updated_at, false) as is_stale "
        "from incoming i left join held h on h.n = i.n)"
    )


def _judged(kind: Kind) -> str:
    names = [c.name for c in _columns(kind)]
    new, old = ", ".join(f"m.{n}" for n in names), ", ".join(f"h.{n}" for n in names)
    refused = " ".join(
        f"when {_of('m', condition, names)} then 'refused_{n}'" for n, (condition, _, _) in enumerate(kind.refusals)
    )
    return (
        "judged as materialized (select m.*, h.source_updated_at is distinct from m.source_updated_at as is_newer, "  # noqa: S608
        "case when m.is_stale then 'stale' "
        f"when m.is_new and m.given & {kind.required_bits} <> {kind.required_bits} then 'incomplete' {refused} "
        "when m.is_new then 'created' "
        f"when ({new}) is distinct from ({old}) or h.gone_at is not null then 'updated' else 'unchanged' end "
        f"as outcome, {_changes(kind)} as changes from merged m left join held h on h.n = m.n)"
    )


def _of(alias: str, condition: str, names: list[str]) -> str:
    return " ".join(f"{alias}.{word}" if word in names else word for word in condition.split())


def _changes(kind: Kind) -> str:
    """What of an account decides its cases: each as [was, is]; below an account every change of money does."""
    if kind.below_account:
        return "'{}'::jsonb"
    tracked = [c.name for f in kind.fields.values() if f.tracked for c in f.columns]
    pieces = [
        f"case when m.{n} is distinct from h.{n} then jsonb_build_object('{n}', jsonb_build_array(h.{n}, m.{n})) "
        "else '{}'::jsonb end"
        for n in tracked
    ]
    gone = "case when h.gone_at is not null then jsonb_build_object('gone_at', jsonb_build_array(h.gone_at, null))"
    return f"case when m.is_new then '{{}}'::jsonb else {' || '.join(pieces)} || {gone} else '{{}}'::jsonb end end"


def _created(kind: Kind) -> str:
    names = ", ".join(c.name for c in _columns(kind))
    account = "account_id, " if kind.below_account else ""
    changed, now = ("", "") if kind.below_account else (", changed_at", ", cast(:now as timestamptz)")
    return (
        f"created as (insert into {kind.table} (tenant_id, id, version, source, external_id, {account}{names}, "  # noqa: S608
        f"source_updated_at{changed}) select {TENANT}, id, 1, source, external_id, {account}{names}, "
        f"source_updated_at{now} from judged where outcome = 'created' on conflict do nothing returning id)"
    )


def _updated(kind: Kind) -> str:
    values = ", ".join(f"{c.name} = j.{c.name}" for c in _columns(kind))
    changed = (
        ""
        if kind.below_account
        else (", changed_at = case when j.outcome = 'updated' then cast(:now as timestamptz) else r.changed_at end")
    )
    return (
        f"updated as (update {kind.table} r set {values}, source_updated_at = j.source_updated_at, gone_at = null, "  # noqa: S608
        f"version = r.version + (j.outcome = 'updated')::int{changed} from judged j "
        "where r.ctid = j.held_at and "
        "(j.outcome = 'updated' or (j.outcome = 'unchanged' and j.is_newer)) returning r.id)"
    )
