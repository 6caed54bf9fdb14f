"""Where the public data for tests lies: beside the checkout, or named by BUTTRESS_TEST_DATA."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _find() -> Path | None:
    named = os.environ.get("BUTTRESS_TEST_DATA")
    root = Path(__file__).resolve().parents[1]
    candidates = [Path(named)] if named else [root.parent / "shared/data", root / "shared/data"]
    return next((path for path in candidates if path.is_dir()), None)


DATA = _find()
needs_data = pytest.mark.skipif(
    DATA is None, reason="public data not found; set BUTTRESS_TEST_DATA to its folder"
)
