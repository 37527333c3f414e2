"""What can be done with a case; each function is one use case, called inside one transaction by its door."""

from app.escalations.approving import answer_raise
from app.escalations.attachments.filing import attach, check_room
from app.escalations.attachments.filing import erase_of as erase_attachments
from app.escalations.attachments.filing import remove as remove_attachment
from app.escalations.attachments.uploading import arriving
from app.escalations.cascading import move as move_task
from app.escalations.cascading import undo as undo_move
from app.escalations.case import Act, by_engine
from app.escalations.climbing import Hop, escalate
from app.escalations.closing import (
    Word,
    close_unresolved,
    record_decision,
    reopen,
    verify,
)
from app.escalations.conversation import (
    Wording,
    add_attempt,
    add_comment,
    add_link,
    add_message,
    add_update,
)
from app.escalations.criteria import agree as agree_criterion
from app.escalations.criteria import change_criterion
from app.escalations.demand import NewEscalation, new_escalation
from app.escalations.editing import edit
from app.escalations.extending import Extension, answer_extension, extend
from app.escalations.lessons import erase_texts
from app.escalations.merging import merge
from app.escalations.prevention import change_action as change_prevention
from app.escalations.prevention import may_change as may_change_prevention
from app.escalations.qualifying import Answer, qualify
from app.escalations.raising import Raised, raise_escalation, start_numbers
from app.escalations.replacing import preview as preview_playbook
from app.escalations.replacing import replace as replace_playbook
from app.escalations.resolving import Resolution, resolve
from app.escalations.surveys import (
    MOST_COMMENT,
    SCORES,
    SurveyPage,
    answer_survey,
    open_survey,
    read_survey_link,
)
from app.escalations.surveys import ask as ask_survey
from app.escalations.tasking import NewTask, add_task, change_task
from app.escalations.waiting import Wait, resume, wait
from app.escalations.working import NewOwner, acknowledge, assign, plan, set_watching
from app.store import fault_of_store

__all__ = [
    "MOST_COMMENT",
    "SCORES",
    "Act",
    "Answer",
    "Extension",
    "Hop",
    "NewEscalation",
    "NewOwner",
    "NewTask",
    "Raised",
    "Resolution",
    "SurveyPage",
    "Wait",
    "Word",
    "Wording",
    "acknowledge",
    "add_attempt",
    "add_comment",
    "add_link",
    "add_message",
    "add_task",
    "add_update",
    "agree_criterion",
    "answer_extension",
    "answer_raise",
    "answer_survey",
    "arriving",
    "ask_survey",
    "assign",
    "attach",
    "by_engine",
    "change_criterion",
    "change_prevention",
    "change_task",
    "check_room",
    "close_unresolved",
    "edit",
    "erase_attachments",
    "erase_texts",
    "escalate",
    "extend",
    "fault_of_store",
    "may_change_prevention",
    "merge",
    "move_task",
    "new_escalation",
    "open_survey",
    "plan",
    "preview_playbook",
    "qualify",
    "raise_escalation",
    "read_survey_link",
    "record_decision",
    "remove_attachment",
    "reopen",
    "replace_playbook",
    "resolve",
    "resume",
    "set_watching",
    "start_numbers",
    "undo_move",
    "verify",
    "wait",
]
