"""What can go wrong with promises."""

from app.errors import AppError


class NoTarget(AppError):
    """A clock was started that only a playbook or path can give a target: a fault of the program."""

    status, code, title = 500, "no_target", "This clock has no target of its own"
