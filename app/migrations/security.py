"""Row-level security, grants and triggers, derived from the models' `info`.

`append_only`: no UPDATE, DELETE or TRUNCATE, by grant and by trigger; `ERASABLE` names what erasure by law may change.
`stamped`: each row keeps the number of the transaction that wrote it. `finder`: (condition,
columns) the finder role may see of every tenant's rows. `searched`: columns that a function looks through in the place
of the tenant, as the eraser, whom nobody can become. `machine`: not a tenant's table. Role names stand as {app},
{finder}, {eraser}.
"""

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

SCOPE = "(SELECT current_setting('app.tenant_id')::uuid)"

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_NARGS = 1 AND TG_OP = 'UPDATE' AND current_user = TG_ARGV[0] THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

STAMP_TRANSACTION = """
CREATE FUNCTION stamp_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.transaction_id := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$
"""

ERASE_TEXT = """
CREATE FUNCTION erase_event_text(ids uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erased integer; more integer;
BEGIN
  UPDATE event_text SET text = NULL, salt = NULL WHERE id = ANY(ids) AND text IS NOT NULL;
  GET DIAGNOSTICS erased = ROW_COUNT;
  UPDATE outage_text SET text = NULL, salt = NULL WHERE id = ANY(ids) AND text IS NOT NULL;
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN erased + more;
END $$
"""

# What stands for ever may still name a person: the name goes, the rest stays.
ERASE_MENTIONS = """
CREATE FUNCTION erase_mentions(pattern text, mark text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE decision SET inputs = regexp_replace(inputs::text, pattern, mark, 'gi')::jsonb,
    why = regexp_replace(why, pattern, mark, 'gi'), rule = regexp_replace(rule, pattern, mark, 'gi'),
    rules = regexp_replace(rules::text, pattern, mark, 'gi')::jsonb
  WHERE concat_ws(' ', inputs, why, rule, rules) ~* pattern;
  UPDATE account_history SET changes = regexp_replace(changes::text, pattern, mark, 'gi')::jsonb
  WHERE changes::text ~* pattern;
  UPDATE policy_version SET rules = regexp_replace(rules::text, pattern, mark, 'gi')::jsonb
  WHERE rules::text ~* pattern;
  UPDATE policy_publication SET reason = regexp_replace(reason, pattern, mark, 'gi') WHERE reason ~* pattern;
END $$
"""
ERASABLE = {
    "event_text": ("text", "salt"),
    "outage_text": ("text", "salt"),
    "account_history": ("changes",),
    "decision": ("inputs", "why", "rule", "rules"),
    "policy_version": ("rules",),
    "policy_publication": ("reason",),
}
# Row-level security lets no index be used whose operator might give a row away, and `@@` counts as one that might. So
# the search runs as a role whose policy shows all rows, and asks for the tenant itself; it answers ids alone, which the
# caller reads under the tenant's policy like any other.
LESSON_WORDS = """
CREATE FUNCTION lesson_words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
  SELECT strip(to_tsvector('simple', regexp_replace(left(content, 200000), '[[:punct:]]+', ' ', 'g')))
$$
"""
FIND_LESSONS = """
CREATE FUNCTION find_lessons(asked text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT escalation_id FROM lesson
  WHERE tenant_id = current_setting('app.tenant_id')::uuid
    AND words @@ (SELECT ('''#' || current_setting('app.tenant_id') || ''' & '
                          || string_agg(quote_literal(word) || ':*', ' & '))::tsquery
                  FROM unnest(tsvector_to_array(lesson_words(asked))) word)
$$
"""
OWNED_BY_ERASER = ("erase_event_text(uuid[])", "erase_mentions(text, text)", "find_lessons(text)")

# Runs with the caller's rights. A block with an EXCEPTION part is a subtransaction: rolled back, it gives up its row
# lock, so that a claim holds at most the lock of the person it ends with and two claims never wait in a circle. The
# sum is a statement of its own because only a new one sees what the holder of the lock has committed.
CLAIM_PLACE = """
CREATE FUNCTION claim_place(candidates uuid[], capacities numeric[], work numeric, escalation uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE held numeric;
BEGIN
  FOR n IN 1 .. cardinality(candidates) LOOP
    BEGIN
      PERFORM 1 FROM "user" WHERE id = candidates[n] AND active FOR NO KEY UPDATE;
      IF FOUND THEN
        SELECT coalesce(sum(weight), 0) INTO held FROM assignment
        WHERE owner_id = candidates[n] AND released_at IS NULL AND escalation_id <> escalation;
        IF held + work <= capacities[n] THEN
          RETURN candidates[n];
        END IF;
      END IF;
      RAISE EXCEPTION 'no room' USING ERRCODE = 'FH001';
    EXCEPTION WHEN SQLSTATE 'FH001' THEN
      NULL;
    END;
  END LOOP;
  RETURN NULL;
END $$
"""

# People's numbers are drawn from a sequence of the tenant's own: they rise and may skip, and no raise waits for another
# as it would for a counter's row. Both run as the owner, who alone may make sequences, and reach only the sequence of
# the tenant in scope.
NUMBERS = (
    """
CREATE FUNCTION number_sequence() RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT 'escalation_number_' || replace((current_setting('app.tenant_id')::uuid)::text, '-', '')
$$
""",
    """
CREATE FUNCTION start_numbers() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE SEQUENCE %I', number_sequence());
END $$
""",
    """
CREATE FUNCTION next_number() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT nextval(number_sequence()::regclass)
$$
""",
)


def statements(metadata: MetaData) -> Iterator[str]:
    """Every statement that guards the tables, in order."""
    yield "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"
    yield "GRANT USAGE ON SCHEMA public TO {app}, {finder}, {eraser}"
    yield REFUSE_CHANGE.strip()
    yield STAMP_TRANSACTION.strip()
    for table in metadata.sorted_tables:
        yield from guard(table)
    for name, columns in ERASABLE.items():
        yield f"GRANT SELECT, UPDATE ({', '.join(columns)}) ON {name} TO {{eraser}}"
        yield (
            f"CREATE POLICY erasure ON {name} TO {{eraser}} USING (tenant_id = {SCOPE}) "
            f"WITH CHECK (tenant_id = {SCOPE})"
        )
    yield CLAIM_PLACE.strip()
    yield from (function.strip() for function in NUMBERS)
    for function in ("start_numbers()", "next_number()"):
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {{app}}"
    yield ERASE_TEXT.strip()
    yield ERASE_MENTIONS.strip()
    yield LESSON_WORDS.strip()
    yield FIND_LESSONS.strip()
    yield "GRANT CREATE ON SCHEMA public TO {eraser}"
    yield from (f"ALTER FUNCTION {function} OWNER TO {{eraser}}" for function in OWNED_BY_ERASER)
    yield "REVOKE CREATE ON SCHEMA public FROM {eraser}"
    for function in OWNED_BY_ERASER:
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {{app}}"


def guard(table: Table) -> Iterator[str]:
    """The policies, grants and triggers of one table."""
    name = f'"{table.name}"'
    if table.info.get("machine"):
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {{app}}"
        yield f"GRANT SELECT ON {name} TO {{finder}}"
        return
    column = "id" if table.name == "tenant" else "tenant_id"
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield f"CREATE POLICY tenant ON {name} TO {{app}} USING ({column} = {SCOPE}) WITH CHECK ({column} = {SCOPE})"
    if table.info.get("append_only"):
        yield f"GRANT SELECT, INSERT ON {name} TO {{app}}"
        argument = "'{eraser_name}'" if table.name in ERASABLE else ""
        yield (
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change({argument})"
        )
    else:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {{app}}"
    if table.info.get("stamped"):
        yield f"CREATE TRIGGER stamped BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION stamp_transaction()"
    if table.name == "tenant":
        yield f"GRANT SELECT (id, clock_offset) ON {name} TO {{finder}}"
        yield f"CREATE POLICY find ON {name} FOR SELECT TO {{finder}} USING (true)"
    if columns := table.info.get("searched"):
        yield f"GRANT SELECT (tenant_id, {', '.join(columns)}) ON {name} TO {{eraser}}"
        yield f"CREATE POLICY search ON {name} FOR SELECT TO {{eraser}} USING (true)"
    if finder := table.info.get("finder"):
        condition, columns = finder
        yield f"GRANT SELECT (tenant_id, {', '.join(columns)}) ON {name} TO {{finder}}"
        yield f"CREATE POLICY find ON {name} FOR SELECT TO {{finder}} USING ({condition})"
