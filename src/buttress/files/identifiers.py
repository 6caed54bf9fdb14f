"""Identifiers of rules and packs."""

from __future__ import annotations

import re
from typing import Final

KEBAB_CASE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
