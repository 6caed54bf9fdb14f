"""One question to a target of a system, and all that came back: for finding one's feet."""

from __future__ import annotations

from dataclasses import dataclass, field

from buttress.errors import ButtressError
from buttress.system.model import Asset, System
from buttress.targets.base import Answer, Message, Request, Sampling, TargetError
from buttress.targets.retrying import RetryingClient
from buttress.trials.loop import run_async
from buttress.trials.totals import Totals
from buttress.workflows.answering import answering_asset
from buttress.workflows.opening import open_asset


@dataclass(frozen=True, slots=True)
class AskResult:
    """An answer, who gave it, the attempts that it took, and what the target refused to take."""

    target: str
    answer: Answer
    attempts: int
    adaptations: tuple[str, ...] = field(default=())


def ask(system: System, prompt: str, *, asset: str | None = None) -> AskResult:
    """Ask one question, as an assessment would.

    Raises:
        InputError: no such asset, or several that answer and none named.
        ButtressError: there is no answer; the message is what the target said.
    """
    return run_async(_ask(system, answering_asset(system, asset), prompt))


async def _ask(system: System, asset: Asset, prompt: str) -> AskResult:
    target = open_asset(asset, base=system.base)
    totals = Totals()
    turns = [Message("system", asset.system_prompt)] if asset.system_prompt else []
    request = Request((*turns, Message("user", prompt)), Sampling(max_tokens=asset.max_tokens))
    try:
        answer = await RetryingClient(target, meter=totals, own_refusals=system.refusals).ask(
            request
        )
    except TargetError as error:
        raise ButtressError(f"{target.name}: {error}") from None
    finally:
        await target.aclose()
    return AskResult(target.name, answer, totals.calls, tuple(getattr(target, "adaptations", ())))
