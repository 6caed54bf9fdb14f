"""Checks that patterns alone can't make, by the names that rules give them."""

from __future__ import annotations

from typing import Final

from buttress.probes.agents.checks import access, commands, hidden
from buttress.rules.subject import Check

RULES: Final = hidden.RULES
CHECKS: Final[dict[str, Check]] = {**commands.CHECKS, **access.CHECKS, **hidden.CHECKS}
