"""What can go wrong with playbooks and tasks."""

from app.errors import Conflict, Invalid


class ReasonNeeded(Invalid):
    code, title = "reason_needed", "Waiving a task needs a reason"


class PlaybookRefused(Invalid):
    code, title = "playbook_refused", "The playbook cannot be meant"


class NothingToPublish(Conflict):
    code, title = "nothing_to_publish", "There is no such version to publish"


class DraftRefused(Invalid):
    code, title = "draft_refused", "The message draft cannot be rendered"
