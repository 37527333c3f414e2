"""Which reports can be kept, sent and shown: those that have a page, each asked as its files are."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.reports.exports.sources import SOURCES, Source

# Where the panel shows a report; one that has no page here is not offered.
# A list that goes on page by page is none of them: it is read in transactions of its own.
PAGES: Mapping[str, str] = {
    "summary": "/reports",
    "owners": "/reports/owners",
    "teams": "/reports/owners?by=team",
    "causes": "/reports/causes",
    "account": "/reports/accounts/{account_id}",
    "forecast": "/reports/warnings",
    "early-warning": "/reports/warnings",
}
PLACE_OF_ACCOUNT = "<uuid:account_id>"


@dataclass(frozen=True)
class Kind:
    """`page` and `address`, the panel's and the API's, may hold the place of an `account_id`."""

    source: Source
    page: str

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def label(self) -> str:
        return self.source.title

    @property
    def address(self) -> str:
        path = (self.source.path or self.source.key).replace(PLACE_OF_ACCOUNT, "{account_id}")
        return f"/api/v1/reports/{path}"

    @property
    def takes(self) -> frozenset[str]:
        """The arguments it reads, by their names on the wire."""
        fields = self.source.arguments().fields
        return frozenset(field.data_key or name for name, field in fields.items())

    @property
    def of_account(self) -> bool:
        return "{account_id}" in self.address


KINDS = {key: Kind(SOURCES[key], page) for key, page in PAGES.items()}
