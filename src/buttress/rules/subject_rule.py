"""Rules about pieces of files: of containers, pipelines, settings and instructions of agents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from buttress.files.located_yaml import FieldPath, Located
from buttress.rules import terms
from buttress.rules.patterns import check_pattern, compiled
from buttress.rules.rule import Example, Rule
from buttress.rules.rule_files import EXAMPLE, PATTERN, TEXT, TEXTS, RuleFormat, common

_NOTHING: Final = r"[^\x00-\x{10FFFF}]"  # matches no text; of a rule that has no pattern
_FILE: Final = re.compile(r"(?:[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*/){0,6}[A-Za-z0-9_.-]+")
_PATTERNS: Final = {"is": "pattern", "unless": "unless", "unless_in": "unless_in",
                   "unless_command": "unless_command"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SubjectRule(Rule):
    """A rule about a kind of subject, which ``about`` names.

    Of data, ``at`` leads to a value, with ``*`` for any key; of text, the whole is meant. Then
    ``pattern`` must be found there, or nothing be there if ``missing``; or ``check`` names a
    function that decides. A match that ``unless`` is found in is none, and neither is any where
    ``unless_in`` is found in the whole text, or ``unless_command`` in the command around it. In
    text, ``terms`` adds combinations of wordings. ``{it}`` in the message is what was found.
    """

    about: tuple[str, ...]
    at: str = ""
    pattern: str = ""
    unless: str = ""
    unless_in: str = ""
    unless_command: str = ""
    sentence: bool = False  # the message shows the sentence; `unless` sees the words of its clause
    act: bool = False  # an order: none where the words that govern it negate or report it
    missing: bool = False
    check: str = ""
    terms: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def expression(self) -> Any:
        """``pattern``, compiled; matches nothing where there is none."""
        return compiled(self.pattern or _NOTHING)

    @cached_property
    def exception(self) -> Any:
        """``unless``, compiled."""
        return compiled(self.unless)

    @cached_property
    def exception_command(self) -> Any:
        """``unless_command``, compiled."""
        return compiled(self.unless_command or _NOTHING)

    @cached_property
    def exception_in(self) -> Any:
        """``unless_in``, compiled."""
        return compiled(self.unless_in)


def _build(located: Located, at: FieldPath, data: Mapping[str, Any]) -> SubjectRule:
    decides = sum(name in data for name in ("is", "missing", "check"))
    if decides != 1 and not (decides == 0 and "terms" in data):
        raise located.error(at, "needs either 'is' or 'missing'", "one of them")
    if "missing" in data and "at" not in data:
        raise located.error(at, "'at' is missing", "the path of what must be there")
    for name in _PATTERNS:
        if name in data:
            check_pattern(located, (*at, name), data[name])
    known = terms.names() if "terms" in data else frozenset()
    for place, together in enumerate(data.get("terms", ())):
        for name in together:
            if name.removeprefix(terms.EARLIER) not in known:
                raise located.error((*at, "terms", place), f"'{name}' is no term", "a known term")
    about = data["about"]
    plain = ("at", "sentence", "act", "missing", "check")
    return SubjectRule(
        **common(data),
        **{name: data[name] for name in plain if name in data},
        **{name: data[field] for field, name in _PATTERNS.items() if field in data},
        terms=tuple(tuple(together) for together in data.get("terms", ())),
        about=(about,) if isinstance(about, str) else tuple(about),
        **named_examples(located, at, data),
    )


def named_examples(located: Located, at: FieldPath, data: Mapping[str, Any]) -> dict[str, Any]:
    """The examples of a rule: each a text in the rule's ``file``, or in one of its own.

    Raises:
        InputError: naming the example that names no file.
    """
    found: dict[str, Any] = {}
    for side in ("bad", "good"):
        examples = []
        for index, one in enumerate(data.get(side, ())):
            whole = one if isinstance(one, dict) else {"file": data.get("file", ""), "text": one}
            if not _FILE.fullmatch(whole["file"]):
                raise located.error(
                    (*at, side, index), f"'{whole['file'][:60]}' names no file",
                    "the rule's 'file', or {file: NAME, text: TEXT}",
                )  # fmt: skip
            examples.append(Example(whole["file"], whole["text"]))
        found[side] = tuple(examples)
    return found


_EXAMPLES: Final = {
    "type": "array", "minItems": 1, "maxItems": 50,
    "items": {
        "description": "a text, or {file: NAME, text: TEXT}",
        "anyOf": [
            EXAMPLE,
            {"type": "object", "additionalProperties": False, "required": ["file", "text"],
             "properties": {"file": TEXT, "text": EXAMPLE}},
        ],
    },
}  # fmt: skip
EXAMPLE_FIELDS: Final = {"file": TEXT, "bad": _EXAMPLES, "good": _EXAMPLES}
SUBJECT_RULES: Final = RuleFormat(
    fields={
        "title": TEXT, "message": TEXT, "secret": {"type": "boolean"},
        "about": {"anyOf": [TEXT, TEXTS],
                  "description": "kinds of what is looked at, see the docs"},
        "at": TEXT, "is": PATTERN, "unless": PATTERN, "unless_in": PATTERN,
        "unless_command": PATTERN, "check": {},
        "terms": {"type": "array", "items": TEXTS, "minItems": 1, "maxItems": 50,
                  "description": "lists of terms"},
        "missing": {"const": True, "description": "true"},
        "sentence": {"type": "boolean"}, "act": {"type": "boolean"},
        **EXAMPLE_FIELDS,
    },
    required=("title", "about", "message", "bad", "good"),
    build=_build,
    shipped={
        "check": "names a check in Python, which a pack can't hold",
        "terms": "names terms of Buttress, which change with its version",
    },
)  # fmt: skip
EXAMPLE_RULES: Final = RuleFormat(
    fields={"title": TEXT, "message": TEXT, **EXAMPLE_FIELDS},
    required=("title", "message", "good"),
    build=lambda located, at, data: Rule(**common(data), **named_examples(located, at, data)),
)
