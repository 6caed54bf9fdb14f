"""What a pattern matched, before and after it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from buttress.evidence.findings import Severity
from buttress.rules.credentials.dollars import expands
from buttress.rules.credentials.rule import CredentialRule

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CredentialCandidate:
    """A match of a rule's pattern; ``start`` and ``end`` delimit the secret in ``data``."""

    rule: CredentialRule
    data: bytes
    start: int
    end: int
    whole: Span
    groups: Mapping[str, bytes] = field(default_factory=dict)  # the pattern's named groups
    file: str = ""  # its name

    @property
    def name(self) -> bytes:
        """The name that the secret is assigned to, where the pattern has such a group."""
        return self.groups.get("name", b"")

    @property
    def secret(self) -> bytes:
        """The secret's bytes."""
        return self.data[self.start : self.end]

    @property
    def expands(self) -> bool:
        """Whether a ``$name`` in the secret refers to a variable."""
        return expands(self.secret, self.data[max(0, self.start - 1) : self.start], self.file)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check found the candidate to be a credential.

    ``severity`` can only be below the rule's own; None means that. ``note`` says what was checked.
    ``more`` are further stretches of the file that belong to the same credential; ``start`` and
    ``end`` say where it lies if not just where the pattern says.
    """

    note: str = ""
    severity: Severity | None = None
    more: tuple[Span, ...] = ()
    start: int | None = None
    end: int | None = None
