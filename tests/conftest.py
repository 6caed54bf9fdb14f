"""For all tests: a mistake of an inspector fails the test instead of becoming a note."""

from __future__ import annotations

import os

os.environ["BUTTRESS_DEBUG"] = "1"
