"""Measuring a judge against a user's labels, and the file that carries the result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.answers.language import UNKNOWN, language_of
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.judges.few_labels import FEWEST
from buttress.judges.labels import Labelled
from buttress.judges.overrides import SCHEMA_ID
from buttress.judges.quality import (
    auc,
    calibration_error,
    confusion,
    f1,
)
from buttress.judges.substring import fails
from buttress.protocols.judge import Exchange, Expect, Judge, Judgement
from buttress.protocols.unjudged import UnjudgedError
from buttress.statistics.correction import CalibrationCounts, Table, clopper_pearson

LEVEL: Final = 0.95
BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class JudgeMeasurement:
    """A judge against labels of one task; ``baseline`` is the substring rule on the same answers.

    ``tables`` are the counts (tp, fn, tn, fp) of each group of model and setting. ``unjudged`` are
    answers that it could not decide, ``abstained`` those that it left open. ``failures`` are
    labelled as such among all ``labels``, decided or not; ``prompts`` are those that differ.
    ``threshold`` is None for the judge's own. ``languages`` are those with
    ``few_labels.FEWEST`` decided answers.
    """

    expect: Expect
    counts: CalibrationCounts
    baseline: CalibrationCounts
    tables: Mapping[str, Table]
    auc: float
    calibration_error: float
    threshold: float | None
    unjudged: int
    abstained: int
    failures: int
    labels: int
    prompts: int
    languages: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[float, float, float]:
        """Rate of failures among all labels and its exact 95 % interval, without the judge.

        It is the rate of a system where the answers are a random sample of the system's, one a
        prompt, whose number was fixed before the first label.
        """
        return _rate(self.failures, self.labels)

    @property
    def sensitivity(self) -> tuple[float, float, float]:
        """Estimate and exact 95 % interval (Clopper & Pearson 1934)."""
        return _rate(self.counts.tp, self.counts.tp + self.counts.fn)

    @property
    def specificity(self) -> tuple[float, float, float]:
        """Estimate and exact 95 % interval."""
        return _rate(self.counts.tn, self.counts.tn + self.counts.fp)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "expect": self.expect,
            "labels": sum(_table(self.counts).values()),
            "counts": _table(self.counts),
            "sensitivity": _interval(self.sensitivity),
            "specificity": _interval(self.specificity),
            "failing": _interval(self.failing),
            "f1": f1(self.counts),
            "auc": self.auc,
            "calibration_error": self.calibration_error,
            "substring": {"counts": _table(self.baseline), "f1": f1(self.baseline)},
            "groups": len(self.tables),
            "systems": {name: list(table) for name, table in self.tables.items()},
            "threshold": self.threshold,
            "unjudged": self.unjudged,
            "abstained": self.abstained,
        }


async def measure(
    judge: Judge, labelled: Sequence[Labelled], *, threshold: float | None, file: str
) -> list[JudgeMeasurement]:
    """The judge against labels, one result per task that occurs in them.

    Args:
        judge: whose outcomes are compared.
        labelled: answers with labels.
        threshold: score from which an outcome counts as a failure; None for the judge's outcome.
        file: where the labels come from, for messages.

    Raises:
        InputError: a task has no positive or no negative label.
        UnjudgedError: the judge decided nothing at all.
    """
    tasks: list[Expect] = ["refuse", "answer"]
    chosen = {task: [x for x in labelled if x.exchange.expect == task] for task in tasks}
    for task, part in chosen.items():
        for label, kind in ((1, "failures"), (0, "answers without failure")):
            if part and all(each.label != label for each in part):
                raise InputError(
                    f"no label {label} among {len(part)} answers with expect: {task}",
                    file=file,
                    field="label",
                    expected=f"some {kind}, labelled {label}",
                )
    return [await _task(judge, task, part, threshold) for task, part in chosen.items() if part]


async def _task(
    judge: Judge, expect: Expect, labelled: Sequence[Labelled], threshold: float | None
) -> JudgeMeasurement:
    said, problems = await judged(judge, [each.exchange for each in labelled])
    given = [(each, j) for each, j in zip(labelled, said, strict=True) if j is not None]
    if not given:
        raise UnjudgedError(said, problems)
    pairs = [(each, j) for each, j in given if not j.abstained]
    labels = [each.label for each, _ in pairs]
    outcomes = [
        judgement.outcome >= 0.5 if threshold is None else judgement.score >= threshold
        for _, judgement in pairs
    ]
    tables: dict[str, list[int]] = {}
    for (each, _), outcome in zip(pairs, outcomes, strict=True):
        table = tables.setdefault(" ".join(filter(None, each.group)), [0, 0, 0, 0])
        table[(0 if outcome else 1) if each.label else (3 if outcome else 2)] += 1
    scores = [judgement.score for _, judgement in pairs]
    return JudgeMeasurement(
        expect=expect,
        counts=confusion(labels, outcomes),
        baseline=confusion(labels, [fails(each.exchange.answer, expect) for each, _ in pairs]),
        tables={name: (t[0], t[1], t[2], t[3]) for name, t in sorted(tables.items())},
        auc=auc(labels, scores),
        calibration_error=calibration_error(labels, scores),
        threshold=threshold,
        unjudged=len(problems),
        abstained=len(given) - len(pairs),
        failures=sum(each.label for each in labelled),
        labels=len(labelled),
        prompts=len({each.exchange.prompt for each in labelled}),
        languages=_languages([each for each, _ in pairs]),
    )


async def judged(
    judge: Judge, exchanges: Sequence[Exchange]
) -> tuple[list[Judgement | None], list[str]]:
    """Judgements in order, None where there is none, and why there is none."""
    said: list[Judgement | None] = []
    problems: list[str] = []
    for start in range(0, len(exchanges), BATCH):
        try:
            said += await judge.judge(exchanges[start : start + BATCH])
        except UnjudgedError as error:
            said += error.judgements
            problems += error.problems
    return said, problems


def write(
    path: Path,
    judge: Judge,
    results: Sequence[JudgeMeasurement],
    file: str,
    *,
    sample_of: str | None = None,
) -> None:
    """Write the calibration file that the judge takes; ``judges.overrides`` shows its form.

    Args:
        path: of the calibration file.
        judge: who was measured.
        results: by task.
        file: name of the labels.
        sample_of: the probe of whose answers the labels are a random sample; None if they are not.

    Raises:
        InputError: it can't be written, labels of one kind were all left unjudged, or a sample is
            of several systems, of several tasks or has two answers to one prompt.
    """
    if sample_of is not None:
        _check_sample(results, file)
    tasks: dict[str, Any] = {}
    for result in results:
        counts = result.counts
        if not (counts.tp + counts.fn and counts.tn + counts.fp):
            raise InputError(
                f"no judged labels of one kind with expect: {result.expect}", file=file,
                expected="a judge that decides most answers",
            )  # fmt: skip
        task: dict[str, Any] = {
            "counts": _table(counts),
            "source": f"{file}: {sum(_table(counts).values())} labels, {len(result.tables)} groups "
            f"of model and setting, {result.abstained} abstentions",
        }
        if sample_of is not None:
            task["sample"] = {
                "probe": sample_of,
                "labels": result.labels,
                "failures": result.failures,
            }
            task["source"] += f"; a random sample of the system's answers to {sample_of}"
        if len(result.tables) > 1:
            task["systems"] = {name: list(table) for name, table in result.tables.items()}
        if result.languages:
            task["languages"] = list(result.languages)
        if result.threshold is not None:
            task["threshold"] = result.threshold
        tasks[result.expect] = task
    content = {
        "schema": SCHEMA_ID,
        "judge": {"id": judge.id, "version": judge.version},
        "tasks": tasks,
    }
    write_whole(path, f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode(), "--out")


def _check_sample(results: Sequence[JudgeMeasurement], file: str) -> None:
    """Whether labels can be one random sample of one system's answers, one a prompt."""
    problem = ""
    if len(results) > 1:
        problem = "labels of both tasks, expect: refuse and expect: answer"
    elif len(results[0].tables) > 1:
        problem = f"labels of {len(results[0].tables)} systems (model and setting)"
    elif results[0].prompts < results[0].labels:
        problem = f"{results[0].labels} labels of {results[0].prompts} prompts"
    if problem:
        raise InputError(
            problem, file=file, field="--sample-of",
            expected="one label a prompt, of one system's answers to one probe",
        )  # fmt: skip


def _languages(decided: Sequence[Labelled]) -> tuple[str, ...]:
    """Languages of the answers; one or two in a language say nothing about it."""
    seen = Counter(language_of(each.exchange.answer) for each in decided)
    return tuple(sorted(code for code, n in seen.items() if code != UNKNOWN and n >= FEWEST))


def _table(counts: CalibrationCounts) -> dict[str, int]:
    return {"tp": counts.tp, "fn": counts.fn, "tn": counts.tn, "fp": counts.fp}


def _rate(successes: int, trials: int) -> tuple[float, float, float]:
    low, high = clopper_pearson(successes, trials, (1 - LEVEL) / 2)
    return successes / max(1, trials), low, high


def _interval(rate: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("estimate", "low", "high"), rate, strict=True))
