"""What reports refuse."""

from app.errors import AppError


class FactsBeingMade(AppError):
    """Right after a set-up and while they are made anew."""

    status, code, title = 503, "facts_being_made", "The facts of reports are being made; ask again in a minute"


class TooManyRows(AppError):
    """More than a file of this kind holds, or is given at once."""

    status, code, title = 422, "too_many_rows", "There are too many rows for such a file"


class PaperNotMade(AppError):
    """The program that sets the pages was stopped or failed."""

    status, code, title = 503, "paper_not_made", "The PDF could not be made"
