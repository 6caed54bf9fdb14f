"""Counting what questions take, whoever asks them."""

from __future__ import annotations

from typing import Final, Protocol

from buttress.targets.allowance import Allowance
from buttress.targets.base import Answer, Request, Target, starts_slowly, takes_images


class Meter(Protocol):
    """What is told of each attempt and of each answer."""

    def called(self) -> None:
        """A question was sent."""
        ...

    def answered(self, answer: Answer) -> None:
        """An answer came."""
        ...


class Unmetered:
    """Counts nothing."""

    def called(self) -> None:
        """See ``Meter``."""

    def answered(self, answer: Answer) -> None:
        """See ``Meter``."""


UNMETERED: Final = Unmetered()


class MeteredTarget:
    """A target whose questions are counted, and end with the time of the allowance.

    For a judge's model: what it is asked follows from answers that are paid for, so it is counted,
    but refused only when the time is over.
    """

    def __init__(self, target: Target, meter: Meter, allowance: Allowance) -> None:
        self._target = target
        self._meter = meter
        self._allowance = allowance
        self.takes_images = takes_images(target)
        self.starts_slowly = starts_slowly(target)

    @property
    def name(self) -> str:
        """That of the target."""
        return self._target.name

    @property
    def identity(self) -> str:
        """That of the target."""
        return self._target.identity

    @property
    def stable(self) -> bool:
        """That of the target."""
        return self._target.stable

    @property
    def concurrency(self) -> int:
        """That of the target."""
        return self._target.concurrency

    async def answer(self, request: Request) -> Answer:
        """The target's answer.

        Raises:
            TargetError: no answer.
        """
        self._meter.called()
        answer = await self._target.answer(request)
        self._meter.answered(answer)
        return answer

    async def aclose(self) -> None:
        """Close the target."""
        await self._target.aclose()
