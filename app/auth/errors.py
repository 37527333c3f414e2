"""What can go wrong with tenants, users, tokens, settings and links."""

from app.errors import AppError, Conflict, NotFound, Unauthenticated


class PersonErased(Conflict):
    """They were erased by law; nothing brings them back."""

    code, title = "person_erased", "The person with this address was erased"


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


class LinkUnknown(NotFound):
    """Not ours, changed on the way, or its person is gone: which of them, a stranger does not learn."""

    code, title = "link_unknown", "This link does not lead anywhere"


class LinkExpired(AppError):
    """It was ours; the person asks for a new one or signs in."""

    status, code, title = 410, "link_expired", "This link has expired"


class SealBroken(Conflict):
    """Sealed for somebody else, changed since, or sealed with a key that is no longer among the settings."""

    code, title = "seal_broken", "A kept secret can no longer be read: enter it again"


class LaunchRefused(Unauthenticated):
    """Not ours, used before, or its minute is over: which of them, a stranger does not learn."""

    code, title = "launch_refused", "This way into the panel is no longer open: open it again where you came from"


class SessionEnded(Unauthenticated):
    code, title = "session_ended", "The session is over: open the panel again where you came from"
