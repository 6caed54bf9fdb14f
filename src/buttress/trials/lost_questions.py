"""Questions that were asked in vain, and which of them say something about the system."""

from __future__ import annotations

from collections.abc import Callable

from buttress.trials.health import TargetHealth

Lost = Callable[[int, str], None]


class LostQuestions:
    """Tells which questions of a stream of trials have no outcome.

    A question that fails may have failed for what it asks, so it is missing and perhaps not at
    random. Where a target stops to answer a caller at all, as with a key that expires or a quota
    that is used up, the last questions failed whatever they ask. They count as not asked. That
    shows only later, so those are held until a question is answered or the target is known to have
    died.

    Args:
        tell: gets the index of each question without an outcome, and why.
        health: of the target, which numbers its questions.
    """

    def __init__(self, tell: Lost, health: TargetHealth) -> None:
        self._tell = tell
        self._health = health
        self._held: list[tuple[int, str, int]] = []

    def add(self, index: int, why: str, *, about_caller: bool = False) -> None:
        """A question failed; ``about_caller`` where the error is about who asks."""
        if about_caller and self._health.last_answered:
            self._held.append((index, why, self._health.begun))
        else:
            self._tell(index, why)

    def close(self, *, died: bool) -> None:
        """Tell what was held.

        Where the target has died, only questions count after whose failure another one was begun
        and answered.
        """
        for index, why, begun in self._held:
            if not died or begun < self._health.last_answered:
                self._tell(index, why)
        self._held.clear()
