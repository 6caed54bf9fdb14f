"""Calls in threads that end with the process."""

from __future__ import annotations

import asyncio
import threading

import pytest

from buttress.targets.daemon_threads import DaemonThreads


async def test_results_and_errors_come_back() -> None:
    threads = DaemonThreads(2, "calls")
    assert await asyncio.gather(*(threads.run(lambda n=n: n * n) for n in range(9))) == [
        n * n for n in range(9)
    ]
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    threads.close()


async def test_a_call_that_nobody_waits_for_any_more_is_not_made() -> None:
    threads, gate, made = DaemonThreads(1, "calls"), threading.Event(), list[str]()
    first = asyncio.create_task(threads.run(gate.wait))
    second = asyncio.create_task(threads.run(lambda: made.append("second")))
    await asyncio.sleep(0)  # both are begun, and the only thread is taken
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    assert await first
    await threads.run(lambda: made.append("third"))
    assert made == ["third"]
    threads.close()


def test_a_call_that_outlives_its_loop_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    threads, gate, ended = DaemonThreads(1, "calls"), threading.Event(), threading.Event()

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(gate.wait), 0.01)

    asyncio.run(leave())
    gate.set()
    asyncio.run(threads.run(ended.set))  # the thread goes on
    assert ended.is_set()
    assert raised == []
    threads.close()
