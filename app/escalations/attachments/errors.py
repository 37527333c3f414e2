"""Why a file is not taken or not given."""

from app.errors import AppError, Conflict, Invalid


class FileRefused(Invalid):
    """Its name, its declared type or its content is not what may be attached; `errors` names which."""

    code, title = "file_refused", "This file can't be attached"


class FileTooLarge(AppError):
    status, code, title = 413, "too_large", "The file is too large"


class CaseFull(Conflict):
    code, title = "attachments_full", "The attachments of this case are as many or as large as they may be"


class NotClean(Conflict):
    code, title = "not_clean", "This file has not passed the scan"


class ContentGone(AppError):
    status, code, title = 410, "content_gone", "The content was deleted"


def refused(place: str, name: str, detail: str) -> FileRefused:
    """`place` is `parameter`, `header` or `pointer`, `name` which."""
    return FileRefused(f"{name if name != '/' else 'the file'}: {detail}", errors=[{place: name, "detail": detail}])
