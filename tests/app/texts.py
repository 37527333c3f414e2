"""The catalogue of what people read: found in the code and the templates, kept beside it in each language.

`make texts` brings `app/translations/<language>/messages.po` up to date: new texts stand there to be translated, those
that are gone are taken out. A test holds that none is missing.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import app
from app.texts import FOLDER, LANGUAGES

APP = Path(app.__file__).parent
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**/templates/**.html": {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "noted": None}
# What refusals say stands in their own code; of what no form of a page asks for, nobody reads it in a page.
REFUSALS = {"invalid": 1, "ValidationError": 0}
FOR_PROGRAMS = {"integrations", "reports"}


def find_texts() -> Catalog:
    """Every text that the pages show, with where it stands."""
    found = Catalog(charset="utf-8")
    for file, line, message, _, context in _extracted():
        found.add(message, locations=[(f"app/{file}", line)], context=context)
    for text in _refusals():
        found.add(text)
    return found


def _refusals() -> Iterator[str]:
    """What has happened, as each refusal's class says it, and what was expected of a field."""
    for path in sorted(APP.glob("**/*.py")):
        if path.relative_to(APP).parts[0] in FOR_PROGRAMS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                yield from _texts_in(node.args[REFUSALS[node.func.id] :][:1])
            elif isinstance(node, ast.ClassDef) and path.name == "errors.py":
                yield from _title_in(node)


def _title_in(node: ast.ClassDef) -> Iterator[str]:
    """The title that a class gives its errors, alone or with its code: `code, title = …`."""
    for line in node.body:
        if isinstance(line, ast.Assign):
            several = isinstance(line.value, ast.Tuple) and isinstance(line.targets[0], ast.Tuple)
            names = line.targets[0].elts if several else line.targets
            values = line.value.elts if several else [line.value]
            named = {name.id: value for name, value in zip(names, values, strict=True) if isinstance(name, ast.Name)}
            yield from _texts_in([named["title"]] if "title" in named else [])


def _texts_in(nodes: list[ast.expr]) -> Iterator[str]:
    yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _extracted() -> Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    yield from extract_from_dir(APP, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS)


def path_of(language: str) -> Path:
    return FOLDER / language / "messages.po"


def read_catalogue(language: str) -> Catalog:
    """A language's texts; an empty catalogue before the first."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def bring_up_to_date() -> dict[str, int]:
    """Write each language's file anew; answers how many of its texts still have no translation."""
    found, missing = find_texts(), {}
    for language in LANGUAGES:
        if language == "en":
            continue
        known = read_catalogue(language)
        known.update(found, no_fuzzy_matching=True)
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        with path_of(language).open("wb") as file:
            write_po(file, known, ignore_obsolete=True, sort_output=True, no_location=True, omit_header=True, width=0)
        missing[language] = sum(1 for message in known if message.id and not translated(message.string))
    return missing


def translated(string: str | tuple[str, ...]) -> bool:
    """Whether a text, and each form of a plural, has words."""
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    for language, count in bring_up_to_date().items():
        print(f"{path_of(language)}: {count} without a translation")
