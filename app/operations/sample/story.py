"""The whole story: thirty cases in every status."""

from app.operations.sample.checkins import with_check_ins
from app.operations.sample.story_ended import ENDED
from app.operations.sample.story_live import LIVE

CASES = tuple(with_check_ins(case) for case in (*LIVE, *ENDED))
