"""Rules for containers and pipelines, or for agents, in packs: in the form of our own.

What is not data stays out: a rule of a pack has a pattern, or tells that something is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import re2

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES
from buttress.files import located_yaml
from buttress.files.identifiers import KEBAB_CASE
from buttress.files.located_yaml import FieldPath, Located
from buttress.files.source_files import SourceFile, SourceReading
from buttress.rules.rulebook import Example, Rule, options
from buttress.rules.subject import Check, Subject, SubjectMatcher

_NOTHING: Final = r"[^\x00-\x{10FFFF}]"  # matches no text; of a rule that has no pattern
_FILE: Final = re.compile(r"(?:[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*/){0,6}[A-Za-z0-9_.-]+")
_ROOT: Final = Path("/example")  # examples are never written; only their names matter
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2_000, "description": "text"}
_TEXTS: Final = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 50}
_EXAMPLE: Final = {"type": "string", "minLength": 1, "maxLength": 20_000}
_EXAMPLES: Final = {
    "type": "array", "minItems": 1, "maxItems": 50,
    "items": {
        "description": "a text, or {file: NAME, text: TEXT}",
        "anyOf": [
            _EXAMPLE,
            {"type": "object", "additionalProperties": False, "required": ["file", "text"],
             "properties": {"file": _TEXT, "text": _EXAMPLE}},
        ],
    },
}  # fmt: skip
_FIELDS: Final[dict[str, Any]] = {
    "id": _TEXT, "title": _TEXT, "message": _TEXT, "remedy": _TEXT, "at": _TEXT,
    "is": _TEXT, "unless": _TEXT, "unless_in": _TEXT, "file": _TEXT, "check": {},
    "severity": {"enum": list(SEVERITIES)}, "references": _TEXTS,
    "about": {"anyOf": [_TEXT, _TEXTS], "description": "kinds of what is looked at, see the docs"},
    "sentence": {"type": "boolean"}, "act": {"type": "boolean"},
    "missing": {"const": True, "description": "true"},
    "secret": {"type": "boolean"}, "bad": _EXAMPLES, "good": _EXAMPLES,
}  # fmt: skip
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rules"],
    "properties": {
        "rules": {
            "type": "array", "minItems": 1, "maxItems": 1_000,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "title", "about", "severity", "message", "remedy",
                             "references", "bad", "good"],
                "properties": _FIELDS,
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleDomain:
    """A probe's part in its rules: how many bytes of a file of that path are read, 0 for none,
    what rules can be about in it, the rules that it has itself, and their checks."""

    limit: Callable[[Path], int]
    subjects: Callable[[Path, SourceFile, SourceReading], Iterator[Subject]]
    own: Callable[[], Mapping[str, Rule]]
    checks: Mapping[str, Check]


@dataclass(frozen=True, slots=True)
class SubjectRules:
    """Rules about subjects as contents of packs."""

    kind: str
    field: RuleDomain

    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """As ``PackContents``."""
        found, own = load(path), self.field.own()
        if taken := [rule.id for rule in found if rule.id in own]:
            raise InputError(
                f"rule '{taken[0]}' is one of Buttress's own", file=str(path),
                expected="another id",
            )  # fmt: skip
        try_examples(found, self.field, path)
        return [rule.id for rule in found]

    def check_own(self) -> int:
        """As ``ChecksOwnRules``."""
        own = list(self.field.own().values())
        try_examples(own, self.field, Path(f"own {self.kind}"))
        return len(own)


def load_all(files: Iterable[tuple[str, Path]]) -> dict[str, Rule]:
    """The rules of several packs by id.

    Args:
        files: each with the name of its pack.

    Raises:
        InputError: two packs have a rule of the same id.
    """
    found: dict[str, Rule] = {}
    for pack, path in files:
        for rule in load(path):
            if rule.id in found:
                raise InputError(
                    f"rule '{rule.id}' is in another pack too", file=f"pack {pack}",
                    expected="one of the packs removed",
                )  # fmt: skip
            found[rule.id] = rule
    return found


def load(path: Path) -> list[Rule]:
    """The rules of a file.

    Raises:
        InputError: naming file, line and field; also for a rule with a ``check``, which is code.
    """
    located = located_yaml.load(path)
    located_yaml.check(located, _SCHEMA)
    return [
        _rule(located, ("rules", index), one) for index, one in enumerate(located.data["rules"])
    ]


def try_examples(rules: list[Rule], field: RuleDomain, path: Path) -> None:
    """Every rule finds something in each of its bad examples, and nothing in its good ones.

    Raises:
        InputError: naming the rule and the example.
    """
    for index, rule in enumerate(rules):
        matcher = SubjectMatcher([rule], field.checks)
        for side, wanted in (("bad", True), ("good", False)):
            for number, example in enumerate(getattr(rule, side)):
                seen = _subjects_of(example, field)
                if any(True for one in seen for _ in matcher.issues(one)) is not wanted:
                    raise InputError(
                        f"rule '{rule.id}' {'misses' if wanted else 'finds'} its {side} example "
                        f"{number + 1}, {example.file}: {example.text[:60]}",
                        file=str(path), field=f"rules[{index}].{side}[{number}]",
                        expected=_expected(seen) if wanted else "no match",
                    )  # fmt: skip


def _subjects_of(example: Example, field: RuleDomain) -> list[Subject]:
    """Empty where the probe does not read such a file."""
    place = _ROOT / example.file
    data = example.text.encode()
    if not 0 < len(data) <= field.limit(place):
        return []
    return list(field.subjects(place, SourceFile(example.file, data), SourceReading()))


def _expected(seen: list[Subject]) -> str:
    kinds = sorted({one.kind for one in seen})
    return f"a match in {', '.join(kinds[:20])}" if kinds else "a file that the probe reads"


def _rule(located: Located, at: FieldPath, data: Mapping[str, Any]) -> Rule:
    if "check" in data:
        raise located.error(
            (*at, "check"), "names a check in Python, which a pack can't hold",
            "'is' with a pattern, or 'missing: true'",
        )  # fmt: skip
    if not KEBAB_CASE.fullmatch(data["id"]):
        raise located.error((*at, "id"), f"'{data['id'][:60]}' is no id", "a-z, 0-9 and -")
    if ("is" in data) is ("missing" in data):
        raise located.error(at, "needs either 'is' or 'missing'", "one of them")
    if "missing" in data and "at" not in data:
        raise located.error(at, "'at' is missing", "the path of what must be there")
    for name in ("is", "unless", "unless_in"):
        if name in data:
            _compiled(located, (*at, name), data[name])
    about = data["about"]
    return Rule(
        id=data["id"],
        title=data["title"],
        severity=data["severity"],
        message=data["message"],
        remedy=data["remedy"],
        references=tuple(data["references"]),
        bad=_examples(located, at, "bad", data),
        good=_examples(located, at, "good", data),
        about=(about,) if isinstance(about, str) else tuple(about),
        at=data.get("at", ""),
        pattern=data.get("is", _NOTHING),
        unless=data.get("unless", ""),
        unless_in=data.get("unless_in", ""),
        sentence=data.get("sentence", False),
        act=data.get("act", False),
        missing="missing" in data,
        secret=data.get("secret", False),
    )


def _examples(
    located: Located, rule: FieldPath, side: str, data: Mapping[str, Any]
) -> tuple[Example, ...]:
    made = []
    for index, given in enumerate(data[side]):
        whole = given if isinstance(given, dict) else {"file": data.get("file", ""), "text": given}
        if not _FILE.fullmatch(whole["file"]):
            raise located.error(
                (*rule, side, index), f"'{whole['file'][:60]}' names no file",
                "the rule's 'file', or {file: NAME, text: TEXT}",
            )  # fmt: skip
        made.append(Example(whole["file"], whole["text"]))
    return tuple(made)


def _compiled(located: Located, at: FieldPath, text: str) -> None:
    try:
        compiled = re2.compile(text, options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise located.error(at, f"no pattern: {told}", "RE2 syntax") from None
    if compiled.search("") is not None:
        raise located.error(at, "matches the empty text", "a pattern that matches something")
