"""What can go wrong with tenants, users, tokens and settings."""

from app.errors import Conflict


class EmailTaken(Conflict):
    code, title = "email_taken", "Another user of this tenant has this e-mail address"


class DutyRequired(Conflict):
    """Duty owner and deputy are the last resort of routing, so they stay able to work while they are named."""

    code, title = "on_duty", "This user is named as duty owner or deputy: name another in the settings first"


class NoDutyOwner(Conflict):
    """A raise before any user exists: an escalation is never unowned."""

    code, title = "no_duty_owner", "The tenant has no duty owner yet: create a user first"


class ManagerCycle(Conflict):
    code, title = "manager_cycle", "Somebody cannot be above themselves in the line"
