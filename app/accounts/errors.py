"""What can go wrong with customers' records."""

from app.errors import Invalid, NotFound


class AccountNotFound(NotFound):
    title = "There is no such account"


class RowRefused(Invalid):
    """A record has faults; `faults` names each field with what was expected."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        errors = [{"pointer": "/" + name.replace(".", "/"), "detail": detail} for name, detail in faults]
        super().__init__("; ".join(f"{name}: {detail}" for name, detail in faults), errors=errors)
