"""Questions that were asked in vain, and which of them say something about the system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from buttress.trials.health import TargetHealth

Lost = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class _Held:
    """A question that failed when ``begun`` questions were begun.

    ``about_caller`` says that the error is about who asks.
    """

    index: int
    why: str
    probe: str
    begun: int
    about_caller: bool


class LostQuestions:
    """Tells which questions of a stream of trials have no outcome.

    A question that fails may have failed for what it asks, so it is missing and perhaps not at
    random. Where a target stops to answer a caller at all, as with a key that expires or a server
    behind a gateway that is gone, the last questions failed whatever they ask. They count as not
    asked. That shows only later, so those are held until a question is answered or the target is
    known to have died.

    Args:
        tell: gets the index of each question without an outcome, and why.
        health: of the target, which numbers its questions.
    """

    def __init__(self, tell: Lost, health: TargetHealth) -> None:
        self._tell = tell
        self._health = health
        self._held: list[_Held] = []

    def add(
        self, index: int, why: str, *,
        probe: str = "", about_caller: bool = False, about_question: bool = False,
    ) -> None:  # fmt: skip
        """A question of ``probe`` failed; whether the error is about who asks, or what is asked."""
        if self._health.last_answered and not about_question:
            self._held.append(_Held(index, why, probe, self._health.begun, about_caller))
        else:
            self._tell(index, why)

    async def confirm(self) -> None:
        """Ask a harmless question where none was answered that began after a failure.

        Raises:
            TargetDiedError: it is not answered either.
        """
        unsure = [held for held in self._held if not self._overtaken(held)]
        if unsure:
            await self._health.confirm(unsure[-1].why)

    def _overtaken(self, held: _Held) -> bool:
        """Whether a question that began after this one failed was answered."""
        return held.begun < self._health.last_answered

    def close(self, *, died: bool) -> None:
        """Tell what was held.

        Where the target has died, only questions count after whose failure another one was begun
        and answered, and one of each probe: a server may have died of a question, but of one alone.
        """
        for held in self._held:
            counts = not died or self._overtaken(held)
            if counts or not (held.about_caller or self._health.blamed(held.probe)):
                self._tell(held.index, held.why)
        self._held.clear()
