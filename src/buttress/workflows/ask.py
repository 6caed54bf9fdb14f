"""One question to a target of a system, and all that came back: for finding one's feet."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from buttress.errors import ButtressError
from buttress.system.model import Asset, System
from buttress.targets.base import Answer, Message, Recorded, Request, Sampling, TargetError
from buttress.targets.retrying import RetryingClient
from buttress.targets.waits import Waits
from buttress.trials.loop import run_async
from buttress.trials.totals import Totals
from buttress.workflows.answering import answering_asset
from buttress.workflows.opening import open_asset

PROMPT: Final = "Hello! In one sentence, what can you help me with?"


@dataclass(frozen=True, slots=True)
class AskResult:
    """What was asked, the answer, who gave it, and the attempts that it took.

    ``adaptations`` are what the target refused to take.
    """

    target: str
    question: str
    answer: Answer
    attempts: int
    adaptations: tuple[str, ...] = field(default=())


def ask(system: System, prompt: str | None = None, *, asset: str | None = None) -> AskResult:
    """Ask one question, as an assessment would; the first that is recorded where none is given.

    Where the answer takes long, standard error says what is waited for.

    Raises:
        InputError: no such asset, or several that answer and none named.
        ButtressError: there is no answer; the message is what the target said.
    """
    return run_async(_ask(system, answering_asset(system, asset), prompt))


async def _ask(system: System, asset: Asset, prompt: str | None) -> AskResult:
    target = open_asset(asset, base=system.base)
    if prompt is None:
        recorded = target.prompts() if isinstance(target, Recorded) else ()
        prompt = recorded[0].prompt if recorded else PROMPT
    totals = Totals()
    turns = [Message("system", asset.system_prompt)] if asset.system_prompt else []
    request = Request((*turns, Message("user", prompt)), Sampling(max_tokens=asset.max_tokens))
    waits = Waits(lambda line: print(line, file=sys.stderr, flush=True))
    client = RetryingClient(target, meter=totals, own_refusals=system.refusals, waits=waits)
    try:
        async with waits.telling():
            answer = await client.ask(request)
    except TargetError as error:
        raise ButtressError(f"{target.name}: {error}") from None
    finally:
        await target.aclose()
    adaptations = tuple(getattr(target, "adaptations", ()))
    return AskResult(target.name, prompt, answer, totals.calls, adaptations)
