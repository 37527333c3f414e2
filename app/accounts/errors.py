"""What can go wrong with customers' records."""

from app.errors import NotFound


class AccountNotFound(NotFound):
    title = "There is no such account"
