"""The requests in the plugins' instructions, sent as they stand there: an admin who copies them is understood."""

import json
import re
from typing import Any

import pytest

from tests.conftest import ApiClient
from tests.panels.embedding import KEY
from tests.plugins.conftest import PLUGINS

CURL = re.compile(r"^ *curl (?P<options>.*?) \$API/(?P<path>\S+) -d (?:'(?P<body>.*)'|@\S+)$", re.MULTILINE)
AUDIENCE = re.compile(r'aud = "(.+)"')
KINDS = ("salesforce", "hubspot", "zendesk")


def instructions(kind: str) -> str:
    return (PLUGINS / kind / "README.md").read_text()


def requests_of(kind: str) -> list[tuple[str, str, dict[str, Any], str | None]]:
    """Method, path, body and If-Match of each, in their order."""
    found = []
    for one in CURL.finditer(instructions(kind)):
        method = re.search(r"-X (\w+)", one["options"])
        if_match = re.search(r"If-Match: ([^']+)'", one["options"])
        body = json.loads(one["body"]) if one["body"] else zendesk_connection()
        found.append((method[1] if method else "POST", one["path"], body, if_match[1] if if_match else None))
    return found


def zendesk_connection() -> dict[str, Any]:
    """What the instructions' few lines of Python write, with the words in capitals filled in."""
    [audience] = AUDIENCE.findall(instructions("zendesk"))
    key = audience.replace("SUBDOMAIN", "acme").replace("INSTALLATION-ID", "4711")
    public = KEY.as_pem(private=False).decode()
    return {"kind": "zendesk", "name": "Zendesk", "external_key": key, "public_key": public}


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_of_the_instructions_is_accepted(client: ApiClient, kind: str) -> None:
    client.post("/api/v1/users", json={"email": "cora@acme.example", "name": "Cora", "role": "csm"})
    sent, made = requests_of(kind), {}
    assert instructions(kind).count("curl ") == len(sent) > 0
    for method, path, body, if_match in sent:
        where = path.replace("AGENT-ID", "1234").replace("ID", made.get("id", "ID"))
        answer = client.open(method, f"/api/v1/{where}", json=body, if_match=if_match)
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.text}"
        if path == "embed-installations":
            made = answer.json


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_part_of_an_address_is_what_the_files_have_a_placeholder_for(client: ApiClient, kind: str) -> None:
    [body] = [body for _, path, body, _ in requests_of(kind) if path == "embed-installations"]
    made = client.post("/api/v1/embed-installations", json=body).json
    assert re.fullmatch(rf"https?://[^/]+/panel/embed/{kind}/[0-9a-f]{{32}}\.[0-9a-f]{{32}}", made["address"])


def test_a_token_as_the_instructions_make_it_opens_panels_and_nothing_else(client: ApiClient, app: Any) -> None:
    bodies = {path: body for _, path, body, _ in requests_of("salesforce") if path in ("users", "tokens")}
    client.post("/api/v1/users", json=bodies["users"])
    token = client.post("/api/v1/tokens", json=bodies["tokens"]).json["token"]
    salesforce = ApiClient(app, token)
    opened = salesforce.post("/api/v1/embed/sessions", json={"user": {"email": "admin@example.com"}})
    assert opened.status_code == 201, opened.text
    assert set(opened.json) >= {"launch_url", "token"}
    assert salesforce.get("/api/v1/accounts").status_code == 403
