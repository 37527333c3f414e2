"""What can go wrong with promises."""

from app.errors import AppError, Conflict


class NoTarget(AppError):
    """A clock was started that only a playbook or path can give a target: a fault of the program."""

    status, code, title = 500, "no_target", "This clock has no target of its own"


class ClockUnreadable(Conflict, LookupError):
    """An action touches a clock that cannot be counted, as when its zone is no more.

    Refused whole, since a promise left out would stand as broken for ever. As a LookupError, work on many cases leaves
    this one out and goes on.
    """

    code, title = "clock_unreadable", "A clock of this case cannot be counted"


class BasisUnreadable(Conflict, LookupError):
    """The zone or calendar that a case counts by cannot be read: the zone is no more, or the version is damaged."""

    code, title = "basis_unreadable", "What this case counts by cannot be read"
