"""How judges ask a model: as trials do, with the same retries and the same limit on concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from buttress.errors import ButtressError
from buttress.protocols.judge import Judgement
from buttress.protocols.unjudged import JudgeGoneError, UnjudgedError
from buttress.targets.base import Answer, Request, Target, TargetError
from buttress.targets.completion import one_line
from buttress.targets.retrying import RetryingClient
from buttress.targets.retrying_target import RetryingTarget


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
            if not await client.shuts_out(error):
                raise
            said = f"the judge's model {self._target.name} answers nothing"
            if not client.has_answered:
                raise JudgeGoneError(f"{said}: {one_line(str(error))}") from None
            raise JudgeGoneError(
                f"{said} any more: {one_line(str(error))}; go on later (a run: with --resume)"
            ) from None

    def _retrying(self) -> RetryingClient:
        if isinstance(self._target, RetryingTarget):
            return self._target.client  # one that asks again is enough, and it knows what is gone
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, RetryingClient(self._target)
        return self._client[1]


async def judge_each(asked: Iterable[Coroutine[Any, Any, Judgement | str]]) -> list[Judgement]:
    """What ``asked`` give, in order; each a judgement, or why there is none.

    Raises:
        UnjudgedError: there is none for some. It carries the others.
        JudgeGoneError: nothing more is judged. It carries what was judged before.
    """
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        said = await asyncio.gather(*tasks)
    except ButtressError as error:
        reason = error.reason if isinstance(error, JudgeGoneError) else error
        done = [_judgement_of(task) for task in tasks]
        raise JudgeGoneError(str(error), done, reason) from None
    finally:
        for task in tasks:
            task.cancel()
    problems = [each for each in said if isinstance(each, str)]
    if problems:
        raise UnjudgedError([None if isinstance(s, str) else s for s in said], problems)
    return [each for each in said if not isinstance(each, str)]


def _judgement_of(task: asyncio.Future[Judgement | str]) -> Judgement | None:
    if not task.done() or task.cancelled() or task.exception() is not None:
        return None
    said = task.result()
    return said if isinstance(said, Judgement) else None
