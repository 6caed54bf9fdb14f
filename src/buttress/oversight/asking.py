"""Both sides of a protocol as targets; every reply is durable before the protocol sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from buttress.evidence.base import RecordStore
from buttress.evidence.records import Turn
from buttress.targets.address import address, flatten
from buttress.targets.base import Message, Request, Sampling, Target
from buttress.targets.retrying import RetryingClient


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can be asked: the target, how it is asked, and its asset in the manifest."""

    asset: str
    target: Target
    client: RetryingClient
    system_prompt: str = ""
    max_tokens: int = 400


@dataclass(slots=True)
class CallLedger:
    """Distinct questions of a run, whether answered by a target or from the evidence.

    Whoever asks the same question meanwhile waits for the same reply.
    """

    keys: dict[str, asyncio.Task[str]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Their number: a resumed run counts as the one that was cut off."""
        return len(self.keys)


class RecordedVoices:
    """``Voices`` of one item; see ``protocols``. Store methods are called in threads."""

    def __init__(
        self,
        item: str,
        overseer: Voice,
        worker: Voice,
        store: RecordStore,
        *,
        run: str,
        probe: str,
        ledger: CallLedger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._item = item
        self._overseer = overseer
        self._worker = worker
        self._store = store
        self._run = run
        self._probe = probe
        self._ledger = ledger
        self._clock = clock

    async def overseer(self, prompt: str) -> str:
        """The overseer's reply.

        Raises:
            TargetError: no reply in spite of repeated attempts.
        """
        return await self._ask(self._overseer, prompt)

    async def worker(self, prompt: str) -> str:
        """The worker's reply.

        Raises:
            TargetError: no reply in spite of repeated attempts.
        """
        return await self._ask(self._worker, prompt)

    async def _ask(self, voice: Voice, prompt: str) -> str:
        turns = [Message("system", voice.system_prompt)] if voice.system_prompt else []
        messages = (*turns, Message("user", prompt))
        sampling = Sampling(max_tokens=voice.max_tokens)
        key = address(voice.target.identity, messages, sampling)
        task = self._ledger.keys.get(key)
        if task is None:
            task = asyncio.create_task(self._reply(voice, key, Request(messages, sampling)))
            self._ledger.keys[key] = task
        return await task

    async def _reply(self, voice: Voice, key: str, request: Request) -> str:
        known = await asyncio.to_thread(self._store.turn_for, key)
        if known is not None and (voice.target.stable or known.run == self._run):
            return known.answer
        answer = await voice.client.ask(request)
        turn = Turn(
            key=key,
            role="target",
            probe=self._probe,
            asset=voice.asset,
            target=voice.target.identity,
            item=self._item,
            prompt=flatten(request.messages),
            answer=answer.text,
            latency_s=answer.latency_s,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            time=self._clock(),
            run=self._run,
        )
        await asyncio.to_thread(self._store.append, [turn])
        return answer.text
