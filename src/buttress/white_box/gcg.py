"""Greedy coordinate gradient: a suffix of tokens that makes the model begin its answer as told.

Zou, Wang, Carlini, Nasr, Kolter & Fredrikson 2023, arXiv:2307.15043, algorithm 1. Options from its
successors: a pool of the best suffixes, and merging of good replacements (Jia et al. 2024, I-GCG,
arXiv:2405.21018). MITRE ATLAS AML.T0043.000 (white-box optimisation), OWASP LLM01.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.answers import continuations, text_of
from buttress.white_box.candidates import allowed_tokens, draw, merged, seeded
from buttress.white_box.checkpoint import SearchCheckpoint, restore, save
from buttress.white_box.layout import PromptLayout
from buttress.white_box.loading import evaluating, fingerprint
from buttress.white_box.passes import Passes

INITIAL: Final = " x" * 20
_REDRAWS: Final = 8


@dataclass(frozen=True, slots=True)
class GcgStep:
    """One step's outcome. Losses are in nats per target token; ``seconds`` since the start."""

    step: int
    steps: int
    loss: float
    best_loss: float
    suffix: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GcgResult:
    """What a search found.

    ``suffix`` goes right behind the last question; ``losses`` has one entry a step, the loss of the
    best candidate tried in it; ``best_loss`` is the lowest of all. ``reached`` says whether the
    greedy ``answer`` begins with the target, checked by generating it from text. ``stopped`` says
    what ended the search. ``forward_tokens`` counts token positions computed, a gradient's pass
    once. ``reused`` says whether keys and values were kept.
    """

    suffix: str
    losses: tuple[float, ...]
    best_loss: float
    reached: bool
    answer: str
    stopped: Literal["target", "loss", "steps"]
    seconds: float
    forward_tokens: int
    reused: bool


def gcg(
    model: Any,
    tokenizer: Any,
    messages: Sequence[Message],
    target: str,
    *,
    steps: int = 500,
    candidates: int = 512,
    top_k: int = 256,
    seed: int = 0,
    initial: str = INITIAL,
    pool: int = 0,
    merge: int = 16,
    ascii_only: bool = True,
    loss_threshold: float | None = None,
    stop_at_target: bool = True,
    reuse: bool = True,
    batch: int | None = None,
    answer_tokens: int = 64,
    checkpoint: Path | None = None,
    progress: Callable[[GcgStep], None] | None = None,
) -> GcgResult:
    """Search a suffix of the last question after which the answer begins with ``target``.

    Args:
        model: causal language model of transformers; its weights are not changed.
        tokenizer: its fast tokenizer; the chat template is applied if there is one.
        messages: the conversation; its last message is the user's.
        target: how the answer is to begin.
        steps: at most, 500 in the paper.
        candidates: suffixes tried a step, 512 in the paper.
        top_k: replacements considered at each position, 256 in the paper.
        seed: draws of a step depend on it and on the step alone.
        initial: the first suffix.
        pool: 0 to go on from each step's best candidate, even a worse one, as the paper does; n to
            keep the n best suffixes so far and go on from the best.
        merge: also try the 2, 3, … ``merge`` best replacements at once (7 in the I-GCG paper);
            0 for not, as in the GCG paper.
        ascii_only: replace by tokens of printable ASCII only.
        loss_threshold: stop when the loss, in nats per token, is as low as this.
        stop_at_target: stop as soon as the answer begins with the target.
        reuse: keep keys and values of what doesn't change; turned off by itself where the
            architecture can't. It doesn't change the result, beyond rounding.
        batch: candidates in a pass; None for what suits the device.
        answer_tokens: length of the answer in the result.
        checkpoint: file that holds the state after each step; the search goes on from it if it is
            there. The result is the same as without the interruption.
        progress: called after each step.

    Raises:
        InputError: messages, target, suffix, a number or the checkpoint is not usable.
    """
    for name, value, least in (
        *(("steps", steps, 0), ("candidates", candidates, 1), ("top_k", top_k, 1)),
        *(("pool", pool, 0), ("merge", merge, 0), ("answer_tokens", answer_tokens, 1)),
        ("batch", 1 if batch is None else batch, 1),
    ):
        if value < least:
            raise InputError(f"{value} is not usable", field=name, expected=f"at least {least}")
    start = time.perf_counter()
    with evaluating(model):
        layout = PromptLayout(tokenizer, messages, target, initial)
        passes = Passes(model, layout, reuse=reuse, batch=batch)
        search = _Search(
            passes,
            layout,
            allowed_tokens(tokenizer, passes.vocabulary, ascii_only=ascii_only),
            candidates=candidates,
            top_k=top_k,
            seed=seed,
            merge=merge,
        )
        run = {
            "model": fingerprint(model),
            "question": layout.question(layout.initial),
            "target": list(layout.target),
            "candidates": candidates,
            "top_k": top_k,
            "seed": seed,
            "pool": pool,
            "merge": merge,
            "ascii_only": ascii_only,
        }
        state = restore(checkpoint, run) if checkpoint is not None else None
        if state is None:
            first = search.first()
            state = SearchCheckpoint(step=0, pool=[first], best=first)
        before = SearchCheckpoint(0, [], state.best, seconds=state.seconds, tokens=state.tokens)
        stopped: Literal["target", "loss", "steps"] = "steps"
        while True:
            if stop_at_target and state.hit is not None:
                stopped = "target"
                break
            if loss_threshold is not None and state.best[0] <= loss_threshold:
                stopped = "loss"
                break
            if state.step >= steps:
                break
            tried = search.step(state.pool[0][1], state.step)
            _advance(state, tried, pool)
            if tried.hit is not None and state.hit is None:
                (answer,) = continuations(
                    model, tokenizer, [layout.question(tried.hit)], len(layout.target)
                )
                if tuple(answer) == layout.target:
                    state.hit = tried.hit
            state.seconds = before.seconds + time.perf_counter() - start
            state.tokens = before.tokens + passes.tokens
            if checkpoint is not None:
                save(checkpoint, run, state)
            if progress is not None:
                text = layout.texts([state.pool[0][1]])[0]
                progress(GcgStep(state.step, steps, tried.loss, state.best[0], text, state.seconds))
        found = state.hit or state.best[1]
        (answer,) = continuations(model, tokenizer, [layout.question(found)], answer_tokens)
        said = text_of(tokenizer, answer)
        return GcgResult(
            suffix=layout.texts([found])[0],
            losses=tuple(state.losses),
            best_loss=state.best[0],
            reached=said.startswith(target.strip()),
            answer=said,
            stopped=stopped,
            seconds=before.seconds + time.perf_counter() - start,
            forward_tokens=before.tokens + passes.tokens,
            reused=passes.reuses,
        )


@dataclass(frozen=True, slots=True)
class _Tried:
    """The best candidate of a step, and the best that makes the model write the target, if any."""

    loss: float
    suffix: list[int]
    hit: list[int] | None


class _Search:
    def __init__(
        self,
        passes: Passes,
        layout: PromptLayout,
        allowed: Tensor,
        *,
        candidates: int,
        top_k: int,
        seed: int,
        merge: int,
    ) -> None:
        self._passes = passes
        self._layout = layout
        self._allowed = allowed
        self._count = candidates
        self._top_k = top_k
        self._seed = seed
        self._merge = merge

    def first(self) -> tuple[float, list[int]]:
        """Loss and tokens of the initial suffix."""
        initial = list(self._layout.initial)
        loss, _ = self._passes.losses(initial, torch.tensor([initial]))
        return float(loss[0]), initial

    def step(self, suffix: list[int], number: int) -> _Tried:
        gradient, _ = self._passes.gradient(suffix)
        present = torch.tensor(suffix)
        made = self._drawn(present, gradient, number)
        losses, hits = self._passes.losses(suffix, made)
        if self._merge > 1:
            joined = self._faithful(merged(present, made, losses, self._merge))
            if len(joined):
                more = self._passes.losses(suffix, joined)
                made = torch.cat([made, joined])
                losses, hits = torch.cat([losses, more[0]]), torch.cat([hits, more[1]])
        best = int(losses.argmin())
        hit = None
        if hits.any():
            hit = made[int(losses.masked_fill(~hits, torch.inf).argmin())].tolist()
        return _Tried(float(losses[best]), made[best].tolist(), hit)

    def _drawn(self, suffix: Tensor, gradient: Tensor, number: int) -> Tensor:
        """Candidates of one step that survive as text."""
        generator = seeded(self._seed, number)
        for _ in range(_REDRAWS):
            made = draw(
                suffix,
                gradient,
                self._allowed,
                count=self._count,
                top_k=self._top_k,
                generator=generator,
            )
            made = self._faithful(made)
            if len(made):
                return made
        raise InputError(
            "no replacement survives the tokenizer",
            field="initial",
            expected="another first suffix, or more candidates",
        )

    def _faithful(self, made: Tensor) -> Tensor:
        return made[torch.tensor(self._layout.faithful(made.tolist()), dtype=torch.bool)]


def _advance(state: SearchCheckpoint, tried: _Tried, pool: int) -> None:
    scored = (tried.loss, tried.suffix)
    state.step += 1
    state.losses.append(tried.loss)
    state.best = min(state.best, scored)
    if pool == 0:
        state.pool = [scored]
    elif scored not in state.pool:
        state.pool = sorted([*state.pool, scored])[:pool]
