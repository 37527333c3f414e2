"""What the Lightning component and the panel say to each other by postMessage, in the words of both."""

import re
from pathlib import Path

from tests.plugins.conftest import PLUGINS

LIGHTNING = PLUGINS / "salesforce/panel/main/default/lwc/firsthandPanel"
PANEL = PLUGINS.parent / "app/panels/static/panel.js"


def word(source: Path, pattern: str) -> str:
    [found] = set(re.findall(pattern, source.read_text()))
    return str(found)


def test_the_lightning_component_speaks_the_panels_words() -> None:
    conversation, component = LIGHTNING / "conversation.js", LIGHTNING / "firsthandPanel.js"
    assert word(conversation, r'PANEL = "(.+?)"') == word(PANEL, r'source: "(.+?)"')
    assert word(conversation, r'HOST = "(.+?)"') == word(PANEL, r'said\.source !== "(.+?)"')
    assert word(conversation, r"VERSION = (\d+)") == word(PANEL, r"said\.v !== (\d+)") == word(PANEL, r"v: (\d+)")
    assert word(conversation, r'type: "(.+?)"') == word(PANEL, r'said\.type !== "(.+?)"')
    heard = set(re.findall(r'said\.type === "(.+?)"', component.read_text()))
    assert heard == {"ready", "resize", "token-request"}
    assert heard <= set(re.findall(r'type: "(.+?)"', PANEL.read_text()))


def test_what_the_lightning_component_reads_of_a_message_stands_in_it() -> None:
    panel = PANEL.read_text()
    assert re.search(r"const said = \{ source: .+, v: 1, nonce, \.\.\.message \}", panel)
    assert re.search(r'type: "resize", height', panel)
    assert "said.nonce !== nonce" in panel
    assert "said.token" in panel
    assert re.search(
        r"\{ source: HOST, v: VERSION, type: \"token\", nonce, token \}", (LIGHTNING / "conversation.js").read_text()
    )
