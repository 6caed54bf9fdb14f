"""Checks that patterns alone can't make, by the names that rules give them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.probes.client.checks import android, extension, ios
from buttress.rules.rule_files import RuleKind
from buttress.rules.subject import Check
from buttress.rules.subject_rule import SUBJECT_RULES

RULES: Final = RuleKind("client-rules", SUBJECT_RULES, Path(__file__).parents[1] / "rules")
CHECKS: Final[dict[str, Check]] = {**android.CHECKS, **ios.CHECKS, **extension.CHECKS}
