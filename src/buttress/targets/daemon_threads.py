"""Threads for calls of a user's own function, which may never return.

The threads of ``concurrent.futures`` are waited for when the process ends, so that a function that
hangs would keep it for ever. These end with the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

Call = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class DaemonThreads:
    """At most so many threads, begun as they are needed.

    Args:
        most: calls at once; further ones wait.
        name: of the threads.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._threads = 0
        self._busy = 0  # calls begun or waiting; changed on the event loop only

    async def run(self, call: Callable[[], Any]) -> Any:
        """What ``call`` returns, or raises, in one of the threads."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._busy += 1
        if self._threads < min(self._busy, self._most):
            self._threads += 1
            threading.Thread(
                target=self._work, name=f"{self._name}-{self._threads}", daemon=True
            ).start()
        self._calls.put((call, future, loop))
        try:
            return await future
        finally:
            self._busy -= 1

    def close(self) -> None:
        """End the threads that wait; one that computes ends with its call."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while (given := self._calls.get()) is not None:
            call, future, loop = given
            if future.cancelled():  # nobody waits for it any more
                continue
            try:
                said, error = call(), None
            except BaseException as raised:  # whatever the function does
                said, error = None, raised
            with suppress(RuntimeError):  # the loop was closed while the function computed
                loop.call_soon_threadsafe(_settle, future, said, error)


def _settle(future: asyncio.Future[Any], said: Any, error: BaseException | None) -> None:
    if future.done():  # cancelled while the function computed
        return
    if error is None:
        future.set_result(said)
    else:
        future.set_exception(error)
