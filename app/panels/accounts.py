"""The panel's home: one account, what it is worth and what is open on it."""

from uuid import UUID

from flask import Response

from app import clock
from app.accounts import queries as accounts
from app.auth.guards import requires
from app.db import transaction
from app.http.panels import PanelBlueprint, page

bp = PanelBlueprint("panel_accounts", __name__)


@bp.get("/accounts/<uuid:account_id>")
@requires("accounts:read")
def show(account_id: UUID) -> Response:
    """Value, renewal, health and the account's escalations."""
    with transaction():
        facts = accounts.account_facts(account_id, now=clock.now(), rank=False)
        return page("panels/account.html", account=facts.account)
