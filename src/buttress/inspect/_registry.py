"""What Inspect loads by the entry point ``buttress`` of its group ``inspect_ai``."""

from __future__ import annotations

from buttress.inspect.scorers import check, judged
from buttress.inspect.tasks import TASKS

__all__ = ["TASKS", "check", "judged"]
