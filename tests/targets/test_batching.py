from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from buttress.targets.base import Answer, Message, Request, Sampling, TargetError
from buttress.targets.batching import BatchQueue, OutOfMemoryError


def ask(text: str, **sampling: int) -> Request:
    return Request((Message("user", text),), Sampling(**sampling))


def text(request: Request) -> str:
    return request.messages[0].content


def length(request: Request) -> int:
    return len(text(request))


class Model:
    """Echoes; ``start`` holds the first batch back, so that the others pile up."""

    def __init__(self, fits: int = 10**9) -> None:
        self.start = threading.Event()
        self.fits = fits
        self.batches: list[list[Request]] = []

    def generate(self, requests: Sequence[Request]) -> list[Answer | TargetError]:
        self.start.wait(5)
        if len(requests) > self.fits:
            raise OutOfMemoryError
        self.batches.append(list(requests))
        return [Answer(text(request)) for request in requests]


async def served(model: Model, batch: int, requests: Sequence[Request]) -> list[Answer]:
    queue = BatchQueue(model.generate, length, batch)
    asked = [asyncio.create_task(queue.ask(request)) for request in requests]
    await asyncio.sleep(0)
    model.start.set()
    made = await asyncio.gather(*asked)
    await asyncio.to_thread(queue.close)
    return made


async def test_each_gets_its_own_answer_and_neighbours_in_length_go_together() -> None:
    model = Model()
    requests = [ask("x" * (1 + 37 * i % 64)) for i in range(64)]
    made = await served(model, 8, requests)
    assert [answer.text for answer in made] == [text(request) for request in requests]
    assert all(len(batch) <= 8 for batch in model.batches)
    spreads = [max(map(length, batch)) - min(map(length, batch)) for batch in model.batches[1:]]
    # On a busy machine a batch may begin before all have come.
    assert sum(spreads) / len(spreads) < 25, "by chance it would be about 50"


async def test_different_lengths_of_answer_are_not_mixed() -> None:
    model = Model()
    await served(model, 8, [ask("a", max_tokens=1 + i % 2) for i in range(20)])
    assert all(len({r.sampling.max_tokens for r in batch}) == 1 for batch in model.batches)


async def test_a_batch_that_does_not_fit_is_halved_for_good() -> None:
    model = Model(fits=3)
    made = await served(model, 16, [ask(f"{i:02}") for i in range(40)])
    assert sorted(answer.text for answer in made) == [f"{i:02}" for i in range(40)]
    assert max(map(len, model.batches)) <= 3


async def test_errors_reach_those_that_they_concern() -> None:
    def generate(requests: Sequence[Request]) -> list[Answer | TargetError]:
        if any(text(request) == "crash" for request in requests):
            raise RuntimeError("shape mismatch")
        return [
            TargetError("too long", retry=False) if text(r) == "long" else Answer("ok")
            for r in requests
        ]

    queue = BatchQueue(generate, length, 8)
    good, long = await asyncio.gather(
        queue.ask(ask("a")), queue.ask(ask("long")), return_exceptions=True
    )
    assert isinstance(good, Answer)
    assert str(long) == "too long"
    with pytest.raises(TargetError, match="the model failed: shape mismatch"):
        await queue.ask(ask("crash"))
    assert (await queue.ask(ask("b"))).text == "ok", "it goes on"
    await asyncio.to_thread(queue.close)
    with pytest.raises(TargetError, match="closed"):
        await queue.ask(ask("c"))


async def test_a_question_given_up_does_not_hold_the_others() -> None:
    model = Model()
    queue = BatchQueue(model.generate, length, 4)
    first = asyncio.create_task(queue.ask(ask("a")))
    await asyncio.sleep(0.02)
    given_up = asyncio.create_task(queue.ask(ask("b")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    model.start.set()
    assert (await first).text == "a"
    assert (await queue.ask(ask("c"))).text == "c"
    await asyncio.to_thread(queue.close)
    assert "b" not in {text(request) for batch in model.batches for request in batch}
