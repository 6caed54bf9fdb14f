"""A run over training data against a policy: GB/T 45654-2025, section on training data.

The standard asks: a source whose content is harmful by more than 5 % is not used; of the corpus a
sample of at least 4,000 records is judged by people, and at least 96 % pass; of at least 10 % of
the corpus, judged by keywords or a classifier, at least 98 % pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from buttress.data.records import Position, Record
from buttress.data.restore import kept_lines
from buttress.data.stages.harm import HarmfulContent
from buttress.errors import InputError
from buttress.statistics.correction import clopper_pearson
from buttress.workflows.data import HARM_LIMIT, load
from buttress.workflows.data_review import tally

POLICIES: Final = ("gbt45654",)
MANUAL_SAMPLE: Final = 4_000
MANUAL_SHARE: Final = 0.96
AUTOMATIC_SAMPLE: Final = 0.1  # of the corpus
AUTOMATIC_SHARE: Final = 0.98
_ALPHA: Final = 0.05  # one-sided
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class DataRequirement:
    """A requirement and what is known of it.

    ``status``: "met" where the bound clears the limit; "estimate" where the estimate alone does;
    "broken" where it does not; "undecided" where the sample is too small, or there is none.
    """

    name: str
    status: Literal["met", "estimate", "broken", "undecided"]
    sample: int
    needed: int
    estimate: float | None
    bound: float | None
    limit: float
    reason: str


def check(folder: Path, policy: str, keywords: Sequence[Path] = ()) -> list[DataRequirement]:
    """The requirements of a policy.

    Raises:
        InputError: no such policy, or no finished run in ``folder``.
    """
    if policy not in POLICIES:
        raise InputError(
            f"unknown policy '{policy}'", field="--policy", expected="one of " + ", ".join(POLICIES)
        )
    document = load(folder)
    kept = document["records"]["kept"]
    manual = tally(folder)["kept"]
    return [
        *_sources(document),
        _share(
            "manual-sample",
            (manual.good, manual.labelled),
            needed=min(MANUAL_SAMPLE, max(1, kept)),
            limit=MANUAL_SHARE,
            population=kept,
            reason="judged by people with `buttress data review`",
        ),
        _automatic(folder, kept, keywords),
    ]


def exit_code(requirements: Sequence[DataRequirement]) -> int:
    """1 where one is broken, else 3 where one is undecided, else 0."""
    states = {one.status for one in requirements}
    return 1 if "broken" in states else 3 if "undecided" in states else 0


def to_json(folder: Path, policy: str, requirements: Sequence[DataRequirement]) -> dict[str, Any]:
    """For machines."""
    return {
        "policy": policy,
        "folder": str(folder),
        "requirements": [asdict(one) for one in requirements],
    }


def _sources(document: dict[str, Any]) -> list[DataRequirement]:
    found = []
    for source in document["sources"]:
        harmful, count = source["harmful"], source["records"]
        name = f"source {source['source']}"
        if harmful is None:
            found.append(
                DataRequirement(name, "undecided", 0, count, None, None, HARM_LIMIT,
                            "the run had no stage harm")
            )  # fmt: skip
            continue
        status: Literal["met", "broken"] = "broken" if harmful > HARM_LIMIT else "met"
        reason = "share removed by the stage harm, all records looked at"
        found.append(
            DataRequirement(name, status, count, count, harmful, harmful, HARM_LIMIT, reason)
        )
    return found


def _automatic(folder: Path, kept: int, keywords: Sequence[Path]) -> DataRequirement:
    needed = -(-kept // int(1 / AUTOMATIC_SAMPLE))
    if not keywords:
        return DataRequirement(
            "automatic-sample", "undecided", 0, needed, None, None, AUTOMATIC_SHARE,
            "no keywords; name files by --keywords",
        )  # fmt: skip
    stage = HarmfulContent(list(keywords))
    good = total = 0
    batch: list[Record] = []
    for line in kept_lines(folder):
        batch.append(Record(line, Position(total, "", 0)))
        total += 1
        if len(batch) == _BATCH:
            good += sum(outcome is None for outcome in stage.apply(batch))
            batch = []
    good += sum(outcome is None for outcome in stage.apply(batch))
    return _share(
        "automatic-sample",
        (good, total),
        needed=needed,
        limit=AUTOMATIC_SHARE,
        population=kept,
        reason="keywords, all kept records",
    )


def _share(
    name: str,
    counted: tuple[int, int],
    *,
    needed: int,
    limit: float,
    population: int,
    reason: str,
) -> DataRequirement:
    """The share of good records against its least, by exact bounds (Clopper-Pearson).

    ``counted`` are the good records and all that were looked at.

    Where the sample is the whole population the share is known.
    """
    good, sample = counted
    if not sample:
        return DataRequirement(
            name, "undecided", 0, needed, None, None, limit, f"no sample: {reason}"
        )
    estimate = good / sample
    low, high = clopper_pearson(good, sample, _ALPHA)
    if sample >= population:
        low = high = estimate
    if high < limit:
        return DataRequirement(name, "broken", sample, needed, estimate, high, limit, reason)
    if sample < needed:
        return DataRequirement(
            name, "undecided", sample, needed, estimate, low, limit, f"sample too small: {reason}"
        )
    if estimate < limit:
        return DataRequirement(name, "broken", sample, needed, estimate, low, limit, reason)
    status: Literal["met", "estimate"] = "met" if low >= limit else "estimate"
    return DataRequirement(name, status, sample, needed, estimate, low, limit, reason)
