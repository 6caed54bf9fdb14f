"""Refusals that may be a door shut on the caller, held until a later question tells."""

from __future__ import annotations

from collections.abc import Callable

from buttress.trials.commit import Answered
from buttress.trials.health import TargetHealth


class UnconfirmedRefusals:
    """Hands over the answers of a stream of trials, refusals once they are known to be refusals.

    A firewall turns single questions down in the same words in which it bans a caller. Where it
    banned the caller, the last refusals say nothing of the system and count as not asked.

    Args:
        take: gets each answer that counts.
        health: of the target, which numbers its questions.
    """

    def __init__(self, take: Callable[[Answered], None], health: TargetHealth) -> None:
        self._take = take
        self._health = health
        self._held: list[tuple[Answered, int]] = []

    def add(self, answered: Answered) -> None:
        """An answer, or a refusal to hold until a question that begins from now on is answered."""
        if answered.answer.unconfirmed:
            self._held.append((answered, self._health.begun))
            return
        self.release()
        self._take(answered)

    def release(self) -> None:
        """Hand over those after which another question was begun and answered."""
        waiting = []
        for answered, begun in self._held:
            if begun < self._health.last_answered:
                self._take(answered)
            else:
                waiting.append((answered, begun))
        self._held = waiting

    def release_all(self) -> None:
        """Hand over all: nothing speaks against them."""
        for answered, _ in self._held:
            self._take(answered)
        self._held.clear()

    async def confirm(self) -> None:
        """Hand over all where a harmless question is answered now.

        Raises:
            TargetDiedError: it is not; what is held then counts as not asked.
        """
        self.release()
        if self._held:
            await self._health.confirm(self._held[-1][0].answer.text)
            self.release_all()
