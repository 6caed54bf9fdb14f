"""How judges ask a model: as trials do, with the same retries and the same limit on concurrency."""

from __future__ import annotations

import asyncio
from typing import Final

from buttress.targets.base import Answer, Request, Target
from buttress.targets.retrying import RetryingClient

TIMEOUT_S: Final = 120.0  # for an answer, where the target does not see to that itself


class ModelClient:
    """A ``RetryingClient`` for each event loop that a judge is used in."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client: tuple[asyncio.AbstractEventLoop, RetryingClient] | None = None

    async def ask(self, request: Request) -> Answer:
        """The model's answer, its reasoning apart.

        Raises:
            TargetError: given up; the last error.
            ButtressError: the model can't work at all, or wants to be left alone for long.
        """
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            self._client = loop, RetryingClient(self._target, timeout_s=TIMEOUT_S)
        return await self._client[1].ask(request)
