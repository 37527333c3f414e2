"""What keeping, sending and showing reports refuses."""

from app.errors import Conflict, Forbidden


class NotYourView(Forbidden):
    code, title = "not_yours", "A view is changed by its owner or an admin; save one of your own instead"


class NameTaken(Conflict):
    code, title = "name_taken", "You have a view of this name"


class NotYourSchedule(Forbidden):
    code, title = (
        "not_yours",
        "A schedule is changed by its owner or an admin; you can leave it",
    )


class ViewInUse(Conflict):
    code, title = "view_in_use", "Mails are made from this view: end or change their schedules first"


class AlreadyWaiting(Conflict):
    code, title = "already_waiting", "One for you is being made already"
