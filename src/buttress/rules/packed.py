"""Rules as contents of packs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from buttress.rules.rule import Example
from buttress.rules.rule_files import R, RuleKind, read


@dataclass(frozen=True, slots=True)
class PackedRules(Generic[R]):
    """A kind of rules, and how its examples are tried; see ``RuleFile.try_examples``."""

    kind: RuleKind[R]
    trial: Callable[[R], Callable[[Example], set[bool]]]
    expected: Callable[[Example], str] = lambda _: "a match"

    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """As ``PackContents``."""
        file = read(path, self.kind.format)
        for index, rule in enumerate(file.rules):
            if rule.id in self.kind.own:
                raise file.located.error(
                    ("rules", index, "id"), f"rule '{rule.id}' is one of Buttress's own",
                    "another id",
                )  # fmt: skip
        file.try_examples(self.trial, self.expected)
        return [rule.id for rule in file.rules]

    def check_own(self) -> int:
        """As ``ChecksOwnRules``."""
        for file in self.kind.files():
            file.try_examples(self.trial, self.expected)
        return len(self.kind.own)
