"""What can go wrong with an outage."""

from app.errors import Conflict, Forbidden


class OutageEnded(Conflict):
    code, title = "outage_resolved", "The outage is resolved"


class NotYourOutage(Forbidden):
    code, title = "not_yours", "This is for the outage's owner, who acts for them, the line above and admins"
