"""An import contract: who may enter a package, and through which of its modules."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class EntrancesContract(Contract):
    """A module of one package imports from another only its `entrances`, or a module named in `more`.

    `doors` of every package are open to the package `above` alone, which runs them.
    """

    container = fields.StringField()
    packages = fields.ListField(subfield=fields.StringField())
    entrances = fields.SetField(subfield=fields.StringField())
    more = fields.SetField(subfield=fields.StringField())
    doors = fields.SetField(subfield=fields.StringField())
    above = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        unknown = sorted(self.more - graph.modules)
        broken = [
            (importer, imported)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._may(importer, imported)
        ]
        return ContractCheck(kept=not (broken or unknown), metadata={"broken": broken, "unknown": unknown})

    def _package_of(self, module: str) -> str | None:
        """The feature package a module belongs to; None for the rest of the application."""
        container, _, inside = module.partition(".")
        package = inside.partition(".")[0]
        return package if container == self.container and package in self.packages else None

    def _may(self, importer: str, imported: str) -> bool:
        package = self._package_of(imported)
        if package in (None, self._package_of(importer)) or importer == self.container:
            return True
        inner = imported.removeprefix(f"{self.container}.{package}.")
        if inner in self.entrances or imported in self.more:
            return True
        return inner in self.doors and importer.startswith(f"{self.above}.")

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}, which is no entrance of its package.")
        for module in check.metadata["unknown"]:
            output.print_error(f"{module} is named as an entrance and does not exist.")
