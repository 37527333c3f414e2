"""Which reports can be kept, sent and shown: each with its place in the API and in the panel."""

from dataclasses import dataclass

from app.texts import noted


@dataclass(frozen=True)
class Kind:
    """`address` and `page` may hold the place of an `account_id`; `takes` are the arguments it reads."""

    key: str
    label: str
    address: str
    page: str
    takes: frozenset[str]

    @property
    def of_account(self) -> bool:
        return "{account_id}" in self.address


DAYS = frozenset({"as_of", "from", "to"})
WHOSE = frozenset({"accounts", "own_accounts"})
KINDS = {
    kind.key: kind
    for kind in (Kind("summary", noted("Executive summary"), "/api/v1/reports/summary", "/reports", DAYS | WHOSE),)
}
