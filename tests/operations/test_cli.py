"""The commands: what stands on stdout, what on stderr, and the exit status."""

import json
import re
from contextvars import Context
from uuid import UUID

import pytest
from click.testing import CliRunner

from app.operations.cli import cli
from tests.conftest import ApiClient

UNKNOWN = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def command(settings):
    """Runs one command on the test's database and gives its result."""
    environ = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "warning",
    }

    def run(*words, input=None, **changes):
        return Context().run(CliRunner().invoke, cli, list(words), env=environ | changes, input=input)

    return run


def test_a_tenant_and_its_first_token_are_made_with_two_commands_and_the_token_works(app, command):
    made = command("tenant", "create", "Acme")
    assert made.exit_code == 0
    tenant = UUID(made.stdout.strip())
    token = command("token", "create", "--tenant", str(tenant), "--user", "ada.lovelace@example.com", "--role", "admin")
    assert re.fullmatch(rf"fh_{tenant.hex}_[\w-]{{43}}\n", token.stdout)
    (user,) = ApiClient(app, token.stdout.strip()).get("/api/v1/users").json["items"]
    assert (user["email"], user["name"], user["role"]) == ("ada.lovelace@example.com", "Ada Lovelace", "admin")


def test_a_new_user_is_a_csm_and_a_scope_narrows_the_token(app, command):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    words = ["token", "create", "--tenant", tenant, "--user", "bea@example.com"]
    token = command(*words, "--scope", "accounts:read").stdout.strip()
    assert ApiClient(app, token).get("/api/v1/users").status_code == 403
    token = command(*words).stdout.strip()
    assert ApiClient(app, token).get("/api/v1/users").json["items"][0]["role"] == "csm"


def test_a_scope_that_the_role_does_not_have_leaves_nothing_behind(app, command):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    words = ["token", "create", "--tenant", tenant, "--user", "bea@example.com"]
    refused = command(*words, "--scope", "routing:write")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: scopes.0: routing:write is not a scope of the role csm\n"
    token = command(*words, "--role", "admin").stdout.strip()
    assert len(ApiClient(app, token).get("/api/v1/users").json["items"]) == 1


def test_a_role_that_differs_from_the_users_is_refused(command):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    words = ["token", "create", "--tenant", tenant, "--user", "bea@example.com", "--role"]
    assert command(*words, "manager").exit_code == 0
    refused = command(*words, "admin")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "already has the role manager" in refused.stderr


def test_an_unknown_tenant_is_said_in_one_line(command):
    refused = command("token", "create", "--tenant", UNKNOWN, "--user", "bea@example.com")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: there is no tenant {UNKNOWN}\n"


def test_all_faults_of_the_settings_are_listed_at_once(command):
    refused = command("tenant", "create", "Acme", FIRSTHAND_REDIS_URL=None, FIRSTHAND_SECRET_KEY="short")
    assert refused.exit_code == 2
    assert "FIRSTHAND_REDIS_URL is missing" in refused.stderr
    assert "FIRSTHAND_SECRET_KEY is wrong: expected at least 32 characters" in refused.stderr


def test_an_unreachable_database_is_said_in_one_message(command):
    refused = command("tenant", "create", "Acme", FIRSTHAND_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: the database does not answer:")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["tenant", "create"],
        ["token", "create", "--tenant", "x", "--user", "a@b.example"],
        ["tenant", "create", " "],
        ["x"],
    ],
)
def test_wrong_usage_ends_with_2(command, words):
    assert command(*words).exit_code == 2


def test_every_command_has_help(command):
    def paths(group, prefix):
        for name, entry in group.commands.items():
            yield [*prefix, name]
            yield from paths(entry, [*prefix, name]) if hasattr(entry, "commands") else ()

    for path in paths(cli, []):
        shown = command(*path, "--help")
        assert shown.exit_code == 0
        said = shown.stdout.split("\n\n", 1)[1].split("Options:")[0]
        assert len(said.strip()) > 5, f"{path} says nothing of what it does"


def test_a_tenant_is_made_on_embedded_servers_of_the_commands_own(command, tmp_path):
    from contextlib import ExitStack

    from tests.servers import temporary_folder

    none = {"FIRSTHAND_DATABASE_URL": None, "FIRSTHAND_REDIS_URL": None, "FIRSTHAND_SECRET_KEY": None}
    with ExitStack() as stack:
        folder = str(temporary_folder(stack))
        made = command("tenant", "create", "Acme", "--data-dir", folder, **none)
        assert made.exit_code == 0, made.stderr
        again = command("token", "create", "--tenant", made.stdout.strip(), "--user", "a@b.example",
                        "--data-dir", folder, **none)  # fmt: skip
        assert again.stdout.startswith("fh_")


def test_an_import_lands_good_rows_tells_bad_ones_and_ends_with_1(command, tmp_path):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    file = tmp_path / "accounts.csv"
    file.write_text("id,label\nA-1,One\nA-2,\nA-3,Three\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nexternal_id = "id"\nname = "label"\n')
    words = ["import", "accounts", str(file), "--tenant", tenant, "--map", str(mapping)]
    dry = command(*words, "--dry-run")
    assert (dry.exit_code, dry.stdout) == (1, "")
    assert "would be: 3 rows: 2 created, 0 updated, 0 unchanged, 1 rejected" in dry.stderr
    done = command(*words)
    assert done.exit_code == 1
    assert "line 3: name: expected a value: it can't be cleared" in done.stderr
    assert "3 rows: 2 created, 0 updated, 0 unchanged, 1 rejected" in done.stderr
    file.write_text("id,label\nA-1,One\nA-3,Three\n")
    again = command(*words)
    assert (again.exit_code, "2 rows: 0 created, 0 updated, 2 unchanged, 0 rejected" in again.stderr) == (0, True)


def test_an_import_with_a_wrong_header_says_which_column(command, tmp_path):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    file = tmp_path / "accounts.csv"
    file.write_text("external_id,nmae\nA-1,One\n")
    refused = command("import", "accounts", str(file), "--tenant", tenant)
    assert refused.exit_code == 1
    assert "accounts.csv: unknown column 'nmae' for accounts" in refused.stderr


def test_a_person_is_exported_and_erased_after_a_question(command):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    for email in ("ada@example.com", "bea.lind@example.com"):
        command("token", "create", "--tenant", tenant, "--user", email)
    words = ["bea.lind@example.com", "--tenant", tenant]
    exported = json.loads(command("export-person", *words).stdout)
    assert exported["tables"]["user"][0]["name"] == "Bea Lind"
    assert command("erase-person", *words, input="n\n").exit_code == 1
    assert command("export-person", *words).exit_code == 0
    assert command("erase-person", *words, "--yes").exit_code == 0
    gone = command("export-person", *words)
    assert (gone.exit_code, gone.stderr) == (1, "Error: nobody has the address bea.lind@example.com\n")
    again = command("token", "create", "--tenant", tenant, "--user", "bea.lind@example.com")
    assert again.stderr == "Error: The person with this address was erased\n"


def test_a_policy_is_replayed_from_the_terminal_and_its_result_told(app, command):
    tenant = command("tenant", "create", "Acme").stdout.strip()
    token = command("token", "create", "--tenant", tenant, "--user", "ada@example.com", "--role", "admin")
    client = ApiClient(app, token.stdout.strip())
    client.put("/api/v1/accounts/crm/A1", json={"name": "Acme", "owner_email": "ada@example.com"})
    body = {"account": {"source": "crm", "external_id": "A1"}, "title": "Down", "severity": 1}
    assert client.post("/api/v1/escalations", json=body).status_code == 201
    done = command("routing", "simulate", "--tenant", tenant, "--number", "1")
    assert done.exit_code == 0
    found = client.get(f"/api/v1/routing/simulations/{done.stdout.strip()}").json
    assert (found["state"], found["done"], found["asked_by"]) == ("done", 1, None)
    assert done.stderr.splitlines() == [
        "1 cases, 0 with another first owner",
        "no owner by the rules: 0; really 0",
        "closed by the first owner: none predicted, none really, of 0 closed",
        "judged by facts of today for want of a record: 0",
    ]
    refused = command("routing", "simulate", "--tenant", tenant, "--from", "2020-01-01", "--to", "2022-01-01")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: from: expected at most 366 days\n"
