"""What can go wrong with a case, named after what happened."""

from datetime import datetime

from app.errors import Conflict, Forbidden, Invalid
from app.escalations.lifecycle import CLOSED, StepNotAllowed, allowed


class NotYours(Forbidden):
    code, title = "not_yours", "This is for the owner, who acts for them, and the line above"


class OwnRequest(Forbidden):
    code, title = "own_request", "Nobody approves their own request"


class AlreadyVerified(StepNotAllowed):
    """The customer's word is on record; the lifecycle has no second one without a reopening."""

    title = "The customer's word is on record already"

    def __init__(self, confirmed_by: str | None, channel: str | None, at: datetime) -> None:
        super().__init__("verify", CLOSED, allowed(CLOSED))
        word = (
            f"confirmed by {confirmed_by or 'an erased person'} ({channel})" if channel else "closed without an answer"
        )
        self.detail = f"It was {word} on {at:%d %b %Y}; reopen takes the work up again"


class NotReady(Conflict):
    code, title = "not_ready", "Required tasks or criteria are open"


class NothingPending(Conflict):
    code, title = "nothing_pending", "No request is waiting for an answer"


class MergeTheOtherWay(Conflict):
    code, title = "merge_the_other_way", "A merge goes into the one raised first"


class NoDecision(Conflict):
    code, title = "no_decision", "Closing as unresolved needs a management decision on record"


class CustomerNotSilent(Conflict):
    code, title = "customer_not_silent", "Two unanswered updates, `silent_gap_business_days` apart, must come first"


class ReasonNeeded(Invalid):
    code, title = "reason_needed", "This change needs a reason"


class BriefNeeded(Invalid):
    code, title = "brief_needed", "Moving up needs a handover brief: what was tried, and what is asked"


class StillAway(Conflict):
    code, title = "still_away", "Work is taken back once the absence is over"


class GroundChanged(Conflict):
    code, title = "ground_changed", "The team's work is not what this proposal was made from; ask for a new one"


class NothingToQualify(Conflict):
    code, title = "nothing_to_qualify", "The work has come to management, which decides: record the decision"


class AlreadyAnswered(Conflict):
    code, title = "already_answered", "This tier has given this answer; it is moved up with escalate, or resolved"
