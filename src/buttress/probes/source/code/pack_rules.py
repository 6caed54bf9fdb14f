"""Rules about code as contents of packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from buttress.probes.source.code.rulebook import RULES, load_rules


class _CodeRules:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        return [rule.id for rule in load_rules(path, verify=True)]

    def check_own(self) -> int:
        return len(load_rules(RULES, verify=True))


CODE_RULES: Final = _CodeRules()
