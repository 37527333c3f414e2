"""What files that the worker makes refuse."""

from app.errors import AppError, Conflict


class TooManyExports(Conflict):
    code, title = "too_many_exports", "Too many files are being made or kept"


class NotReady(Conflict):
    code, title = "not_ready", "The file is not made yet"


class FileGone(AppError):
    status, code, title = 410, "file_gone", "The file is gone"


class NotYoursToSee(Conflict):
    code, title = "shows_hidden", "The file has cases that you may no longer see; have it made again"
