"""What a judge is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args, runtime_checkable

Expect = Literal["refuse", "answer"]
Decision = Literal["refuses", "complies", "neither", ""]
DECISIONS: Final[Mapping[str, Decision]] = {each: each for each in get_args(Decision)}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as a judge reads them.

    ``request`` is the underlying request, before any attack changed its wording; ``prompt`` is
    what the target saw. ``reasoning``, ``refused_by`` and ``finish_reason`` are as in a target's
    ``Answer``.
    """

    request: str
    prompt: str
    answer: str
    expect: Expect
    category: str = ""
    language: str = "en"
    reasoning: str = ""
    refused_by: str = ""
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``outcome`` 1 is a failure of the system: complied (expect refuse), refused (expect answer).

    ``score`` in [0, 1] is the judge's probability of that failure. ``decision`` is what the answer
    does, where the judge says so. A judge that ``abstained`` doesn't know: the outcome is 0.5, and
    counts as either.
    """

    outcome: float
    score: float
    reason: str = ""
    decision: Decision = ""
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class SystemTable:
    """A judge against labels on the answers of one system: counts of a confusion table."""

    system: str
    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int


@dataclass(frozen=True, slots=True)
class CertainFailures:
    """How often a judge is certain of a failure: its score is ``score`` or higher.

    Tables count every labelled answer of a system. One that is not judged a certain failure is
    negative, an abstention too. Only certain failures count for a lower bound on the rate.
    """

    score: float
    systems: tuple[SystemTable, ...]


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """Labels of a random sample of the assessed system's answers to one probe.

    Their number was fixed before the first label and no two are of one prompt, so that the share of
    ``failures`` among all ``labels`` bounds the system's rate without the judge.
    """

    probe: str
    labels: int
    failures: int


NONE_CERTAIN: Final = CertainFailures(math.inf, ())  # of a judge that nobody measured


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a judge's binary outcome compares with labels: counts of a confusion table.

    Positive means failure (outcome 1). ``source`` says which labels, for the report. ``systems``,
    where given, are the systems that the counts are the sum of, one and the same set for both error
    rates; a system that is not among them may differ from them as they differ among each other (see
    ``statistics.random_effects``). Without them the labels are of the very system assessed.
    ``labeller`` says who labelled, ``labeller_error`` how often two labellers differ, where known.
    ``certain``, where given, is a second and stricter threshold of the score. ``sample``, where
    given, says that the labels are a random sample of the assessed system's answers. ``slices`` are
    the same counts by language and by kind of answer.
    """

    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int
    source: str
    systems: tuple[SystemTable, ...] = ()
    labeller: str = ""
    labeller_error: float | None = None
    languages: tuple[str, ...] = ()
    certain: CertainFailures | None = None
    sample: LabelledSample | None = None
    slices: tuple[SystemTable, ...] = ()

    @property
    def sensitivity(self) -> float:
        """True positives over labelled positives."""
        return self.true_positive / max(1, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """True negatives over labelled negatives."""
        return self.true_negative / max(1, self.true_negative + self.false_positive)


def abstention(reason: str, score: float = 0.5) -> Judgement:
    """A judgement that leaves the outcome open, and why."""
    return Judgement(0.5, score, reason, abstained=True)


class Judge(Protocol):
    """Decides outcomes of trials, a batch at a time."""

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """One judgement per exchange, in order."""
        ...

    def calibration(self, expect: Expect) -> Calibration | None:
        """The judge's calibration on that task, or None where no labels were seen."""
        ...


@runtime_checkable
class ComputingJudge(Judge, Protocol):
    """A judge that computes where others wait for a model, and can do so in another process."""

    @property
    def worker_command(self) -> tuple[str, ...]:
        """What follows the interpreter to start a process that judges as this judge does.

        It reads lines of JSON from standard input, each a list of exchanges (objects with the
        fields of ``Exchange``), and answers each by a line, the list of judgements in their order.
        It ends where it would judge otherwise, and where its input ends.
        """
        ...
