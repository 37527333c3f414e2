"""Every table of the database, whoever wrote it: scoped to one tenant, described by one migration."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.db import Model, NoTenantScope, db, finding, set_scope, transaction
from app.migrations.roles import quoted, role_names
from app.migrations.security import statements as guards
from app.operations.migrate import alembic_config
from tests.app.catalogue import read_catalogue

NOT_TENANTS = {"heartbeat": "processes belong to the installation", "alembic_version": "the migration's own"}
TENANT_TABLE = "tenant"
APPEND_ONLY = sorted(table.name for table in Model.metadata.tables.values() if table.info.get("append_only"))


@pytest.fixture
def owner(app, settings):
    """A connection as the tables' owner, whose work is rolled back."""
    engine = create_engine(settings.migration_url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def tenant_tables(owner):
    names = owner.scalars(text("select tablename from pg_tables where schemaname = 'public'"))
    return sorted(set(names) - set(NOT_TENANTS))


def test_every_tenant_table_is_under_forced_row_level_security_with_the_tenants_policy(owner, settings):
    rows = owner.execute(
        text(
            "select c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, pg_get_expr(p.polqual, c.oid),"
            " pg_get_expr(p.polwithcheck, c.oid), p.polcmd, p.polroles::regrole[]::text from pg_class c"
            " left join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant'"
            " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"
        )
    )
    found = {row[0]: tuple(row[1:]) for row in rows if row[0] not in NOT_TENANTS}
    scope = "(SELECT (current_setting('app.tenant_id'::text))::uuid AS current_setting)"
    for name, row in found.items():
        rule = f"({'id' if name == TENANT_TABLE else 'tenant_id'} = ( {scope[1:-1]}))"
        assert (name, *row) == (name, True, True, "tenant", rule, rule, "*", f"{{{settings.app_role}}}")
    assert set(found) == {table.name for table in Model.metadata.tables.values()} - set(NOT_TENANTS)


def test_other_policies_only_let_the_finder_look_and_the_eraser_erase_and_search(owner, settings):
    rows = owner.execute(
        text("select tablename, policyname, roles::text, cmd from pg_policies where policyname <> 'tenant'")
    ).all()
    finder = {row for row in rows if row.policyname == "find"}
    assert {(row.roles, row.cmd) for row in finder} == {(f"{{{settings.finder_role}}}", "SELECT")}
    assert {row.tablename for row in finder} == {
        "tenant",
        "clock",
        "intent",
        "escalation",
        "daily_job",
        "attachment",
        "attachment_tidy",
        "application",
        "simulation",
        "import",
        "absence",
        "suggestion_model",
        "hazard_model",
        "outage",
        "user",
        "report_schedule",
        "report_delivery",
        "report_export",
        "webhook_subscription",
        "webhook_delivery",
    }
    erasable = {"event_text", "outage_text", "account_history", "decision", "policy_version", "policy_publication"}
    assert {row.tablename for row in rows if row not in finder} == erasable | {"lesson"}
    assert {row.roles for row in rows if row not in finder} == {f"{{{role_names(settings)['eraser']}}}"}


def test_every_key_carries_the_tenant(owner):
    keys = owner.execute(
        text(
            "select c.relname, i.relname as key, array_agg(a.attname::text) as columns from pg_index x"
            " join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum = any(x.indkey)"
            " where c.relnamespace = 'public'::regnamespace and x.indisunique group by 1, 2"
        )
    ).all()
    assert len(keys) > 40
    exempt = {*NOT_TENANTS, TENANT_TABLE}
    assert [key.key for key in keys if key.relname not in exempt and "tenant_id" not in key.columns] == []


def test_every_foreign_key_carries_the_tenant_on_both_sides_and_waits_for_the_commit(owner):
    keys = owner.execute(
        text(
            "select conname, condeferred, pg_get_constraintdef(oid) as definition from pg_constraint"
            " where contype = 'f' and connamespace = 'public'::regnamespace"
        )
    ).all()
    assert len(keys) > 20
    for key in keys:
        assert key.definition.startswith("FOREIGN KEY (tenant_id, ")
        assert "(tenant_id, id)" in key.definition.partition("REFERENCES")[2]
        assert key.condeferred


def test_there_is_one_migration_head(settings):
    assert len(ScriptDirectory.from_config(alembic_config(settings)).get_heads()) == 1


def test_the_models_match_the_migrations(owner, settings):
    """Columns, keys, checks, indexes, policies, grants, triggers and functions; undone at the end."""
    owner.execute(text("set local lock_timeout = '20s'"))
    migrated = read_catalogue(owner)
    owner.execute(text("drop schema public cascade"))
    owner.execute(text("create schema public"))
    Model.metadata.create_all(owner)
    for statement in guards(Model.metadata):
        owner.exec_driver_sql(statement.format(**quoted(role_names(settings))).replace("%", "%%"))
    modelled = read_catalogue(owner)
    assert len(migrated) > 1000
    assert migrated - modelled == set()
    assert modelled - migrated == set()


def test_the_login_user_is_neither_superuser_nor_past_row_level_security(app, settings):
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        row = connection.execute(text("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")).one()
        inherits = connection.scalars(
            text(
                "select inherit_option from pg_auth_members where member = current_user::regrole"
                " and roleid::regrole::text = any(:names)"
            ),
            {"names": [f"{role}" for role in (settings.app_role, settings.finder_role)]},
        ).all()
    engine.dispose()
    assert tuple(row) == (False, False)
    assert len(inherits) >= 2
    # A grant by a role to itself on creation inherits nothing either.
    assert not any(inherits)


def test_a_connection_without_scope_reads_nothing(app, settings, client, owner):
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        for table in tenant_tables(owner):
            assert (table, connection.scalar(text(f'select count(*) from "{table}"'))) == (table, 0)
    engine.dispose()


def test_the_application_role_without_a_tenant_is_told_so(app, settings):
    with app.app_context():
        set_scope(db.session(), settings.app_role, None)
        with pytest.raises(NoTenantScope):
            db.session.execute(text('select * from "user"'))
        db.session.rollback()


def test_the_finder_sees_which_tenants_exist_and_nothing_of_their_people(tenant):
    with finding() as session:
        assert tenant.id in session.scalars(text("select id from tenant")).all()
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text("select name from tenant"))
    with finding() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text('select * from "user"'))


def test_another_tenants_rows_are_neither_read_changed_nor_pointed_at(new_tenant):
    ours, theirs = new_tenant(), new_tenant("Others")
    with transaction(tenant=ours.id) as session:
        assert session.scalars(text('select id from "user"')).all() == [ours.admin.id]
        assert (
            session.execute(text("update \"user\" set name = 'x' where id = :id"), {"id": theirs.admin.id}).rowcount
            == 0
        )
    insert = text(
        "insert into api_token (tenant_id, id, user_id, name, secret_hash, created_at)"
        " values (:tenant, gen_random_uuid(), :user, '', '\\x00', '2026-01-01Z')"
    )
    with pytest.raises(DBAPIError, match="row-level security"), transaction(tenant=ours.id) as session:
        session.execute(insert, {"tenant": theirs.id, "user": theirs.admin.id})
    with pytest.raises(DBAPIError, match="fk_api_token_user_id"), transaction(tenant=ours.id) as session:
        session.execute(insert, {"tenant": ours.id, "user": theirs.admin.id})


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_an_append_only_table_refuses_changes_also_of_its_owner(owner, settings, tenant, table):
    for command in (f'update "{table}" set id = id', f'delete from "{table}"', f'truncate "{table}" cascade'):
        with owner.begin_nested() as savepoint:
            with pytest.raises(ProgrammingError, match="append-only"):
                owner.execute(text(command))
            savepoint.rollback()
        with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
            session.execute(text(command))


def test_a_web_user_who_owns_nothing_is_enough(settings, owner):
    """In production web and worker log in as another user than the tables' owner."""
    from dataclasses import replace

    from sqlalchemy.engine import make_url

    from app import create_app
    from app.auth import queries
    from app.operations import tenants
    from app.operations.migrate import upgrade

    with owner.begin_nested():
        owner.execute(text("do $$ begin if not exists (select from pg_roles where rolname = 'firsthand_web') then"
                           " create role firsthand_web login; end if; end $$"))  # fmt: skip
    owner.commit()
    url = make_url(settings.database_url).set(username="firsthand_web")
    theirs = replace(settings, database_url=url.render_as_string(hide_password=False))
    upgrade(theirs)
    with create_app(theirs).app_context():
        tenant_id = tenants.set_up("Acme")
        with transaction(tenant=tenant_id):
            assert queries.get_tenant().name == "Acme"
        with db.engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text('select * from "user"'))
        db.engine.dispose()
