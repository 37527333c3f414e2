"""What passes a colleague's quiet hours and waits for no digest (pure)."""

URGENT_BREACHES = frozenset({"close", "acknowledge", "respond"})
AT_DUE = "0"


def is_urgent(severity: int, kind: str | None = None, *, tells_breach: bool = False) -> bool:
    """Everything of severity 1, and of severity 2 the breaches of `close`, `acknowledge` and `respond`.

    `kind` is the clock's; a message tells of its breach when it is, or stands for, the step at due.
    """
    return severity == 1 or (severity == 2 and tells_breach and kind in URGENT_BREACHES)
