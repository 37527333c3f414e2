"""Why an import as a whole is refused or ends; faults of single rows are data, not errors."""

from app.errors import AppError, Conflict, Invalid, NotFound


class ImportNotFound(NotFound):
    title = "There is no such import"


class WrongHeader(Invalid):
    """The columns are not the kind's: said before any row is read."""

    code, title = "wrong_header", "The file has the wrong columns"


class WrongMapping(Invalid):
    code, title = "wrong_mapping", "The mapping file has faults"


class UnreadableFile(Invalid):
    code, title = "unreadable_file", "The file can't be read"


class TooLarge(AppError):
    status, code, title = 413, "too_large", "The file is too large"


class ImportEnded(Conflict):
    """It was silent for so long that it was taken for dead and closed."""

    code, title = "import_ended", "The import has ended meanwhile"
