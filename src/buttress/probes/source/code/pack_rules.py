"""Rules about code as contents of packs: how their examples are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from buttress.probes.source.code.matcher import RuleMatcher
from buttress.probes.source.code.rulebook import CODE, CodeRule
from buttress.rules.packed import PackedRules
from buttress.rules.rule import Example
from buttress.rules.rule_files import ExampleError


def _trial(rule: CodeRule) -> Callable[[Example], set[bool]]:
    matcher = RuleMatcher((rule,))

    def finds(example: Example) -> set[bool]:
        result = matcher.examine_text(example.text)
        if result.broken:
            raise ExampleError(f"the example does not parse: {result.broken[0]}")
        return {bool(result.hits)}

    return finds


CODE_RULES: Final = PackedRules(CODE, _trial)
