"""Rules for credentials in packs, in the form of our own, and the test of their examples."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import re2

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES
from buttress.files import located_yaml
from buttress.files.identifiers import KEBAB_CASE
from buttress.files.located_yaml import FieldPath, Located
from buttress.rules.credentials.checks import CHECKS
from buttress.rules.credentials.examples import fill
from buttress.rules.credentials.rules import CredentialRule, options, rules
from buttress.rules.credentials.scanner import candidates, verdict_on

MAX_PATTERN: Final = 2_000
_SEEDS: Final = range(5)  # of random text in examples; each must come out right
_MAX_EXAMPLE: Final = 20_000
_NUMBERS: Final = re.compile(r"\{(?!jwt:)[A-Za-z0-9]+:([0-9]+)\}")  # of a JWT: its subject
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN, "description": "text"}
_TEXTS: Final = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 50}
_SEVERITY: Final = {"enum": list(SEVERITIES)}
_FIELDS: Final[dict[str, Any]] = {
    "id": _TEXT, "title": _TEXT, "pattern": _TEXT, "remedy": _TEXT, "severity": _SEVERITY,
    "in_tests": _SEVERITY, "keywords": _TEXTS, "references": _TEXTS, "positive": _TEXTS,
    "negative": _TEXTS, "files": _TEXTS, "verified": {"type": "boolean"},
    "check": {"enum": [name for name in CHECKS if name != "pair"]},
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
                "required": ["id", "title", "keywords", "pattern", "severity", "remedy",
                             "references", "positive", "negative"],
                "properties": _FIELDS,
            },
        },
    },
}  # fmt: skip


def load(path: Path) -> list[CredentialRule]:
    """The rules of a file.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    located_yaml.check(located, _SCHEMA)
    return [_rule(located, ("rules", index)) for index in range(len(located.data["rules"]))]


class _SecretRules:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        found = load(path)
        try_examples(found, path)
        return [rule.id for rule in found]

    def check_own(self) -> int:
        try_examples(rules(), Path("own secret-rules"))
        return len(rules())


SECRET_RULES: Final = _SecretRules()


def try_examples(rules: Sequence[CredentialRule], path: Path) -> None:
    """Every rule finds its positive examples, whatever the random text in them, and no negative.

    Raises:
        InputError: naming the rule and the example.
    """
    for index, rule in enumerate(rules):
        for side, wanted in (("positive", True), ("negative", False)):
            for number, template in enumerate(getattr(rule, side)):
                for seed in _SEEDS:
                    if _found(rule, _filled(template, seed, rule, path)) is not wanted:
                        raise InputError(
                            f"rule '{rule.id}' {'misses' if wanted else 'finds'} its {side} "
                            f"example {number + 1}: {template[:60]}",
                            file=str(path),
                            field=f"rules[{index}].{side}[{number}]",
                            expected="a match" if wanted else "no match",
                        )


def _filled(template: str, seed: int, rule: CredentialRule, path: Path) -> bytes:
    try:
        if any(int(number) > _MAX_EXAMPLE for number in _NUMBERS.findall(template)):
            raise ValueError("too long")
        return fill(template, random.Random(seed)).encode()
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"rule '{rule.id}': its example '{template[:60]}' can't be filled in: {error}",
            file=str(path),
            expected="places such as {base62:24}, {hex:32}, {uuid}",
        ) from None


def _found(rule: CredentialRule, data: bytes) -> bool:
    """Whether the rule finds anything, as the scanner decides it: keyword, pattern, check."""
    folded = options(case_sensitive=False)
    if not any(re2.compile(word.encode(), folded).search(data) for word in rule.keywords):
        return False
    return any(verdict_on(one) is not None for one in candidates(rule, data))


def _rule(located: Located, at: FieldPath) -> CredentialRule:
    data = located.data["rules"][at[1]]
    fields: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in data.items()
    }
    fields.setdefault("in_tests", fields["severity"])
    fields.setdefault("check", "")
    fields.setdefault("verified", True)
    if not KEBAB_CASE.fullmatch(fields["id"]):
        raise located.error((*at, "id"), f"'{fields['id'][:60]}' is no id", "a-z, 0-9 and -")
    rule = CredentialRule(**fields)
    for index, keyword in enumerate(rule.keywords):
        _compiled(located, (*at, "keywords", index), keyword)
    _compiled(located, (*at, "pattern"), rule.pattern)
    if rule.expression.groups < 1:
        raise located.error((*at, "pattern"), "no group", "the secret in ( ) or (?P<secret> )")
    return rule


def _compiled(located: Located, at: FieldPath, text: str) -> None:
    try:
        compiled = re2.compile(text.encode(), options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise located.error(at, f"no pattern: {told}", "RE2 syntax") from None
    if compiled.search(b"") is not None:
        raise located.error(at, "matches the empty text", "a pattern that matches something")
