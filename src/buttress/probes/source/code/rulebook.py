"""Rules about code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath, Located
from buttress.probes.source.code import conditions
from buttress.probes.source.code.conditions import Condition, pattern
from buttress.probes.source.code.events import KINDS, Kind
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.paths import GlobUnion, is_glob
from buttress.rules.patterns import check_pattern
from buttress.rules.rule import Example, Rule
from buttress.rules.rule_files import EXAMPLES, TEXT, RuleFormat, RuleKind, common

_GLOBS: Final = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_TEXT: Final = {"type": "string", "minLength": 1}
_ARGUMENT: Final = {
    "pattern": "^(?:[A-Za-z_][A-Za-z0-9_]*(?:[|][A-Za-z_][A-Za-z0-9_]*)*)?(?:@[0-9]{1,2})?$",
    "minLength": 1,
    "description": "name, name@position, name|other@position, @position, self, value or any",
}
_PATTERN: Final = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "call": _GLOBS, "unless_call": _GLOBS, "assign": _GLOBS, "import": _GLOBS,
        "assert": _TEXT, "text": _TEXT, "shell": _TEXT, "mapping": {"const": True},
        "where": {"type": "object", "propertyNames": _ARGUMENT, "additionalProperties": {
            "anyOf": [conditions.SCHEMA, {"type": "array", "items": conditions.SCHEMA}]}},
        "inside": {"type": "object", "additionalProperties": False, "properties": {
            "decorators": _GLOBS, "bases": _GLOBS}},
        "unless_text": _TEXT,
        "if_text": _TEXT,
        "named": _TEXT,
        "unless_named": _TEXT,
        "bound": {"const": True},
        "lessened": _TEXT,
        "words": {"type": "array", "items": _TEXT, "minItems": 1},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """One way in which a rule matches an event."""

    kind: Kind
    globs: GlobUnion  # of calls, assignments and imports
    others: GlobUnion  # of calls that are not meant
    expression: str  # of asserts, texts and shell commands
    where: tuple[tuple[str, tuple[Condition, ...]], ...]
    decorators: GlobUnion | None
    bases: GlobUnion | None
    unless_text: str
    if_text: str
    words: tuple[str, ...]
    lessened: str = ""  # why what it matches is medium at most; the first pattern that fits counts
    named: str = ""  # an expression over what the first argument of a call is made of, in names
    unless_named: str = ""
    bound: bool = False  # the call is of a socket that the module opens to other machines

    @cached_property
    def tainted(self) -> bool:
        """Whether it asks where a value comes from."""
        return any(one.taint for _, conditions in self.where for one in conditions)

    @cached_property
    def compiled(self) -> Any:
        """``expression``, compiled."""
        return pattern(self.expression)

    @cached_property
    def exception(self) -> Any:
        """``unless_text``, compiled."""
        return pattern(self.unless_text)

    @cached_property
    def premise(self) -> Any:
        """``if_text``, compiled."""
        return pattern(self.if_text)


@dataclass(frozen=True, kw_only=True)
class CodeRule(Rule):
    """A rule. ``{it}`` in the message stands for what it matched, ``{source}`` for the taint."""

    languages: tuple[str, ...]
    match: tuple[Pattern, ...]
    tests: bool = True  # whether it says anything in tests, examples and documentation
    switch: str = ""  # names of settings by which whoever runs the program asks for it
    seen: tuple[
        str, ...
    ] = ()  # words of which the project must have one, else it is medium at most
    unseen: str = ""  # what is said then
    by_model: str = ""  # what is said where a model gives the value, in a program of its user
    nearby: str = ""  # what is said where the addresses around it are of this machine or plain HTTP

    @cached_property
    def switches(self) -> Any:
        """``switch``, compiled."""
        return pattern(self.switch)


def _build(located: Located, at: FieldPath, data: Mapping[str, Any]) -> CodeRule:
    _check_pattern(located, (*at, "switch"), data.get("switch"))
    return CodeRule(
        **common(data),
        languages=tuple(data["languages"]),
        match=tuple(
            _pattern(located, (*at, "match", index), one) for index, one in enumerate(data["match"])
        ),
        tests=data.get("tests", True),
        switch=data.get("switch", ""),
        seen=tuple(data.get("seen", ())),
        unseen=data.get("unseen", ""),
        by_model=data.get("by_model", ""),
        nearby=data.get("nearby", ""),
        bad=tuple(Example("", text) for text in data["bad"]),
        good=tuple(Example("", text) for text in data["good"]),
    )


def _pattern(located: Located, at: FieldPath, data: Mapping[str, Any]) -> Pattern:
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        raise located.error(at, f"{len(kinds)} kinds are given", "one of " + ", ".join(KINDS))
    kind = kinds[0]
    globs = data[kind] if kind in ("call", "assign", "import") else []
    expression = data[kind] if kind in ("assert", "text", "shell") else ""
    inside = data.get("inside", {})
    for place, given in (
        ((*at, kind), globs),
        ((*at, "unless_call"), data.get("unless_call", ())),
        *(((*at, "inside", name), inside[name]) for name in inside),
    ):
        for one in given:
            if not is_glob(one):
                raise located.error(place, f"'{one}' is not a glob", "a path such as torch.load")
    _check_pattern(located, (*at, kind), expression)
    for name in ("unless_text", "if_text", "named", "unless_named"):
        _check_pattern(located, (*at, name), data.get(name))
    if not globs and not data.get("words"):
        raise located.error(at, "'words' is missing", "words of which a file must hold one")
    return Pattern(
        kind=kind,
        globs=GlobUnion(globs),
        others=GlobUnion(data.get("unless_call", ())),
        expression=expression,
        where=tuple(
            (name, _conditions(located, (*at, "where", name), given))
            for name, given in data.get("where", {}).items()
        ),
        decorators=GlobUnion(inside["decorators"]) if "decorators" in inside else None,
        bases=GlobUnion(inside["bases"]) if "bases" in inside else None,
        unless_text=data.get("unless_text", ""),
        if_text=data.get("if_text", ""),
        words=tuple(data.get("words", ())),
        lessened=data.get("lessened", ""),
        named=data.get("named", ""),
        unless_named=data.get("unless_named", ""),
        bound=data.get("bound", False),
    )


def _conditions(located: Located, at: FieldPath, data: Any) -> tuple[Condition, ...]:
    found = []
    for one in data if isinstance(data, list) else [data]:
        made = conditions.condition(one)
        for text in (made.matches, made.differs):
            _check_pattern(located, at, text)
        labels = [source.label for source in flows().sources]
        for label in made.taint or ():
            if label not in labels:
                raise located.error(at, f"'{label}' is no source", "one of " + ", ".join(labels))
        found.append(made)
    return tuple(found)


def _check_pattern(located: Located, at: FieldPath, text: str | None) -> None:
    if text:
        check_pattern(located, at, text, pattern)


CODE: Final = RuleKind(
    "code-rules",
    RuleFormat(
        fields={
            "title": TEXT, "message": TEXT, "tests": {"type": "boolean"},
            "switch": _TEXT,
            "seen": {"type": "array", "items": _TEXT, "minItems": 1}, "unseen": _TEXT,
            "by_model": _TEXT,
            "nearby": _TEXT,
            "languages": {"type": "array", "items": {"enum": ["python"]}, "minItems": 1},
            "match": {"type": "array", "items": _PATTERN, "minItems": 1},
            "bad": EXAMPLES, "good": EXAMPLES,
        },
        required=("title", "message", "languages", "match", "bad", "good"),
        build=_build,
    ),
    Path(__file__).parent / "rules",
)  # fmt: skip
