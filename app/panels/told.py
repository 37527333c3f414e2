"""What the engine and its refusals say in English sentences of their own, in the reader's language.

They are kept or answered as one text, so what is filled into them is read back by the sentence it stands in. A text
that nothing here fits is a person's own, or newer than this list: it stays as it is.
"""

import re
from datetime import datetime
from functools import cache

from babel.dates import format_date

from app import texts
from app.texts import noted

# Why somebody owns a case: app/routing says it in clauses, which are told one by one.
OWNERS = (
    noted("owns the account"),
    noted("is the account's CSM"),
    noted("is the account's executive sponsor"),
    noted("leads the team"),
    noted("is the duty owner"),
    noted("is the duty deputy"),
    noted("is the only one left who can own it"),
    noted("owned this account's previous escalation with the same reason"),
    noted("is named by the rule “%(rule)s”"),
    noted("is suggested by who closed cases like this one"),
    noted("is the only eligible member of %(team)s"),
    noted("scores highest of %(count)s in %(team)s (%(points)s points, most for %(part)s)"),
    noted("was named by the engine"),
    noted("was named by a colleague"),
    noted("stands in for its owner, who is absent"),
    noted("stands in for %(who)s, who is absent until %(day)s: %(clause)s"),
    noted("stands in for %(who)s, who is absent: %(clause)s"),
    noted("stands in for %(who)s, who is absent until %(day)s"),
    noted("stands in for %(who)s, who is absent"),
    noted("%(clause)s and stands in: %(other)s"),
    noted("is back from the absence for which it was moved"),
    noted("has room where a colleague of the team held more than fits"),
)
FACTS = (
    noted("in working hours at all times"),
    noted("in working hours until %(when)s"),
    noted("at work from %(when)s"),
    noted("%(free)s of %(all)s places free"),
    noted("the preferred skill %(skills)s was set aside"),
    noted("the preferred skills %(skills)s were set aside"),
)
PASSED_OVER = (
    noted("the account has no owner here"),
    noted("the account has no CSM here"),
    noted("the account has no executive sponsor here"),
    noted("the account has no previous escalation with this reason"),
    noted("the named user does not exist"),
    noted("history suggests nobody surely enough"),
    noted("nobody was eligible"),
    noted("passed over: %(counts)s"),
    noted("nobody in %(team)s could take it: %(counts)s"),
    noted("%(team)s has no members"),
    noted("%(who)s was absent until %(day)s"),
    noted("%(who)s was absent"),
    noted("%(who)s is not at work before %(when)s"),
    noted("%(who)s has no working hours"),
    noted("%(who)s had no room for it"),
    noted("%(who)s is no longer active"),
    noted("it is about %(who)s"),
    noted("%(who)s had it just before"),
    noted("%(who)s is an integration"),
    noted("%(who)s lacks a preferred skill"),
    noted("another case took the last place of %(who)s"),
    noted("%(who)s was not eligible"),
    noted("%(who)s lacks %(skills)s"),
)
WHO = (
    noted("the account's owner"),
    noted("the account's CSM"),
    noted("the account's executive sponsor"),
    noted("the team's lead"),
    noted("the duty owner"),
    noted("the duty deputy"),
    noted("the previous owner"),
    noted("whom history suggests"),
    noted("whom the rule “%(rule)s” names"),
    noted("a member of %(team)s"),
    noted("knowing the account"),
    noted("free capacity"),
    noted("shared working hours"),
    noted("a small share of the value in hand"),
    noted("rest since the last assignment"),
)
COUNTS = (
    noted("%(count)s absent"),
    noted("%(count)s full"),
    noted("%(count)s out of hours"),
    noted("%(count)s without a required skill"),
    noted("%(count)s without a preferred skill"),
    noted("%(count)s no longer active"),
    noted("%(count)s whom it is about"),
    noted("%(count)s who had it just before"),
    noted("%(count)s an integration"),
    noted("%(count)s whose last place another case took"),
)
# What the engine writes beside a line of the timeline, the rule that every tenant begins with, and the questions of a
# case without a playbook of its own.
ENGINE = (
    noted("account owner, else duty owner"),
    noted("%(name)s is absent until %(day)s."),
    noted("%(name)s was deactivated."),
    noted("Ask the customer: %(questions)s"),
    noted("What did the customer say, in their own words?"),
    noted("What does it do to them?"),
    noted("What would make it right for them?"),
)
# The product's own kinds of grievance, by their labels.
REASONS = (
    noted("Miscommunication"),
    noted("Agent conduct"),
    noted("Slow response"),
    noted("Missed milestone"),
    noted("Prolonged outage"),
    noted("Product limit"),
    noted("Billing"),
    noted("Security"),
    noted("Other"),
)
# What marshmallow says of a field, and what our services say with something filled in.
REFUSALS = (
    noted("Missing data for required field."),
    noted("Field may not be null."),
    noted("Unknown field."),
    noted("Invalid value."),
    noted("Invalid input."),
    noted("Not a valid string."),
    noted("Not a valid integer."),
    noted("Not a valid number."),
    noted("Not a valid boolean."),
    noted("Not a valid date."),
    noted("Not a valid datetime."),
    noted("Not a valid list."),
    noted("Not a valid UUID."),
    noted("Not a valid URL."),
    noted("Not a valid email address."),
    noted("Must be one of: %(choices)s."),
    noted("Length must be between %(least)s and %(most)s."),
    noted("Shorter than minimum length %(least)s."),
    noted("Longer than maximum length %(most)s."),
    noted("Must be greater than or equal to %(least)s and less than or equal to %(most)s."),
    noted("Must be greater than or equal to %(least)s."),
    noted("expected a whole number"),
    noted("expected one of %(choices)s"),
    noted("expected some of %(choices)s"),
    noted("expected a moment later than now, %(now)s"),
    noted("expected a moment not later than now, %(now)s"),
    noted("expected a moment after now, %(now)s"),
    noted("expected a moment later than the present due time, %(due)s"),
    noted("expected not before the case was taken up again, %(again)s"),
    noted("expected a day after %(first)s and up to %(last)s"),
    noted("expected an open escalation, this one is %(status)s"),
    noted("expected at most %(most)s bytes, the file has %(size)s"),
    noted("expected at most %(most)s bytes"),
    noted("expected a name that ends in one of %(endings)s"),
    noted("expected at most %(most)s files on a case; remove some first"),
    noted("expected the content of %(kind)s as the name says, it looks like %(other)s"),
    noted("expected the content of %(kind)s, it begins otherwise"),
    noted("There is an absence from %(span)s already"),
    noted("This file is %(state)s"),
    noted("It was resolved on %(day)s; what began since is another outage"),
    noted("%(action)s is not a step from %(status)s; allowed: %(allowed)s"),
    noted("%(action)s: this is for the owner, who acts for them, and the line above"),
    noted("Something went wrong on our side"),
    noted("The request id leads to what happened"),
    noted("The database does not answer"),
    noted("Try again shortly"),
    noted("At most %(limit)s requests a minute"),
)
SENTENCES = (*OWNERS, *FACTS, *PASSED_OVER, *WHO, *COUNTS, *ENGINE, *REFUSALS)

PLACE = re.compile(r"%\((\w+)\)s")
MONTHS = {name: number for number, names in enumerate((
    ("January", "Jan"), ("February", "Feb"), ("March", "Mar"), ("April", "Apr"), ("May",), ("June", "Jun"),
    ("July", "Jul"), ("August", "Aug"), ("September", "Sep"), ("October", "Oct"), ("November", "Nov"),
    ("December", "Dec")), start=1) for name in names}  # fmt: skip
DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)})( \d{{4}})?( \d\d:\d\d)?")
WITH_YEAR, WITHOUT_YEAR, AND = noted("d MMMM y"), noted("d MMMM"), noted("and")
KINDS = {
    **dict.fromkeys(("count", "free", "all", "points", "least", "most", "size", "limit"), r"[\d.]+"),
    **dict.fromkeys(("who", "name", "when", "day"), "[^,;]+?"),
}
# Between clauses, facts and counts, the widest first.
BETWEEN = ("; ", "? ", ", ", " and ")
LONGEST = 2_000


def told(text: str | None) -> str:
    """This text in the reader's language."""
    if not text or texts.language() == "en" or len(text) > LONGEST:
        return text or ""
    return _whole(text) or _parts(text) or text


def _whole(text: str) -> str | None:
    """By the sentence that all of it is; None when there is none."""
    said = texts.gettext(text)
    if said != text:
        return said
    for sentence, shape in _shapes():
        if found := shape.fullmatch(text):
            return texts.gettext(sentence) % {name: told(value) for name, value in found.groupdict().items()}
    if found := DAY.fullmatch(text):
        return _day(found)
    return None


def _parts(text: str) -> str | None:
    """By its clauses; None unless one of them is known."""
    for mark in BETWEEN:
        if mark not in text:
            continue
        pieces = [f"{piece}?" if mark == "? " and not piece.endswith("?") else piece for piece in text.split(mark)]
        found = [_whole(piece) or _parts(piece) for piece in pieces]
        if any(found):
            between = {"? ": " ", " and ": f" {texts.gettext(AND)} "}.get(mark, mark)
            return between.join(new or old for new, old in zip(found, pieces, strict=True))
    return None


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with something filled in, those that say most themselves first."""
    filled = sorted((one for one in SENTENCES if "%(" in one), key=lambda one: -len(PLACE.sub("", one)))
    return tuple((one, re.compile(_pattern(one), re.DOTALL)) for one in filled)


def _pattern(sentence: str) -> str:
    """Numbers are numbers, names and days hold no comma, and nothing goes on into the next clause."""
    parts = PLACE.split(sentence)
    return "".join(
        f"(?P<{part}>{KINDS.get(part, '[^;]+?')})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
    )


def _day(found: re.Match[str]) -> str:
    """A day of the engine's as one of the reader's; without a year as it was said without."""
    number, month, year, time = found.groups()
    day = datetime(int(year or 2000), MONTHS[month], int(number)).date()  # noqa: DTZ001
    shown = format_date(day, texts.gettext(WITH_YEAR if year else WITHOUT_YEAR), locale=texts.language())
    return f"{shown}{time or ''}"
