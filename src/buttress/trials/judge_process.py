"""A copy of a judge in a process of its own, where the judge's work takes time from the questions.

Python computes on one processor at a time. A judge that takes as long as everything else together
halves the questions asked in a second; beside them, it costs them next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from buttress.json_process import JsonProcess, ProcessEndedError
from buttress.protocols.judge import Exchange, Judgement

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[Judgement])


class JudgeProcess:
    """Starts in the background, ``ready`` once it can be asked. To be made on the event loop."""

    def __init__(self, command: Sequence[str]) -> None:
        """``command`` as of ``ComputingJudge.worker_command``."""
        self._command = tuple(command)
        self._process: JsonProcess | None = None
        self._ready = False
        self._stopped = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self._thread.submit(self._start)

    @property
    def ready(self) -> bool:
        """Whether it can be asked: no more after it ended."""
        return self._ready

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """One judgement per exchange, in order.

        Raises:
            ProcessEndedError: there are none; the judge of this process has to decide.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._ask, exchanges)

    def stop(self) -> None:
        """End the process. What it was asked meanwhile raises ``ProcessEndedError``."""
        self._stopped = True
        self._ready = False
        if self._process is not None:
            self._process.stop()
        self._thread.shutdown()

    def _start(self) -> None:
        try:
            self._process = JsonProcess(self._command)
            if self._stopped:
                self._process.stop()
                return
            self._ask(())
        except ProcessEndedError:
            return
        self._ready = not self._stopped

    def _ask(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        if self._process is None or self._stopped:
            raise ProcessEndedError("it was stopped")
        try:
            answer = self._process.ask(_ENCODER.encode(exchanges))
            judgements = _DECODER.decode(answer)
        except UnicodeEncodeError as error:  # half a character, which JSON can't hold
            raise ProcessEndedError(str(error)) from None
        except (ProcessEndedError, msgspec.DecodeError) as error:
            self._ready = False
            raise ProcessEndedError(str(error)) from None
        if len(judgements) != len(exchanges):
            self._ready = False
            raise ProcessEndedError("it answered something else")
        return judgements
