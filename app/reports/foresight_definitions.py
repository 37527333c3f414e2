"""What the figures about what lies ahead mean."""

from app.reports.definitions import OPEN_CASES, Definition
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
OF_FORESIGHT = (FORECAST,)
