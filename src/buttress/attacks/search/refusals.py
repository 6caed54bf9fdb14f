"""Did the target turn a question down? Only steers a search; the outcome is the judge's."""

from __future__ import annotations

from typing import Final

from buttress.judges.cues import IN_ANSWER
from buttress.probes.behaviour.denial import denies

_OPENING: Final = 300  # characters; a refusal further down comes after help
_TELLING: Final = frozenset(IN_ANSWER.names.index(name) for name in ("unable", "norm"))


def declined(answer: str) -> bool:
    """Whether the answer is empty or opens with a refusal, in English or Chinese."""
    text = answer.strip()[:_OPENING].lower().replace("’", "'").replace("\n", " ")
    return not text or not _TELLING.isdisjoint(IN_ANSWER.find(text))


def unhelpful(answer: str) -> bool:
    """Whether it declines, or says that it doesn't know."""
    return declined(answer) or denies(answer)
