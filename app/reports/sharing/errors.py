"""What keeping, sending and showing reports refuses."""

from app.errors import Conflict, Forbidden


class NotYourView(Forbidden):
    code, title = "not_yours", "A view is changed by its owner or an admin; save one of your own instead"


class NameTaken(Conflict):
    code, title = "name_taken", "You have a view of this name"
