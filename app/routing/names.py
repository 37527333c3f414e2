"""Names that only one may have."""

from sqlalchemy.exc import IntegrityError

from app.db import db, is_unique_violation
from app.errors import AppError


def flush_name(constraint: str, taken: type[AppError]) -> None:
    """Two who take one name at the same moment both found it free; the unique key tells the second."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if is_unique_violation(error, constraint):
            raise taken from error
        raise
