"""The import contract itself: what it lets pass and what it refuses."""

import pytest
from grimp import ImportGraph

from tests.app.entrances import EntrancesContract

OPTIONS = {
    "container": "app",
    "packages": ["sla", "escalations", "operations"],
    "entrances": ["service", "queries"],
    "more": ["app.sla.calendar"],
    "doors": ["jobs"],
    "above": "app.operations",
}


def broken_by(importer, imported):
    graph = ImportGraph()
    for module in (importer, imported, "app.sla.calendar"):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported)
    contract = EntrancesContract(name="entrances", session_options={}, contract_options=OPTIONS)
    return contract.check(graph, verbose=False).metadata["broken"]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("app.escalations.service", "app.sla.service"),
        ("app.escalations.service", "app.sla.calendar"),
        ("app.sla.routes", "app.sla.schemas"),
        ("app.operations.cli", "app.sla.jobs"),
        ("app", "app.sla.routes"),
        ("app.sla.service", "app.db"),
    ],
)
def test_an_entrance_is_open(importer, imported):
    assert broken_by(importer, imported) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("app.escalations.service", "app.sla.schemas"),
        ("app.escalations.jobs", "app.sla.jobs"),
        ("app.escalations.service", "app.sla.inner.service"),
        ("app.operations.cli", "app.sla.routes"),
    ],
)
def test_an_inner_module_is_closed(importer, imported):
    assert broken_by(importer, imported) == [(importer, imported)]


def test_an_entrance_that_does_not_exist_is_a_fault():
    contract = EntrancesContract(name="entrances", session_options={}, contract_options=OPTIONS)
    assert contract.check(ImportGraph(), verbose=False).kept is False
