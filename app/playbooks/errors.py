"""What can go wrong with tasks."""

from app.errors import Invalid


class ReasonNeeded(Invalid):
    code, title = "reason_needed", "Waiving a task needs a reason"
