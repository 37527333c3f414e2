"""What the figures about what lies ahead mean."""

from app.reports.definitions import OPEN_CASES, WARNED, Definition
from app.texts import noted

FORECAST = Definition(
    "forecast",
    noted("Likely to miss the target"),
    noted(
        "Of the open cases, how many will have missed the original target as things stand: those past it, and the sum "
        "of the others' chances. A chance is what remains when each day until the target has its own chance of closing "
        "the case as resolved. Those are learnt from how your cases closed and, before there is enough history, from a "
        "base model whose source is named. About the past the model answers that held then."
    ),
    noted(
        "cases past the target + sum over the others of the product over the days left of (1 − chance of closing on "
        "that day)"
    ),
    OPEN_CASES,
)
EARLY_WARNING = Definition(
    "early_warning",
    noted("Early warning"),
    noted(
        "Accounts without an open escalation that are likely to raise one: points for low and falling health, "
        "escalations of late and such as came back, an unanswered message or a closing without the customer's word, a "
        "renewal that is near, and value. Each part is printed; accounts from 25 of 100 points on are listed. What is "
        "known of an account is noted once a day."
    ),
    noted(
        "20 × (60 − health) ÷ 60 + 25 × points of health lost in 90 days ÷ 30 + 25 × (raised in 90 days + those that "
        "came back) ÷ 4 + 15 × days unanswered ÷ 10 + 10 × (90 − days to renewal) ÷ 90 + 5 × share of accounts worth "
        "no more, each part between 0 and its weight"
    ),
    WARNED,
)
OF_FORESIGHT = (FORECAST, EARLY_WARNING)
