"""A rule for one kind of credential."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.rules.patterns import compiled_bytes
from buttress.rules.rule import Rule

_REST: Final = (
    "Then read it from the environment or a secret store, and remove it from the history."
)


@dataclass(frozen=True, kw_only=True)
class CredentialRule(Rule):
    """One kind of credential.

    ``keywords`` are short patterns, case ignored: a file that matches none of them can't match
    ``pattern``. The secret itself is the pattern's group ``secret``, or
    its first group. ``verified`` tells rules that recognise a format from those that judge a
    literal by its name and its entropy. Its examples are templates, see ``examples``.
    """

    keywords: tuple[str, ...]
    pattern: str
    in_tests: Severity  # the severity in folders of tests and examples
    check: str = ""  # name in ``checks.CHECKS``, "" for none beyond the pattern
    verified: bool = True
    files: tuple[str, ...] = ()  # name patterns, lower case; all files where empty
    settings: Mapping[str, Any] = field(default_factory=dict)  # for the check

    @cached_property
    def expression(self) -> Any:
        """The pattern, compiled."""
        return compiled_bytes(self.pattern)

    @cached_property
    def group(self) -> int:
        """Number of the group that holds the secret."""
        return int(self.expression.groupindex.get(b"secret", 1))

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return re.compile("|".join(fnmatch.translate(name) for name in self.files))

    @property
    def advice(self) -> str:
        """The remedy, and what remains to be done whatever the credential."""
        return f"{self.remedy} {_REST}"

    def reads(self, name: str) -> bool:
        """Whether the rule applies to files of that name."""
        return not self.files or self._names.match(name.lower()) is not None
