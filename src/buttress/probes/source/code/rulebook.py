"""Rules about code as data. A rule whose own examples fail is not accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import re2

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Severity
from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.probes.source.code import conditions
from buttress.probes.source.code.conditions import Condition, pattern
from buttress.probes.source.code.events import KINDS, Kind
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.paths import GlobUnion, is_glob

RULES: Final = Path(__file__).parent / "rules"
_GLOBS: Final = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_TEXT: Final = {"type": "string", "minLength": 1}
_EXAMPLES: Final = {"type": "array", "items": _TEXT, "minItems": 1}
_ID: Final = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "a-z, 0-9, -"}
_ARGUMENT: Final = {
    "pattern": "^(?:[A-Za-z_][A-Za-z0-9_]*)?(?:@[0-9]{1,2})?$",
    "minLength": 1,
    "description": "name, name@position, @position, self, value or any",
}
_PATTERN: Final = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "call": _GLOBS, "assign": _GLOBS, "import": _GLOBS,
        "assert": _TEXT, "text": _TEXT, "shell": _TEXT, "mapping": {"const": True},
        "where": {"type": "object", "propertyNames": _ARGUMENT, "additionalProperties": {
            "anyOf": [conditions.SCHEMA, {"type": "array", "items": conditions.SCHEMA}]}},
        "inside": {"type": "object", "additionalProperties": False, "properties": {
            "decorators": _GLOBS, "bases": _GLOBS}},
        "unless_text": _TEXT,
        "if_text": _TEXT,
        "words": {"type": "array", "items": _TEXT, "minItems": 1},
    },
}  # fmt: skip
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rules"],
    "properties": {
        "rules": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "id", "title", "severity", "message", "remedy", "references", "languages",
                    "match", "bad", "good",
                ],
                "properties": {
                    "id": _ID, "title": _TEXT, "severity": {"enum": list(SEVERITIES)},
                    "message": _TEXT, "remedy": _TEXT, "references": _EXAMPLES,
                    "languages": {"type": "array", "items": {"enum": ["python"]}, "minItems": 1},
                    "match": {"type": "array", "items": _PATTERN, "minItems": 1},
                    "tests": {"type": "boolean"}, "bad": _EXAMPLES, "good": _EXAMPLES,
                },
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """One way in which a rule matches an event."""

    kind: Kind
    globs: GlobUnion  # of calls, assignments and imports
    expression: str  # of asserts, texts and shell commands
    where: tuple[tuple[str, tuple[Condition, ...]], ...]
    decorators: GlobUnion | None
    bases: GlobUnion | None
    unless_text: str
    if_text: str
    words: tuple[str, ...]

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


@dataclass(frozen=True)
class CodeRule:
    """A rule. ``{it}`` in the message stands for what it matched, ``{source}`` for the taint."""

    id: str
    title: str
    severity: Severity
    message: str
    remedy: str
    references: tuple[str, ...]
    languages: tuple[str, ...]
    match: tuple[Pattern, ...]
    bad: tuple[str, ...]
    good: tuple[str, ...]
    tests: bool = True  # whether it says anything in tests, examples and documentation


def load_rules(path: Path, *, verify: bool = True) -> tuple[CodeRule, ...]:
    """The rules of a YAML file, or of all ``*.yaml`` in a folder.

    Args:
        path: the file or the folder.
        verify: try the examples of each rule.

    Raises:
        InputError: a field is wrong, an id is given twice, or a rule misses its ``bad`` example or
            finds its ``good`` one.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    found: dict[str, CodeRule] = {}
    for file in files:
        located = located_yaml.load(file)
        located_yaml.check(located, _SCHEMA)
        for index, data in enumerate(located.data["rules"]):
            rule = _rule(located, ("rules", index), data)
            if rule.id in found:
                raise located.error(("rules", index, "id"), f"'{rule.id}' is given twice", "once")
            if verify:
                _verify(located, ("rules", index), rule)
            found[rule.id] = rule
    if not found:
        raise InputError("no rules", file=str(path), expected="*.yaml with rules")
    return tuple(found.values())


@cache
def own_rules() -> tuple[CodeRule, ...]:
    """The rules that come with Buttress; their examples are tried by its tests."""
    return load_rules(RULES, verify=False)


def _rule(located: Located, at: FieldPath, data: Mapping[str, Any]) -> CodeRule:
    fields: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in data.items()
    }
    fields["match"] = tuple(
        _pattern(located, (*at, "match", index), one) for index, one in enumerate(data["match"])
    )
    return CodeRule(**fields)


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
        *(((*at, "inside", name), inside[name]) for name in inside),
    ):
        for one in given:
            if not is_glob(one):
                raise located.error(place, f"'{one}' is not a glob", "a path such as torch.load")
    _compiled(located, (*at, kind), expression)
    for name in ("unless_text", "if_text"):
        _compiled(located, (*at, name), data.get(name))
    if not globs and not data.get("words"):
        raise located.error(at, "'words' is missing", "words of which a file must hold one")
    return Pattern(
        kind=kind,
        globs=GlobUnion(globs),
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
    )


def _conditions(located: Located, at: FieldPath, data: Any) -> tuple[Condition, ...]:
    found = []
    for one in data if isinstance(data, list) else [data]:
        made = conditions.condition(one)
        for text in (made.matches, made.differs):
            _compiled(located, at, text)
        labels = [source.label for source in flows().sources]
        for label in made.taint or ():
            if label not in labels:
                raise located.error(at, f"'{label}' is no source", "one of " + ", ".join(labels))
        found.append(made)
    return tuple(found)


def _compiled(located: Located, at: FieldPath, text: str | None) -> None:
    if text:
        try:
            pattern(text)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise located.error(at, f"no pattern: {text}", "RE2 syntax") from None


def _verify(located: Located, at: FieldPath, rule: CodeRule) -> None:
    from buttress.probes.source.code.matcher import RuleMatcher

    matcher = RuleMatcher((rule,))
    for side, wanted in (("bad", True), ("good", False)):
        for index, example in enumerate(getattr(rule, side)):
            place = (*at, side, index)
            result = matcher.examine_text(example)
            if result.broken:
                raise located.error(place, f"the example does not parse: {result.broken[0]}")
            if bool(result.hits) is not wanted:
                what = "is not found" if wanted else "is found"
                raise located.error(place, f"the {side} example of '{rule.id}' {what}", (
                    "a finding" if wanted else "no finding"
                ))  # fmt: skip
