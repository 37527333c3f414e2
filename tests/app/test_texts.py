"""Every text that people read stands in every language's catalogue, with the same places for what is filled in."""

import re

import pytest

from app import texts
from tests.app.texts import find_texts, read_catalogue, translated

PLACE = re.compile(r"%\((\w+)\)\w")
OTHERS = [language for language in texts.LANGUAGES if language != "en"]


def key(message):
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.fixture(scope="module")
def found():
    return {key(message): message for message in find_texts() if message.id}


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_of_the_pages_is_without_words_in_another_language(found, language):
    known = {key(message): message for message in read_catalogue(language) if message.id}
    missing = [text for text in found if text not in known or not translated(known[text].string)]
    assert missing == [], "run make texts and translate what is new"
    assert set(known) <= set(found), "run make texts: these are gone"


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_filled_in_has_the_same_places(language):
    for message in read_catalogue(language):
        if not message.id:
            continue
        one = set(PLACE.findall(" ".join([message.id] if isinstance(message.id, str) else message.id)))
        forms = [message.string] if isinstance(message.string, str) else message.string
        for form in forms:
            assert set(PLACE.findall(form)) <= one, message.id
        assert set(PLACE.findall(forms[-1])) == one, message.id


def test_a_text_is_shown_in_the_language_asked_for_and_else_in_english():
    texts.set_language("de")
    try:
        assert (texts.gettext("My work"), texts.gettext("no such text")) == ("Meine Arbeit", "no such text")
        assert texts.ngettext("%(num)s case", "%(num)s cases", 2) == "%(num)s Fälle"
    finally:
        texts.set_language("en")
    assert texts.gettext("My work") == "My work"
    texts.set_language("xx")
    assert texts.language() == "en"
