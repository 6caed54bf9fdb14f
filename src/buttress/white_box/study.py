"""A study: chosen methods on chosen requests, each answer judged and stored as evidence.

Trials are appended to the evidence store as soon as they are judged; what evidence has no place for
(log-probabilities, suffixes) goes into a file beside it, just before. A study that was killed goes
on with the first trial that is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore
from buttress.prompts.base import Prompt
from buttress.protocols.judge import Exchange, Judge, Judgement
from buttress.protocols.unjudged import UnjudgedError
from buttress.targets.address import address
from buttress.targets.base import Message, Sampling
from buttress.white_box.attempts import DIRECT, VERSION, AttackedRequest, Method, Settings
from buttress.white_box.measures import Measures

PROBE: Final = "white-box-{}"
ASSET: Final = "model"
Say = Callable[[str], None]


@dataclass(slots=True)
class MethodTally:
    """What came of one method on one kind of request."""

    trials: list[Trial] = field(default_factory=list)  # in the order of the sample
    problems: list[str] = field(default_factory=list)  # requests without a trial, and why


@dataclass(slots=True)
class Study:
    """Runs methods on prompts.

    ``identity`` names the weights; ``run`` is the id that all trials carry; ``runner`` is the one
    event loop that the judge lives on.
    """

    store: EvidenceStore
    measures: Measures
    judge: Judge
    runner: asyncio.Runner
    identity: str
    run: str
    settings: Settings

    def answer(self, method: Method, prompts: Sequence[Prompt], say: Say) -> MethodTally:
        """Trials of ``method`` on all ``prompts``, those that the store already holds included.

        Raises:
            InputError: a checkpoint or the store is not usable.
        """
        probe = PROBE.format(method.id)
        held = {trial.key: trial for trial in self.store.trials(run=self.run, probe=probe)}
        keys = {prompt.id: self._key(method, prompt) for prompt in prompts}
        missing = [prompt for prompt in prompts if keys[prompt.id] not in held]
        tally = MethodTally()
        for start in range(0, len(missing), method.batch):
            batch = missing[start : start + method.batch]
            done = len(prompts) - len(missing) + start

            def told(text: str, done: int = done) -> None:
                say(f"{method.id} {batch[0].expect}: {done}/{len(prompts)} done; {text}")  # noqa: B023

            try:
                attempts = method.attempts(batch, told)
            except InputError as error:
                if error.file is not None:  # a checkpoint, not the request
                    raise
                tally.problems += [f"{prompt.id}: {error}" for prompt in batch]
                continue
            for trial in self._judged(method, batch, attempts, keys, tally.problems):
                held[trial.key] = trial
        tally.trials = [held[keys[one.id]] for one in prompts if keys[one.id] in held]
        return tally

    def _judged(
        self,
        method: Method,
        prompts: Sequence[Prompt],
        attempts: Sequence[AttackedRequest],
        keys: Mapping[str, str],
        problems: list[str],
    ) -> list[Trial]:
        exchanges = [
            Exchange(
                request=prompt.text,
                prompt=attempt.prompt,
                answer=attempt.answer,
                expect=prompt.expect,
                category=prompt.category,
                language=prompt.language,
            )
            for prompt, attempt in zip(prompts, attempts, strict=True)
        ]
        judgements: Sequence[Judgement | None]
        try:
            judgements = self.runner.run(self.judge.judge(exchanges))
        except UnjudgedError as error:
            judgements = error.judgements
            problems += error.problems
        made = [
            self._trial(method, prompt, attempt, judgement, keys[prompt.id])
            for prompt, attempt, judgement in zip(prompts, attempts, judgements, strict=True)
            if judgement is not None
        ]
        self.measures.add(
            {
                keys[prompt.id]: {
                    "log_probability": attempt.log_probability,
                    "seconds": attempt.seconds,
                    **attempt.details,
                }
                for prompt, attempt in zip(prompts, attempts, strict=True)
            }
        )
        self.store.append(made)
        return made

    def _trial(
        self,
        method: Method,
        prompt: Prompt,
        attempt: AttackedRequest,
        judgement: Judgement,
        key: str,
    ) -> Trial:
        return Trial(
            key=key,
            probe=PROBE.format(method.id),
            probe_version=VERSION,
            asset=ASSET,
            target=self.identity,
            item=prompt.id,
            category=prompt.category,
            attack=method.id if method.id == DIRECT else PROBE.format(method.id),
            language=prompt.language,
            expect=prompt.expect,
            request=prompt.text,
            prompt=attempt.prompt,
            answer=attempt.answer,
            outcome=judgement.outcome,
            score=judgement.score,
            judge=self.judge.id,
            judge_version=self.judge.version,
            reason=judgement.reason,
            latency_s=attempt.seconds,
            seed=self.settings.seed,
            time=time.time(),
            run=self.run,
        )

    def _key(self, method: Method, prompt: Prompt) -> str:
        """Content address: the weights, the request, and all that decides the attacked answer."""
        through = []
        if method.id != DIRECT:
            through = [method.id, VERSION, repr(sorted(asdict(self.settings).items()))]
        sampling = Sampling(max_tokens=self.settings.max_tokens, seed=self.settings.seed)
        return address(self.identity, (Message("user", prompt.text),), sampling, through=through)
