"""A run over training data against a policy: GB/T 45654-2025, section on training data.

The standard asks: a source whose content is harmful by more than 5 % is not used; of the corpus a
sample of at least 4,000 records is judged by people, and at least 96 % pass; of at least 10 % of
the corpus, judged by keywords or a classifier, at least 98 % pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from buttress.data import output
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
        *(_sources_by_keywords(folder, document, keywords) or _sources(document)),
        _share(
            "manual-sample",
            (manual.good, manual.labelled),
            needed=min(MANUAL_SAMPLE, max(1, kept)),
            limit=MANUAL_SHARE,
            population=kept,
            reason="judged by people with `buttress data review`",
        ),
        _automatic(folder, document, keywords),
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


def _sources_by_keywords(
    folder: Path, document: dict[str, Any], keywords: Sequence[Path]
) -> list[DataRequirement]:
    """Shares of records with keywords, of a run without the stage harm; empty for others."""
    if not keywords or any(source["harmful"] is not None for source in document["sources"]):
        return []
    stage = HarmfulContent(list(keywords))
    counts = {source["source"]: [0, 0] for source in document["sources"]}
    for record in _as_read(folder, document):
        if record.source not in counts:
            return []  # a kept record names no source, and its file is not known any more
        count = counts[record.source]
        count[0] += stage.apply([record])[0] is not None
        count[1] += 1
    found = []
    for name, (harmful, total) in counts.items():
        share = harmful / max(1, total)
        status: Literal["met", "broken"] = "broken" if share > HARM_LIMIT else "met"
        why = "share with keywords, all kept and removed records looked at"
        found.append(
            DataRequirement(f"source {name}", status, total, total, share, share, HARM_LIMIT, why)
        )  # fmt: skip
    return found


def _as_read(folder: Path, document: dict[str, Any]) -> Iterator[Record]:
    """All readable records of a run, kept and removed.

    A kept record that names no source is of the only one, where there is one.
    """
    sources = document["sources"]
    only = sources[0]["source"] if len(sources) == 1 else ""
    field, source_field = document["field"], document["source_field"]
    for row in output.read_lines(folder / output.REMOVED):
        place = Position(row["number"], row["file"], row["line"])
        yield Record(row["record"], place, field=field, source_field=source_field)
    for number, line in enumerate(kept_lines(folder)):
        yield Record(line, Position(number, only, 0), field=field, source_field=source_field)


def _automatic(folder: Path, document: dict[str, Any], keywords: Sequence[Path]) -> DataRequirement:
    kept = document["records"]["kept"]
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
        batch.append(Record(line, Position(total, "", 0), field=document["field"]))
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
