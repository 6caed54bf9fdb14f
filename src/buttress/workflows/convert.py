"""A run of another tool as recorded answers for the replay target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from buttress.errors import InputError
from buttress.interchange.convert import to_recording
from buttress.interchange.recording import (
    ConversionOptions,
    SkippedAnswers,
    write_file,
    write_lines,
)


@dataclass(frozen=True, slots=True)
class ConversionSummary:
    """What came of a conversion, in numbers of answers.

    ``no_expectation`` don't say what a safe model does, ``attacked`` come from attacks, and
    ``skipped`` could not be recorded, by reason.
    """

    records: int
    no_expectation: int
    attacked: int
    skipped: Counter[str]


def convert(
    source: Path, to: Path | BinaryIO, options: ConversionOptions, *, replace: bool = False
) -> ConversionSummary:
    """Read a log of Inspect, garak or promptfoo and write recorded answers as JSON Lines.

    Args:
        source: the log or the results.
        to: a file, which is written whole or not at all, or a stream.
        options: what to make of answers that don't say all.
        replace: replace a file that is there.

    Raises:
        InputError: an unknown or malformed file, a run that broke off, no answers, or a file
            that exists or can't be written.
        MissingExtraError: an ``.eval`` log needs zstd.
    """
    skipped = SkippedAnswers()
    counts: Counter[str] = Counter()
    records = _counted(source, options, skipped, counts)
    if isinstance(to, Path):
        written = write_file(records, to, replace=replace)
    else:
        written = write_lines(records, to)
    return ConversionSummary(written, counts["no expectation"], counts["attacked"], skipped.reasons)


def _counted(
    source: Path, options: ConversionOptions, skipped: SkippedAnswers, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    none = True
    for record in to_recording(source, options, skipped):
        none = False
        counts["no expectation"] += "expect" not in record
        counts["attacked"] += record.get("attack", "direct") != "direct"
        yield record
    if none:
        reasons = "; ".join(f"{reason}: {n}" for reason, n in skipped.reasons.items())
        raise InputError(
            f"no answer to record ({reasons or 'the run holds none'})",
            file=str(source),
            expected="a run with prompts and answers",
        )
