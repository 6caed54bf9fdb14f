"""Checks that patterns alone can't make, by the names that rules give them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.probes.client.checks import android, extension, ios
from buttress.rules.subject import Check

RULES: Final = Path(__file__).parent.parent / "rules"
CHECKS: Final[dict[str, Check]] = {**android.CHECKS, **ios.CHECKS, **extension.CHECKS}
