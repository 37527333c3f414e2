"""What PostgreSQL says of a database, as a set of lines that two databases can be compared by."""

from sqlalchemy import Connection, text

NAMESPACE = "'public'::regnamespace"
OUR = f"c.relnamespace = {NAMESPACE} and c.relname not like 'alembic_version%' and c.relkind <> 'S'"
QUERIES = {
    "table": f"select relname, relkind, relrowsecurity, relforcerowsecurity from pg_class c where {OUR}",
    "column": (
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,"
        " a.attgenerated, pg_get_expr(d.adbin, d.adrelid) from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        f" where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm') and {OUR}"
    ),
    "constraint": (
        "select c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated from pg_constraint k"
        f" join pg_class c on c.oid = k.conrelid where {OUR}"
    ),
    "index": (
        "select c.relname, i.relname, pg_get_indexdef(x.indexrelid) from pg_index x"
        f" join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid where {OUR}"
    ),
    "policy": (
        "select c.relname, p.polname, p.polpermissive, p.polcmd, p.polroles::regrole[]::text,"
        " pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)"
        f" from pg_policy p join pg_class c on c.oid = p.polrelid where {OUR}"
    ),
    "grant": (
        "select c.relname, a.grantee::regrole::text, a.privilege_type, a.is_grantable"
        f" from pg_class c cross join aclexplode(c.relacl) a where {OUR}"
    ),
    "column grant": (
        "select c.relname, t.attname, a.grantee::regrole::text, a.privilege_type from pg_attribute t"
        f" join pg_class c on c.oid = t.attrelid cross join aclexplode(t.attacl) a where {OUR}"
    ),
    "trigger": (
        "select c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid) from pg_trigger t"
        f" join pg_class c on c.oid = t.tgrelid where not t.tgisinternal and {OUR}"
    ),
    "function": (
        "select p.proname, pg_get_functiondef(p.oid), p.proowner::regrole::text, p.proacl::text from pg_proc p"
        f" where p.pronamespace = {NAMESPACE} and p.prokind <> 'a'"
    ),
}


def read_catalogue(connection: Connection) -> set[tuple[str, ...]]:
    """One line per column, constraint, index, policy, grant, trigger and function of the schema."""
    return {
        (kind, *(str(value) for value in row))
        for kind, query in QUERIES.items()
        for row in connection.execute(text(query))
    }
