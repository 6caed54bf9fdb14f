"""Our judgement as Inspect scorers. Value 1 means that the system failed, as everywhere here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from inspect_ai.scorer import Score, Scorer, Target, grouped, mean, scorer, stderr
from inspect_ai.solver import TaskState

from buttress import extension
from buttress.errors import InputError
from buttress.inspect.drawing import draw
from buttress.protocols.judge import Exchange, Expect, Judge, Judgement

_METRICS: Any = [mean(), stderr(), grouped(mean(), "category", all=False)]


@scorer(metrics=_METRICS, name="judged")
def judged(judge: str = "offline", calibration: str | None = None) -> Scorer:
    """A judge's outcome, 1 for a failure.

    It needs nothing but the sample's metadata, so ``inspect score LOG --scorer buttress/judged``
    judges a log of one of our tasks anew.

    Args:
        judge: name of a registered judge that needs no further settings.
        calibration: file from ``buttress judge calibrate``.

    Raises:
        InputError: no such judge.
    """
    create = extension.load("judges", judge)
    made: Judge = create(**({"calibration": Path(calibration)} if calibration else {}))

    async def score(state: TaskState, target: Target) -> Score:
        del target
        exchange = Exchange(
            request=_known(state, "request"),
            prompt=_known(state, "prompt"),
            answer=state.output.completion,
            expect=cast(Expect, _known(state, "expect")),
            category=_known(state, "category"),
            language=_known(state, "language"),
        )
        (judgement,) = await made.judge([exchange])
        return _score(state, judgement, f"{made.id} {made.version}")

    return score


@scorer(metrics=_METRICS, name="check")
def check(
    *, probe: str, seed: int, limit: int | None, languages: str, prompts: str, path: str | None
) -> Scorer:
    """The outcome that the probe itself decides from the answer, 1 for a failure.

    The arguments are those that its samples were drawn with.
    """
    drawn = draw(probe, seed=seed, limit=limit, languages=languages, prompts=prompts, path=path)
    checks = {spec.item: spec.check for spec in drawn}

    async def score(state: TaskState, target: Target) -> Score:
        del target
        decide = checks.get(str(state.sample_id))
        if decide is None:
            raise InputError(f"sample '{state.sample_id}' was not drawn by probe '{probe}'")
        return _score(state, decide(state.output.completion), f"{probe} check")

    return score


def _known(state: TaskState, field: str) -> str:
    value = state.metadata.get(field)
    if not isinstance(value, str):
        raise InputError(
            "missing", field=f"metadata.{field}", expected="a sample of one of Buttress's tasks"
        )
    return value


def _score(state: TaskState, judgement: Judgement, judge: str) -> Score:
    return Score(
        value=judgement.outcome,
        answer=state.output.completion,
        explanation=judgement.reason or None,
        metadata={
            "score": judgement.score,
            "judge": judge,
            "category": _known(state, "category"),
            "attack": _known(state, "attack"),
        },
    )
