"""Every figure there is, by its key."""

from app.reports.account_definitions import OF_ACCOUNTS
from app.reports.cause_definitions import OF_CAUSES
from app.reports.definitions import ALL
from app.reports.foresight_definitions import OF_FORESIGHT
from app.reports.owner_definitions import OF_OWNERS

EVERY = (*ALL, *OF_OWNERS, *OF_CAUSES, *OF_FORESIGHT, *OF_ACCOUNTS)
FIGURES = {definition.key: definition for definition in EVERY}
