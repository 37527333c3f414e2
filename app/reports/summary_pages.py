"""Pages for executives: the summary before a board call, the rows behind each figure, and what the figures mean."""

from flask import Response, request

from app.auth.guards import requires
from app.db import transaction
from app.http.panels import PanelBlueprint, page
from app.reports.definitions import READER
from app.reports.figures import FIGURES

bp = PanelBlueprint("reports_summary", __name__)


@bp.get("/reports/definitions")
@requires("reports:read")
def show_definitions() -> Response:
    """What each figure means, how it is made and which rows stand behind it."""
    with transaction():
        return page("reports/definitions.html", path=request.path, figures=FIGURES.values(), reader=READER)
