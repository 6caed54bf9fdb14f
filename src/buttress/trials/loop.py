"""Running asynchronous code from a command."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import nullcontext, redirect_stdout
from typing import Any, TypeVar

from buttress.errors import TerminatedError

Result = TypeVar("Result")


def run_async(main: Coroutine[Any, Any, Result]) -> Result:
    """Run ``main`` to its end on uvloop where that is installed, else on asyncio's own loop.

    What a user's function or a plugin prints meanwhile goes to standard error: on standard output a
    command tells its result. Not so in another thread than the first: standard output is one for
    all of them, and who returns last would put back what another had put there.

    Raises:
        TerminatedError: SIGTERM came; ``main`` was cancelled and has cleaned up.
    """
    first = threading.current_thread() is threading.main_thread()
    with redirect_stdout(sys.stderr) if first else nullcontext():
        try:
            import uvloop
        except ImportError:
            return asyncio.run(_terminable(main))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_terminable(main))


async def _terminable(main: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.ensure_future(main)
    if threading.current_thread() is not threading.main_thread():
        return await task
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        task.cancel()  # Ctrl-C cancels the waiting alone
        await asyncio.wait([task])
        if terminated:
            raise TerminatedError from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        if before is not None:  # removing sets the default, which would end what follows at once
            signal.signal(signal.SIGTERM, before)
