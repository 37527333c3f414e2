"""Every figure there is, by its key."""

from app.reports.account_definitions import OF_ACCOUNTS
from app.reports.cause_definitions import OF_CAUSES
from app.reports.definitions import ALL, WARNED
from app.reports.foresight_definitions import OF_FORESIGHT
from app.reports.owner_definitions import OF_OWNERS

EVERY = (*ALL, *OF_OWNERS, *OF_CAUSES, *OF_FORESIGHT, *OF_ACCOUNTS)
FIGURES = {definition.key: definition for definition in EVERY}
# Whose rows GET /reports/rows lists.
WITH_ROWS = sorted(key for key, figure in FIGURES.items() if figure.source != WARNED)
