"""The rules for credentials, read from the YAML files in ``data/``, and those of packs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES
from buttress.files.located_yaml import FieldPath, Located
from buttress.rules.credentials.checks import CHECKS
from buttress.rules.credentials.rule import CredentialRule
from buttress.rules.patterns import check_pattern, compiled_bytes
from buttress.rules.rule import Example
from buttress.rules.rule_files import EXAMPLES, PATTERN, TEXT, TEXTS, RuleFormat, RuleKind, common


def _build(located: Located, at: FieldPath, data: Mapping[str, Any]) -> CredentialRule:
    rule = CredentialRule(
        **common(data),
        **{name: data[name] for name in ("check", "verified", "settings") if name in data},
        keywords=tuple(data["keywords"]),
        pattern=data["pattern"],
        in_tests=data.get("in_tests", data["severity"]),
        files=tuple(data.get("files", ())),
        bad=tuple(Example("", text) for text in data["positive"]),
        good=tuple(Example("", text) for text in data["negative"]),
    )
    for index, keyword in enumerate(rule.keywords):
        check_pattern(located, (*at, "keywords", index), keyword, compiled_bytes, empty=b"")
    check_pattern(located, (*at, "pattern"), rule.pattern, compiled_bytes, empty=b"")
    if rule.expression.groups < 1:
        raise located.error((*at, "pattern"), "no group", "the secret in ( ) or (?P<secret> )")
    if rule.check == "pair" and not rule.settings:
        raise located.error((*at, "check"), "'pair' needs settings, which a pack can't give")
    return rule


_SEVERITY: Final = {"enum": list(SEVERITIES)}
CREDENTIALS: Final = RuleKind(
    "secret-rules",
    RuleFormat(
        fields={
            "title": TEXT, "pattern": PATTERN, "in_tests": _SEVERITY, "keywords": TEXTS,
            "positive": EXAMPLES, "negative": EXAMPLES, "files": TEXTS,
            "verified": {"type": "boolean"}, "check": {"enum": list(CHECKS)},
            "settings": {"type": "object"},
        },
        required=("title", "keywords", "pattern", "positive", "negative"),
        build=_build,
        shipped={"settings": "a pack can't give settings of a check"},
        sides=("positive", "negative"),
    ),
    Path(__file__).parent / "data",
)  # fmt: skip
