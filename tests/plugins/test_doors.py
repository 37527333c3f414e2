"""The addresses in the plugins are doors of this application."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.auth.guards import OPEN, scope_of
from app.auth.roles import SCOPES_OF
from tests.plugins.conftest import HOST, INSTALLATION, PLUGINS, files

KINDS = ("salesforce", "hubspot", "zendesk")
AN_INSTALLATION = "0a" * 16 + "." + "0b" * 16
ADDRESS = re.compile(re.escape(HOST) + r"[^\s\"'<#]*")


def addresses() -> Iterator[tuple[Path, str]]:
    """Where the plugins' own files, save their instructions, name a page of ours."""
    for path in files():
        if path.suffix in (".xml", ".json") and path.name != "package-lock.json":
            for found in ADDRESS.findall(path.read_text()):
                yield path, found.removeprefix(HOST)


def endpoint(app: Flask, path: str, method: str = "POST") -> str:
    """The view behind a path; raises where the application has none."""
    with app.test_request_context():
        return str(app.url_map.bind("localhost").match(path.replace(INSTALLATION, AN_INSTALLATION), method=method)[0])


def scope(app: Flask, path: str) -> str | None:
    """What opens the door at a path."""
    found = endpoint(app, path)
    with app.app_context():
        return scope_of(found)


def test_every_address_of_a_plugin_is_a_door(app: Flask) -> None:
    paths = {path for _, path in addresses() if path}
    assert paths == {f"/panel/embed/{kind}/{INSTALLATION}" for kind in ("salesforce", "zendesk")}
    for path in paths:
        assert endpoint(app, path)


@pytest.mark.parametrize("kind", KINDS)
def test_each_crm_has_a_door_that_needs_no_token_of_ours(app: Flask, kind: str) -> None:
    assert scope(app, f"/panel/embed/{kind}/{INSTALLATION}") == OPEN


def test_the_hubspot_card_knows_both_of_its_doors(app: Flask) -> None:
    source = (PLUGINS / "hubspot/src/app/cards/firsthand.ts").read_text()
    assert "/panel/embed/hubspot/${variables?.FIRSTHAND_INSTALLATION}" in source
    assert "`${at}/launch`" in source
    assert endpoint(app, f"/panel/embed/hubspot/{INSTALLATION}/launch")


def test_apex_asks_at_the_door_that_a_token_for_panels_opens(app: Flask) -> None:
    source = (PLUGINS / "salesforce/panel/main/default/classes/FirsthandPanelController.cls").read_text()
    [path] = re.findall(r"'callout:Firsthand(/[^']+)'", source)
    asked = scope(app, path)
    assert asked == "panels:launch"
    assert asked in SCOPES_OF["integration"]
    credential = PLUGINS / "salesforce/panel/main/default/externalCredentials/Firsthand.externalCredential-meta.xml"
    assert asked in credential.read_text()
