"""The rules for credentials, read from the YAML files in ``data/``."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import re2
import yaml

from buttress.evidence.findings import Severity

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
_FOLDER: Final = Path(__file__).parent / "data"
_REST: Final = (
    "Then read it from the environment or a secret store, and remove it from the history."
)


def options(*, case_sensitive: bool = True) -> Any:
    """RE2 options for patterns over raw bytes: every byte is a character, whatever the encoding."""
    chosen = re2.Options()
    chosen.encoding = re2.Options.Encoding.LATIN1
    chosen.case_sensitive = case_sensitive
    chosen.log_errors = False
    return chosen


@dataclass(frozen=True)
class CredentialRule:
    """One kind of credential.

    ``keywords`` are short patterns, case ignored: a file that matches none of them can't match
    ``pattern``. The secret itself is the pattern's group ``secret``, or
    its first group. ``verified`` tells rules that recognise a format from those that judge a
    literal by its name and its entropy. ``positive`` and ``negative`` are templates, see
    ``examples``.
    """

    id: str
    title: str
    keywords: tuple[str, ...]
    pattern: str
    severity: Severity
    in_tests: Severity  # the severity in folders of tests and examples
    check: str  # name in ``checks.CHECKS``, "" for none beyond the pattern
    verified: bool
    remedy: str
    references: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    files: tuple[str, ...] = ()  # name patterns, lower case; all files where empty
    settings: Mapping[str, Any] = field(default_factory=dict)  # for the check

    @cached_property
    def expression(self) -> Any:
        """The pattern, compiled."""
        return re2.compile(self.pattern.encode(), options())

    @cached_property
    def group(self) -> int:
        """Number of the group that holds the secret."""
        return int(self.expression.groupindex.get(b"secret", 1))

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return re.compile("|".join(fnmatch.translate(name) for name in self.files))

    def reads(self, name: str) -> bool:
        """Whether the rule applies to files of that name."""
        return not self.files or self._names.match(name.lower()) is not None


@cache
def rules() -> tuple[CredentialRule, ...]:
    """The rules that come with Buttress: first those that recognise a format, in order."""
    found = [rule for path in sorted(_FOLDER.glob("*.yaml")) for rule in _read(path)]
    return tuple(sorted(found, key=lambda rule: not rule.verified))


def _read(path: Path) -> Iterator[CredentialRule]:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    for one in data["rules"]:
        fields = {**data.get("defaults", {}), **one}
        remedy = f"{fields.pop('remedy')} {_REST}"
        severity = fields["severity"]
        fields.setdefault("in_tests", severity)
        fields.setdefault("check", "")
        fields.setdefault("verified", True)
        for name in ("keywords", "references", "positive", "negative", "files"):
            fields[name] = tuple(fields.get(name, ()))
        yield CredentialRule(remedy=remedy, **fields)
