"""How judges ask a model: as trials do, with the same retries and the same limit on concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final, TypeVar

from buttress.errors import ButtressError
from buttress.targets.base import Answer, Request, Target, TargetError
from buttress.targets.completion import one_line
from buttress.targets.retrying import RetryingClient
from buttress.targets.retrying_target import RetryingTarget

Said = TypeVar("Said")
TIMEOUT_S: Final = 120.0  # for an answer, where the target does not see to that itself


class JudgeGoneError(ButtressError):
    """A judge's model answers nothing any more."""


class ModelClient:
    """A ``RetryingClient`` for each event loop that a judge is used in, or the target's own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client: tuple[asyncio.AbstractEventLoop, RetryingClient] | None = None

    async def ask(self, request: Request) -> Answer:
        """The model's answer, its reasoning apart.

        Raises:
            TargetError: given up; the last error.
            JudgeGoneError: the model answers nothing at all, or not even a harmless question now.
            ButtressError: it wants to be left alone for long.
        """
        client = self._retrying()
        try:
            return await client.ask(request)
        except TargetError as error:
            shut_out = error.fatal and not error.doubtful
            said = f"the judge's model {self._target.name} answers nothing"
            if shut_out and not client.has_answered:
                raise JudgeGoneError(f"{said}: {one_line(str(error))}") from None
            if client.gone or (shut_out and not await client.answers_now()):
                raise JudgeGoneError(
                    f"{said} any more: {one_line(str(error))}; go on later (a run: with --resume)"
                ) from None
            raise

    def _retrying(self) -> RetryingClient:
        if isinstance(self._target, RetryingTarget):
            return self._target.client  # one that asks again is enough, and it knows what is gone
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, RetryingClient(self._target, timeout_s=TIMEOUT_S)
        return self._client[1]


async def together(asked: Iterable[Coroutine[Any, Any, Said]]) -> list[Said]:
    """What all of them give, in order; where one raises, the others are ended."""
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
