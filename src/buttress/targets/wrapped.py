"""A target that changes how another one is asked, or what it says."""

from __future__ import annotations

from typing import Generic, TypeVar

from buttress.targets.base import Answer, Request, Target, needs_no_timeout, time_for_answer

Inner = TypeVar("Inner", bound=Target)


class WrappedTarget(Generic[Inner]):
    """As the target inside; what differs is for subclasses to say, ``identity`` at least."""

    def __init__(self, target: Inner) -> None:
        self._target = target

    @property
    def name(self) -> str:
        """The target's."""
        return self._target.name

    @property
    def identity(self) -> str:
        """The target's."""
        return self._target.identity

    @property
    def stable(self) -> bool:
        """As the target."""
        return self._target.stable

    @property
    def concurrency(self) -> int:
        """As the target."""
        return self._target.concurrency

    @property
    def needs_no_timeout(self) -> bool:
        """As the target."""
        return needs_no_timeout(self._target)

    @property
    def timeout_s(self) -> float | None:
        """As the target."""
        return time_for_answer(self._target)

    async def answer(self, request: Request) -> Answer:
        """As the target.

        Raises:
            TargetError: no answer.
        """
        return await self._target.answer(request)

    async def aclose(self) -> None:
        """Close the target."""
        await self._target.aclose()
