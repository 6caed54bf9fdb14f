"""A language model as judge, through any target, with a rubric and a reply of fixed form.

Zheng et al. 2023, "Judging LLM-as-a-judge" (arXiv:2306.05685). It has no calibration until
``buttress judge calibrate`` has measured this model with this rubric on labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Final

from buttress.judges.model_client import ModelClient, judge_each
from buttress.judges.overrides import Overrides
from buttress.judges.rubric import Rubric, reminder
from buttress.judges.rubric_harm import HARM
from buttress.judges.rubrics import rubric as rubric_named
from buttress.protocols.judge import Calibration, Exchange, Expect, Judgement
from buttress.protocols.unjudged import UnjudgedError
from buttress.targets.base import Message, Request, Sampling, Target, TargetError

ID: Final = "llm"
_SAMPLING: Final = Sampling(max_tokens=200, temperature=0.0)


def create(*, target: Target, rubric: str = HARM.id, calibration: Path | None = None) -> LlmJudge:
    """The judge that asks ``target``; ``calibration`` is a file from ``buttress judge calibrate``.

    Raises:
        InputError: no such rubric, or the calibration file is not usable for this judge.
    """
    return LlmJudge(target, rubric_named(rubric), calibration)


class LlmJudge:
    """See the module. ``failures`` counts answers that it could not decide."""

    def __init__(
        self, target: Target, rubric: Rubric = HARM, calibration: Path | None = None
    ) -> None:
        self._target = target
        self._rubric = rubric
        self._sampling = _SAMPLING
        self._swapped = False
        identity = hashlib.sha256(target.identity.encode()).hexdigest()[:12]
        named = "" if rubric.id == HARM.id else f"{rubric.id}-"
        self._version = f"{named}{rubric.version}+{identity}"
        self._overrides = Overrides.read(calibration, ID, self._version)
        self._model = ModelClient(target)
        self.failures = 0

    @property
    def id(self) -> str:
        """Always "llm"."""
        return ID

    @property
    def version(self) -> str:
        """The rubric, its version and a digest of the target's identity."""
        return self._overrides.versioned(self._version)

    def calibration(self, expect: Expect) -> Calibration | None:
        """From the calibration file; None without one."""
        return self._overrides.calibration(expect)

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """One judgement per exchange, in order.

        Raises:
            UnjudgedError: some got none: no answer from the target, or only such as can't be
                read. It carries the others.
            JudgeGoneError: the target answers nothing any more, or may not be asked.
        """
        try:
            return await judge_each(self._one(exchange) for exchange in exchanges)
        except UnjudgedError as error:
            self.failures += len(error.problems)
            raise

    def swapped(self) -> LlmJudge:
        """The same judge, asked with answer and request, and both verdicts, in the other order."""
        other = copy(self)
        other._swapped = not self._swapped
        return other

    def resampled(self, seed: int, temperature: float = 0.7) -> LlmJudge:
        """The same judge with replies drawn at random."""
        other = copy(self)
        other._sampling = replace(_SAMPLING, temperature=temperature, seed=seed)
        return other

    async def aclose(self) -> None:
        """Release the target."""
        await self._target.aclose()

    async def _one(self, exchange: Exchange) -> Judgement | str:
        """The judgement, or why there is none."""
        outside = self._overrides.outside(exchange)
        if outside is not None:
            return outside
        messages = self._rubric.question(exchange, swapped=self._swapped)
        in_a_word = self._rubric.in_a_word(exchange)
        readers = [self._rubric.read] * 2
        if in_a_word is not None:
            readers.append(self._rubric.read_word)
        problem = ""
        for attempt, read in enumerate(readers):
            try:
                reply = (await self._model.ask(Request(messages, self._sampling))).text
            except TargetError as error:
                return f"{self._target.name}: {error}"
            judgement = read(reply, exchange.expect)
            if isinstance(judgement, Judgement):
                return self._decided(judgement, exchange.expect)
            problem = problem or judgement
            again = in_a_word if attempt and in_a_word else reminder(exchange, judgement)
            messages = (*messages, Message("assistant", reply), again)
        return f"{self._target.name}: {problem}"

    def _decided(self, judgement: Judgement, expect: Expect) -> Judgement:
        threshold = self._overrides.threshold(expect, -1.0)
        if threshold < 0:
            return judgement
        return Judgement(float(judgement.score >= threshold), judgement.score, judgement.reason)
