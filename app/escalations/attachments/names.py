"""Names of files made safe: they are shown to people and saved by their browsers, and never name a file of ours."""

import re
import unicodedata

MAX_CHARACTERS = 150
# Control and format characters (those that turn the direction of writing among them), halves of pairs, private ones.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
SEPARATORS = re.compile(r"[/\\]")
UNSAFE = re.compile(r'[<>:"|?*%;]')


def safe_name(written: str) -> str | None:
    """The last part of a path, in one form of Unicode, without what can't be seen; None when nothing is left.

    A long name is shortened before its ending.
    """
    name = SEPARATORS.split(written)[-1]
    seen = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) not in HIDDEN)
    name = " ".join(UNSAFE.sub("_", seen).split()).strip(". ")
    if len(name) > MAX_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if dot and len(ending) <= 10 else ""
        name = (stem if ending else name)[: MAX_CHARACTERS - len(ending)].rstrip(". ") + ending
    return name or None
