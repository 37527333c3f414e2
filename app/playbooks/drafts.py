"""Message drafts: sandboxed templates, checked when they are saved and rendered on a case.

Four walls, each enough for what it is for:

* *Size*: the text, the number of its tags, the words within one and how deep they are nested are limited before it is
  parsed, so that no parser or compiler runs out of stack (`_check_size`).
* *Language*: only what `draft_checks` allows is ever compiled; the steps of a run are counted before it.
* *Reach*: the environment has no loader, no globals, no tests and our own filters; `.name` looks into a `Node` of
  documented fields (or a loop's counter) and never at an attribute of a Python object.
* *Growth*: no value is longer than a field of the case, and what is written is counted while it is made; rendering
  stops once it is more than MOST_WRITTEN.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.playbooks.definition import Draft, Playbook
from app.playbooks.draft_checks import LOOP, Checker, TemplateFault
from app.playbooks.draft_fields import MOST_LISTED, Field, Group, Many, fields_with
from app.playbooks.draft_filters import FILTERS, OPEN, SHUT, Missing, shown
from app.playbooks.draft_gaps import gaps_in, open_gaps
from app.playbooks.errors import DraftRefused
from app.playbooks.reading import Fault

MOST_TEXT, MOST_WRITTEN = 10_000, 20_000
MOST_TAGS, MOST_WORDS, MOST_WORD, DEEPEST = 200, 60, 300, 5
GAPS = " gaps"  # no template can name it: it is no identifier

Gap = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """A group of values by name."""

    values: Mapping[str, Any]


class _Environment(ImmutableSandboxedEnvironment):
    """Fields of a `Node` and nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Node) and attribute in obj.values:
            return obj.values[attribute]
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.unsafe_undefined(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.unsafe_undefined(obj, str(argument))


def _applied(name: str) -> Any:
    """The filter as Jinja calls it: what the case does not have stays missing."""
    run = FILTERS[name].run

    def apply(value: Any, *arguments: Any) -> Any:
        return value if isinstance(value, Missing) else run(value, *arguments)

    return apply


def _instead(value: Any, other: str) -> str:
    return other if isinstance(value, Missing) else str(shown(value))


@pass_context
def _to_write(context: Context, what: str) -> str:
    gaps: list[Gap] = context[GAPS]
    gaps.append(("write", what))
    return f"{OPEN}{what}{SHUT}"


def _environment() -> _Environment:
    made = _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
        cache_size=0,
    )
    made.globals, made.tests = {}, {}
    made.filters = {**{name: _applied(name) for name in FILTERS}, "default": _instead, "write": _to_write}
    return made


_ENVIRONMENT = _environment()
_OPENS, _SHUTS = ("if", "for"), ("endif", "endfor")


def _check_size(text: str) -> None:
    """TemplateSyntaxError for what is longer, or deeper, than any message needs."""
    if len(text) > MOST_TEXT:
        raise TemplateSyntaxError(f"expected at most {MOST_TEXT} characters", 1)
    tags = words = brackets = nested = 0
    first = False
    for line, kind, word in _ENVIRONMENT.lex(text):
        if kind in ("variable_begin", "block_begin"):
            tags, words, brackets, first = tags + 1, 0, 0, kind == "block_begin"
        elif kind in ("name", "operator", "integer", "float", "string"):
            words += 1
            brackets += (word in "([{") - (word in ")]}") if kind == "operator" else 0
            nested += (word in _OPENS) - (word in _SHUTS) if first else 0
            first = False
            _check_word(line, kind, word)
        if tags > MOST_TAGS or words > MOST_WORDS or max(brackets, nested) > DEEPEST:
            limits = f"{MOST_TAGS} tags, {MOST_WORDS} words in one, nested {DEEPEST} deep"
            raise TemplateSyntaxError(f"expected at most {limits}", line)


def _check_word(line: int, kind: str, word: str) -> None:
    if len(word) > (MOST_WORD if kind == "string" else 60) or (kind == "integer" and len(word) > 9):
        raise TemplateSyntaxError("expected shorter names, numbers and texts in a tag", line)
    if kind == "string" and "\\" in word:
        raise TemplateSyntaxError("expected texts without \\ in a tag", line)


def find_faults(text: str, fields: Group, *, customer: bool) -> list[TemplateFault]:
    """Everything that keeps a template from being rendered on every case."""
    try:
        _check_size(text)
        parsed = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        return [TemplateFault(error.lineno or 1, error.message or "cannot be read", "syntax")]
    return Checker(fields, customer).check(parsed)


def faults_of(playbook: Playbook) -> list[Fault]:
    """What is wrong in the drafts of a playbook, by JSON pointer."""
    fields = fields_of(playbook)
    return [
        fault for index, draft in enumerate(playbook.drafts) for fault in faults_in(draft, fields, f"/drafts/{index}")
    ]


def fields_of(playbook: Playbook | None) -> Group:
    """What drafts may name: the fields of every case, and the answers to the playbook's questions."""
    return fields_with({one.key: one.ask for one in playbook.questions} if playbook else {})


def faults_in(draft: Draft, fields: Group, pointer: str) -> list[Fault]:
    """The faults of one draft, each text checked for those who may be sent it: the common one for its whole audience,
    also where some of them have a wording of their own."""
    return [
        Fault(f"{pointer}/{place}", f"line {fault.line}: {fault.detail}", fault.code)
        for place, text, readers in _parts(draft)
        for fault in find_faults(text, fields, customer="customer" in readers)
    ]


def _parts(draft: Draft) -> Iterator[tuple[str, str, Sequence[str]]]:
    yield "subject", draft.subject, draft.audience
    yield "text", draft.text, draft.audience
    for audience, text in draft.texts.items():
        yield f"texts/{audience}", text, [audience]


@lru_cache(maxsize=512)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


@dataclass
class Rendered:
    """What a draft says on a case; `texts` are the wordings of an audience's own, `gaps` what is still to be filled:
    (`field`, path) of what the case does not have, (`write`, what) for the sender."""

    subject: str
    text: str
    texts: Mapping[str, str] = field(default_factory=dict)
    gaps: Sequence[Gap] = ()


def render(draft: Draft, fields: Group, found: Mapping[str, Any]) -> Rendered:
    """The draft on a case; `found` holds a value or None for every field. DraftRefused names what cannot be."""
    if faults := faults_in(draft, fields, ""):
        errors = [{"pointer": one.pointer, "detail": one.detail, "code": one.code} for one in faults]
        raise DraftRefused("; ".join(one.detail for one in faults[:3]), errors=errors)
    gaps: list[Gap] = []
    values = {**_valued(fields, found, "", gaps).values, GAPS: gaps}
    said = {place: _written(text, values, place) for place, text, _ in _parts(draft)}
    own = {audience: said[f"texts/{audience}"] for audience in draft.texts}
    return Rendered(" ".join(said["subject"].split()), said["text"], own, list(dict.fromkeys(gaps)))


def _written(text: str, values: Mapping[str, Any], place: str) -> str:
    pieces: list[str] = []
    written = 0
    try:
        for piece in _compiled(text).generate(values):
            pieces.append(piece)
            written += len(piece)
            if written > MOST_WRITTEN:
                detail = f"becomes longer than {MOST_WRITTEN} characters on this case: shorten what it quotes"
                raise DraftRefused(detail, errors=[{"pointer": f"/{place}", "detail": detail, "code": "limit"}])
    except TemplateError as error:
        raise DraftRefused(str(error), errors=[{"pointer": f"/{place}", "detail": str(error)}]) from error
    return "".join(pieces).strip()


def _valued(group: Group, found: Mapping[str, Any], prefix: str, gaps: list[Gap]) -> Node:
    """The documented fields with what the case says, nothing more."""
    values: dict[str, Any] = {}
    for name, one in group.items():
        said = found[name]
        if isinstance(one, Field):
            values[name] = Missing(prefix + name, gaps) if said is None or said == "" else said
        elif isinstance(one, Many):
            values[name] = [_valued(one.of, entry, f"{prefix}{name}.", gaps) for entry in said[-MOST_LISTED:]]
        else:
            values[name] = _valued(one, said, f"{prefix}{name}.", gaps)
    return Node(values)


def gaps_left(draft: Draft, text: str) -> list[str]:
    """What this draft left to be filled in a text that somebody is about to send; the same marks in what it quotes, or
    in what the sender wrote, are words like any other."""
    asked = {gap for _, template, _ in _parts(draft) for gap in gaps_in(_ENVIRONMENT.parse(template), {})}
    return [gap for gap in open_gaps(text) if gap in asked]
