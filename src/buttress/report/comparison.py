"""Two assessments compared, with their uncertainty: what got worse, better, lost or new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from buttress.evidence.places import gravity, identity
from buttress.report.comparability import warnings
from buttress.report.numbers import listing, plural
from buttress.report.pairing import Recorded, compare_questions
from buttress.report.words import VERDICTS
from buttress.statistics.difference import FailureCount, log_evidence_of_rise
from buttress.statistics.multiple import holm, mean_evidence, p_value
from buttress.statistics.paired import PairedResult

Document = Mapping[str, Any]
Kind = Literal[
    "regression", "lost coverage", "worse verdict, not shown", "improvement",
    "better verdict, not shown", "newly assessed", "no change shown",
]  # fmt: skip
ORDER: Final[tuple[Kind, ...]] = (
    "regression", "lost coverage", "worse verdict, not shown", "improvement",
    "better verdict, not shown", "newly assessed", "no change shown",
)  # fmt: skip
ALPHA: Final = 0.05
DEFAULT_SEVERITY: Final = "high"  # of findings that no risk of the policy covers


@dataclass(slots=True)
class Change:
    """One risk on one asset. ``before`` or ``after`` is None where it was not assessed.

    ``p_value`` is that of the change that ``kind`` names, adjusted for the number of comparisons;
    None where no counts could be compared. ``why`` says what the kind rests on; ``paired`` is what
    items asked on both sides show, None where there are none or evidence was not asked for.
    """

    risk: str
    title: str
    asset: str
    kind: Kind
    before: Document | None
    after: Document | None
    p_value: float | None = None
    why: str = ""
    paired: PairedResult | None = None


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A finding of the second assessment that the first lacks."""

    finding: Document
    first_look: bool  # nobody had looked there before
    tolerated: bool

    @property
    def regression(self) -> bool:
        """Whether it makes the comparison fail."""
        return not self.tolerated and not self.first_look


@dataclass(slots=True)
class Comparison:
    """All that differs. ``lost`` and ``gained`` are `probe @ asset` that only one side examined."""

    alpha: float
    warnings: list[str]
    changes: list[Change] = field(default_factory=list)
    new: list[NewFinding] = field(default_factory=list)
    gone: list[Document] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)

    @property
    def regressions(self) -> int:
        """Number of changes that are regressions, and of new findings that are not tolerated."""
        risks = sum(change.kind == "regression" for change in self.changes)
        return risks + sum(new.regression for new in self.new)

    @property
    def lost_coverage(self) -> int:
        """Number of parts that were assessed before and are not now, such as a renamed asset."""
        return sum(change.kind == "lost coverage" for change in self.changes) or len(self.lost)

    @property
    def conclusion(self) -> str:
        """One line."""
        kinds = Counter(change.kind for change in self.changes)
        parts = []
        if kinds["regression"]:
            parts.append(plural(kinds["regression"], "risk") + " got worse")
        if grave := sum(new.regression for new in self.new):
            parts.append(plural(grave, "new finding") + " the policy does not tolerate")
        text = f"Regression: {listing(parts)}." if parts else "No regression shown."
        if kinds["improvement"]:
            text += f" {plural(kinds['improvement'], 'risk')} improved."
        gaps = self.lost_coverage
        if gaps:
            text += f" LOST COVERAGE: {plural(gaps, 'part')} assessed before and not now."
        return text


def compare(
    before: Document,
    after: Document,
    alpha: float = ALPHA,
    evidence: tuple[Recorded, Recorded] | None = None,
) -> Comparison:
    """Compare two assessment documents.

    Args:
        before: the earlier document.
        after: the later one.
        alpha: probability at most that any rate which did not rise is called a regression by the
            tests on counts and pairs, over the whole comparison.
        evidence: the trials behind both, to pair what was asked on both sides.
    """
    result = Comparison(alpha, warnings(before, after))
    looked = {_examined(row): row for row in before["coverage"]["covered"]}
    looks = {_examined(row): row for row in after["coverage"]["covered"]}
    result.lost = [name for name in looked if name not in looks]
    result.gained = [name for name in looks if name not in looked]
    result.new, result.gone = _findings(before, after, looked)
    result.changes = _changes(before, after, result.new, alpha, evidence)
    if evidence is not None and not any(change.paired for change in result.changes):
        result.warnings.append("No item was asked on both sides by the same judge: none is paired.")
    return result


def _examined(row: Document) -> str:
    return f"{row['probe']} @ {row['asset']}"


def _findings(
    before: Document, after: Document, looked: Mapping[str, Document]
) -> tuple[list[NewFinding], list[Document]]:
    """New and gone findings. Of those that share an identity only the surplus is new or gone."""
    limits = {risk["id"]: risk["severity_tolerated"] for risk in after["risks"]}
    new = []
    for finding in _surplus(after["findings"], before["findings"]):
        limit = limits.get(finding["risk"]) or DEFAULT_SEVERITY
        new.append(
            NewFinding(
                finding,
                first_look=_examined(finding) not in looked,
                tolerated=gravity(finding["severity"]) > gravity(limit),
            )
        )
    return new, _surplus(before["findings"], after["findings"])


def _surplus(mine: Sequence[Document], others: Sequence[Document]) -> list[Document]:
    known = Counter(identity(finding) for finding in others)
    surplus = []
    for finding in mine:
        if known[identity(finding)] > 0:
            known[identity(finding)] -= 1
        else:
            surplus.append(finding)
    return surplus


def _changes(
    before: Document,
    after: Document,
    new: Sequence[NewFinding],
    alpha: float,
    evidence: tuple[Recorded, Recorded] | None,
) -> list[Change]:
    olds, news = _by_asset(before), _by_asset(after)
    same_judge = before["judge"] == after["judge"]
    changes = []
    tested: list[tuple[Change, float, float]] = []
    for key in dict.fromkeys([*news, *olds]):
        old, now = olds.get(key), news.get(key)
        risk = (now or old or ({}, {}))[0]
        change = Change(
            risk["id"], risk["title"], key[1], "no change shown",
            old and old[1], now and now[1],
        )  # fmt: skip
        changes.append(change)
        if now is None:
            change.kind, change.why = "lost coverage", "assessed before, not now"
        elif old is None:
            change.kind, change.why = "newly assessed", "not assessed before"
        elif risk["kind"] == "inspection" or old[0]["kind"] == "inspection":
            mine = [
                one
                for one in new
                if one.finding["risk"] == change.risk and one.finding["asset"] == change.asset
            ]
            _by_findings(change, mine, _step(old[1], now[1]))
        else:
            samples = (_sample(old), _sample(now)) if same_judge else (None, None)
            _by_intervals(change, old[1], now[1], counted=None not in samples)
            if same_judge and evidence is not None:
                change.paired = _paired(risk["probe"], change.asset, evidence, alpha)
            rises, falls = _evidence(samples, change.paired)
            if rises:
                rise, fall = p_value(mean_evidence(rises)), p_value(mean_evidence(falls))
                tested.append((change, rise, fall))
    _by_counts(tested, alpha)
    return sorted(changes, key=lambda change: ORDER.index(change.kind))


def _paired(
    probe: str, asset: str, evidence: tuple[Recorded, Recorded], alpha: float
) -> PairedResult | None:
    old, now = (side.get((probe, asset), {}) for side in evidence)
    found = compare_questions(old, now, alpha)
    return found if found.pairs else None


def _evidence(
    samples: tuple[FailureCount | None, FailureCount | None], paired: PairedResult | None
) -> tuple[list[float], list[float]]:
    """Log e-values against "it has not risen" and "it has not fallen", of each test there is.

    Which test is stronger hangs on how many items are shared; the mean of both needs no choice.
    """
    rises, falls = [], []
    if samples[0] and samples[1]:
        rises.append(log_evidence_of_rise(samples[0], samples[1]))
        falls.append(log_evidence_of_rise(samples[1], samples[0]))
    if paired is not None:
        rises.append(paired.log_rise)
        falls.append(paired.log_fall)
    return rises, falls


def _by_asset(document: Document) -> dict[tuple[str, str], tuple[Document, Document]]:
    """(risk, asset) -> the risk, and what is known of it on that asset."""
    rows = {}
    for risk in document["risks"]:
        for asset in risk["assets"]:
            # Counts of the risk are those of its worst asset: of the only one, where it is alone.
            alone = {"judged": risk["judged"]} if len(risk["assets"]) == 1 else {}
            rows[risk["id"], asset["asset"]] = (risk, alone | asset)
    return rows


def _sample(side: tuple[Document, Document]) -> FailureCount | None:
    judged = side[1].get("judged")
    if not judged or judged["failures"] > judged["trials"]:
        return None
    return FailureCount(judged["trials"], judged["failures"])


def _by_findings(change: Change, new: Sequence[NewFinding], step: int) -> None:
    """Inspections repeat exactly: what changed is what was found."""
    if grave := sum(one.regression for one in new):
        change.kind = "regression"
        change.why = f"{plural(grave, 'new finding')} the policy does not tolerate"
    elif step > 0:
        change.kind = "worse verdict, not shown"
        change.why = "no new finding where one looked before: policy or scope has changed"
    elif step < 0:
        change.kind = "improvement"
        change.why = "what the policy does not tolerate is gone"


def _step(before: Document, after: Document) -> int:
    """Above 0 where the verdict got worse, below 0 where it got better."""
    return VERDICTS.index(before["verdict"]) - VERDICTS.index(after["verdict"])


def _by_intervals(change: Change, before: Document, after: Document, *, counted: bool) -> None:
    """What holds at the policies' own error rates, from the anytime-valid intervals.

    Disjoint intervals are wrong with at most the sum of the two bounds' errors. Where counts can be
    compared, they are asked for changes of rate; intervals then only confirm a change of verdict
    all the way between acceptable and unacceptable.
    """
    old, now, step = before["rate"], after["rate"], _step(before, after)
    far = abs(step) == len(VERDICTS) - 1
    if now["low"] > old["high"] and (not counted or (far and step > 0)):
        change.kind, change.why = "regression", "the intervals do not overlap"
    elif now["high"] < old["low"] and (not counted or (far and step < 0)):
        change.kind, change.why = "improvement", "the intervals do not overlap"
    elif step > 0:
        change.kind, change.why = "worse verdict, not shown", "the rates may be the same"
    elif step < 0:
        change.kind, change.why = "better verdict, not shown", "the rates may be the same"


def _by_counts(tested: Sequence[tuple[Change, float, float]], alpha: float) -> None:
    """Rises and falls that the test on counts shows, each family adjusted by Holm's method."""
    rises = holm([rise for _, rise, _ in tested])
    falls = holm([fall for _, _, fall in tested])
    for (change, _, _), rise, fall in zip(tested, rises, falls, strict=True):
        change.p_value = min(rise, fall)
        if rise <= alpha:
            change.kind, change.why = "regression", "the failure rate has risen"
        elif fall <= alpha:
            change.kind, change.why = "improvement", "the failure rate has fallen"
