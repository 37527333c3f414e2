"""The plugins' files by the rules that their vendors publish, as far as they need no tool of the vendor's."""

import json
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.plugins.conftest import HOST, INSTALLATION, PLUGINS, files

METADATA = "{http://soap.sforce.com/2006/04/metadata}"
SALESFORCE = PLUGINS / "salesforce"
ZENDESK = PLUGINS / "zendesk"
HUBSPOT = PLUGINS / "hubspot"
LOCALE = re.compile(r"[a-z]{2}(-\w{2,3})?\Z")


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def element(path: str, name: str) -> list[str | None]:
    root = ElementTree.parse(SALESFORCE / path).getroot()
    return [found.text for found in root.iter(METADATA + name)]


@pytest.mark.parametrize("path", files("*.json"), ids=lambda path: path.name)
def test_every_json_file_can_be_read(path: Path) -> None:
    assert read(path)


@pytest.mark.parametrize("path", files("*-meta.xml"), ids=lambda path: path.name)
def test_every_metadata_file_is_well_formed(path: Path) -> None:
    assert ElementTree.parse(path).getroot().tag.startswith(METADATA)


def test_the_canvas_component_is_told_the_record_before_its_app_begins() -> None:
    [path] = files("*.cmp")
    component = ElementTree.fromstring(f'<all xmlns:aura="aura" xmlns:force="force">{path.read_text()}</all>')
    [canvas] = component.iterfind(".//{aura}if/{force}canvasApp")
    assert canvas.attrib["developerName"] == "Firsthand"
    assert canvas.attrib["parameters"] == "{!v.parameters}"
    assert "recordId: component.get" in path.with_name("firsthandCanvasController.js").read_text()


def test_the_salesforce_canvas_is_of_an_external_client_app_and_signed() -> None:
    assert float(read(SALESFORCE / "sfdx-project.json")["sourceApiVersion"]) >= 66.0
    canvas = "canvas/main/default/extlClntAppCanvasSettings/Firsthand_Canvas.ecaCanvas-meta.xml"
    assert element(canvas, "accessMethod") == ["Post"]
    assert set(element(canvas, "canvasLocationOptions")) == {"Aura", "PageLayout"}
    app = SALESFORCE / "canvas/main/default/externalClientApps/Firsthand.eca-meta.xml"
    assert app.is_file()
    parts = [path for path in files("*.eca*-meta.xml") if path != app]
    assert len(parts) == 3
    for part in parts:
        assert element(str(part.relative_to(SALESFORCE)), "externalClientApplication") == ["Firsthand"]


def test_the_lightning_component_stands_on_accounts_and_cases() -> None:
    meta = "panel/main/default/lwc/firsthandPanel/firsthandPanel.js-meta.xml"
    assert element(meta, "object") == ["Account", "Case"]
    assert element(meta, "target") == ["lightning__RecordPage"]
    assert element(meta, "isExposed") == ["true"]


def test_salesforce_frames_our_host_and_grants_it_nothing_else() -> None:
    trusted = "panel/main/default/cspTrustedSites/Firsthand.cspTrustedSite-meta.xml"
    assert element(trusted, "endpointUrl") == [HOST]
    root = ElementTree.parse(SALESFORCE / trusted).getroot()
    granted = {found.tag.removeprefix(METADATA) for found in root if found.text == "true"}
    assert granted == {"isActive", "isApplicableToFrameSrc"}


def test_the_permission_set_opens_the_class_and_its_credential() -> None:
    granted = "panel/main/default/permissionsets/Firsthand_Panel.permissionset-meta.xml"
    principal = "panel/main/default/externalCredentials/Firsthand.externalCredential-meta.xml"
    assert "Panel" in element(principal, "parameterName")
    assert element(granted, "externalCredentialPrincipal") == ["Firsthand-Panel"]
    assert element(granted, "apexClass") == ["FirsthandPanelController"]
    assert element(granted, "object") == ["UserExternalCredential"]


def test_hubspot_may_ask_and_frame_our_host_alone() -> None:
    app = read(HUBSPOT / "src/app/app-hsmeta.json")
    assert app["config"]["permittedUrls"] == {"fetch": ["${FIRSTHAND_URL}"], "iframe": ["${FIRSTHAND_URL}"], "img": []}
    profile = read(HUBSPOT / "src/hsprofile.firsthand.json")
    assert profile["variables"] == {"FIRSTHAND_URL": HOST, "FIRSTHAND_INSTALLATION": INSTALLATION}


def test_the_hubspot_card_is_one_of_companies_and_its_entrance_is_there() -> None:
    card = read(HUBSPOT / "src/app/cards/firsthand-card-hsmeta.json")
    assert card["type"] == "card"
    assert card["config"]["location"] == "crm.record.sidebar"
    assert card["config"]["objectTypes"] == ["companies"]
    assert (HUBSPOT / "src" / card["config"]["entrypoint"].lstrip("/")).is_file()


def test_zendesk_signs_what_it_frames() -> None:
    manifest = read(ZENDESK / "manifest.json")
    assert manifest["signedUrls"] is True
    assert manifest["frameworkVersion"] == "2.0"
    assert manifest["private"] is True
    assert set(manifest["location"]["support"]) == {"ticket_sidebar", "organization_sidebar"}
    assert all(place["flexible"] is True for place in manifest["location"]["support"].values())


def test_zendesk_finds_the_words_and_pictures_it_demands() -> None:
    default = read(ZENDESK / "manifest.json")["defaultLocale"]
    words = {path.stem: set(read(path)["app"]) for path in (ZENDESK / "translations").iterdir()}
    assert default in words
    assert all(LOCALE.match(locale) for locale in words)
    assert all(told == words[default] for told in words.values())
    assert words[default] == {"name", "short_description", "long_description", "installation_instructions"}
    sizes = {path.name: struct.unpack(">II", path.read_bytes()[16:24]) for path in (ZENDESK / "assets").iterdir()}
    assert sizes == {"logo.png": (320, 320), "logo-small.png": (128, 128)}


def test_the_host_stands_in_the_one_place_that_each_readme_names() -> None:
    holders = {str(path.relative_to(PLUGINS)) for path in files() if HOST in path.read_text(errors="ignore")}
    meant = {path for path in holders if not path.endswith(("README.md", "Test.cls", ".test.js"))}
    replaced = {path for path in meant if path.startswith("salesforce/") and path.endswith("-meta.xml")}
    assert meant - replaced == {
        "salesforce/sfdx-project.json",
        "hubspot/src/hsprofile.firsthand.json",
        "zendesk/manifest.json",
    }


def test_a_deployment_to_salesforce_replaces_what_the_files_hold() -> None:
    rules = read(SALESFORCE / "sfdx-project.json")["replacements"]
    assert {rule["stringToReplace"]: rule["replaceWithEnv"] for rule in rules} == {
        HOST: "FIRSTHAND_URL",
        INSTALLATION: "FIRSTHAND_INSTALLATION",
    }


def test_what_npm_installs_is_pinned_and_names_no_registry() -> None:
    locked = read(PLUGINS / "package-lock.json")
    own = {"", "hubspot/src/app/cards", "node_modules/firsthand-card"}
    loose = [path for path, entry in locked["packages"].items() if not {"integrity", "inBundle"} & set(entry)]
    assert set(loose) == own
    assert not [path for path, entry in locked["packages"].items() if "://" in entry.get("resolved", "")]
    assert "omit-lockfile-registry-resolved=true" in (PLUGINS / ".npmrc").read_text().splitlines()
    asked = read(PLUGINS / "package.json")["devDependencies"]
    assert all(re.fullmatch(r"[0-9.]+", version) for version in asked.values())
