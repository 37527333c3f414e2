"""What can go wrong when telling people."""

from app.errors import Conflict


class NotDead(Conflict):
    """Only a dead letter can be delivered again."""

    code, title = "not_dead", "This message is not a dead letter"
