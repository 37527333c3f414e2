"""The panel's page of a CRM's record, by the CRM's own id: its account, or how it would get here."""

from flask import Response

from app.auth.guards import requires
from app.db import transaction
from app.http.panels import PanelBlueprint, go, page
from app.panels.embed.signing import find_account

bp = PanelBlueprint("panel_records", __name__)


@bp.get("/records/<source>/<path:external_id>")
@requires("accounts:read")
def show(source: str, external_id: str) -> Response:
    """The account that a record is; one that is not known says so, and how it gets here."""
    with transaction():
        account_id = find_account(source, external_id)
        if account_id is not None:
            return go(f"/accounts/{account_id}")
        return page("panels/embed/unknown_record.html", 404, source=source, external_id=external_id)
