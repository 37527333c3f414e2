"""What people read, in their language: English stands in the code, other languages in `app/translations`.

A language's catalogue is one gettext file, `messages.po`, read once; a text it lacks is shown in English.
"""

from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", "de")

_language: ContextVar[str] = ContextVar("language", default="en")


def set_language(language: str) -> None:
    """The language of this request's texts, dates and amounts."""
    _language.set(language if language in LANGUAGES else "en")


def language() -> str:
    return _language.get()


def gettext(message: str) -> str:
    return catalogue(language()).gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    return catalogue(language()).ngettext(one, many, count)


_ = gettext


def noted(message: str) -> str:
    """Marks a text that is translated later, where it is shown."""
    return message


# From this size on an amount is told in that unit; the form is translated with the other texts.
SIZES = ((Decimal(10**6), noted("¤#,##0.##M")), (Decimal(10**3), noted("¤#,##0k")), (Decimal(1), noted("¤#,##0")))


def money(amount: Decimal | str | float | None, currency: str, *, short: bool = True) -> str:
    """`€310k` or `€1.24M`, in the reader's language; with `short=False` to the cent."""
    if amount is None:
        return "–"
    value = Decimal(str(amount))
    if not short:
        return format_currency(value, currency, locale=language())
    size, form = next((one for one in SIZES if abs(value) >= one[0]), SIZES[-1])
    return format_currency(value / size, currency, gettext(form), locale=language(), currency_digits=False)


@cache
def catalogue(language: str) -> NullTranslations:
    """The texts of a language; English is the code's own."""
    path = FOLDER / language / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
