"""Labels on a drawn sample of a run: how many removals were wrong, and what was missed.

Two populations, kept and removed records. From each, records are drawn uniformly without
replacement, by turns; a label is on disk before the next record is shown. Intervals are
confidence sequences, so they hold whenever the labeller stops.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from buttress.data import output
from buttress.data.records import Position, Record
from buttress.data.restore import kept_lines
from buttress.labelling.keys import Keys
from buttress.labelling.pages import escaped
from buttress.labelling.screen import Screen
from buttress.statistics.confidence import ConfidenceSequence
from buttress.workflows.data import load

LABELS: Final = "review.jsonl"
_ALPHA: Final = 0.025
Population = Literal["kept", "removed"]
_QUESTION: Final = {
    "kept": "may this record stay in the training data?",
    "removed": "was it right to remove this record?",
}


@dataclass(slots=True)
class ReviewTally:
    """Labels of one population: ``good`` of ``labelled`` were decided rightly."""

    population: int
    labelled: int = 0
    good: int = 0
    low: float = 0.0
    high: float = 1.0

    @property
    def wrong(self) -> float | None:
        """Share of wrong decisions; None before the first label."""
        return 1 - self.good / self.labelled if self.labelled else None

    def to_json(self) -> dict[str, Any]:
        """Numbers and the share of wrong decisions with a 95 % confidence sequence."""
        return {
            "population": self.population, "labelled": self.labelled, "wrong": self.wrong,
            "low": self.low, "high": self.high,
        }  # fmt: skip


def tally(folder: Path) -> dict[Population, ReviewTally]:
    """What the labels of a run say by now.

    Raises:
        InputError: no finished run in ``folder``.
    """
    records = load(folder)["records"]
    found: dict[Population, ReviewTally] = {
        "kept": ReviewTally(records["kept"]), "removed": ReviewTally(records["removed"])
    }  # fmt: skip
    for name, one in found.items():
        sequence = ConfidenceSequence(_ALPHA, _ALPHA)
        for label in _labels(folder, load(folder)["digest"]):
            if label["population"] == name:
                one.labelled += 1
                one.good += label["right"]
                sequence.update([0.0 if label["right"] else 1.0])
        one.low, one.high = sequence.bounds()
        if one.labelled and one.labelled == one.population:
            one.low = one.high = 1 - one.good / one.labelled
    return found


def review(
    folder: Path, keys: Keys, screen: Screen, *, budget: int | None = None, seed: int = 0
) -> dict[Population, ReviewTally]:
    """Show drawn records and keep labels until the budget is spent or the labeller quits."""
    document = load(folder)
    digest = document["digest"]
    given = 0
    for population, number, text, why in _drawn(folder, document, seed):
        if budget is not None and given >= budget:
            break
        _show(screen, population, text, why)
        key = _decision(keys, screen)
        if key in ("q", ""):
            break
        if key == "s":
            continue
        line = {
            "population": population, "number": number, "right": key == "y", "digest": digest
        }  # fmt: skip
        with (folder / LABELS).open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")
        given += 1
    return tally(folder)


def _labels(folder: Path, digest: str) -> list[dict[str, Any]]:
    """Labels of the run as it is; those of before a restore are of another corpus."""
    path = folder / LABELS
    if not path.is_file():
        return []
    found = {}
    for line in path.read_bytes().splitlines():
        label = orjson.loads(line)
        if label["digest"] == digest:
            found[label["population"], label["number"]] = label
    return list(found.values())


def _drawn(
    folder: Path, document: dict[str, Any], seed: int
) -> Iterator[tuple[Population, int, str, str]]:
    """Records that have no label, by turns of both populations, each in a random order."""
    done = {(label["population"], label["number"]) for label in _labels(folder, document["digest"])}
    counts: dict[Population, int] = {
        "kept": document["records"]["kept"], "removed": document["records"]["removed"]
    }  # fmt: skip
    orders = {
        name: [
            number
            for number in random.Random(f"{seed}/{name}").sample(range(count), count)
            if (name, number) not in done
        ]
        for name, count in counts.items()
    }
    for turn in range(max(map(len, orders.values()), default=0)):
        for name, order in orders.items():
            if turn < len(order):
                text, why = _record(folder, name, order[turn], document["field"])
                yield name, order[turn], text, why


def _record(folder: Path, population: Population, place: int, field: str) -> tuple[str, str]:
    if population == "kept":
        line = next(one for number, one in enumerate(kept_lines(folder)) if number == place)
        return Record(line, Position(place, "", 0), field=field).text, ""
    lines = output.read_lines(folder / output.REMOVED)
    entry = next(one for number, one in enumerate(lines) if number == place)
    record = Record(entry["record"], Position(place, "", 0), field=field)
    again = f", repeats {entry['duplicate_of']}" if entry["duplicate_of"] else ""
    return record.text, f"{entry['stage']}: {entry['rule']}, {entry['reason']}{again}"


def _show(screen: Screen, population: Population, text: str, why: str) -> None:
    shown = f"{population.upper()}{f' · {why}' if why else ''}\n\n{text}\n\n{_QUESTION[population]}"
    sheets = screen.sheets(shown)
    screen.write("─" * min(screen.width, 72))
    screen.write("\n".join(sheets[0]))
    if len(sheets) > 1:
        screen.write(f"… {len(sheets) - 1} more pages\n{_QUESTION[population]}")


def _decision(keys: Keys, screen: Screen) -> str:
    while True:
        screen.write("y yes  n no  s skip  q quit")
        key = keys.key()
        if key in ("y", "n", "s", "q", ""):
            return key
        screen.write(f"'{escaped(key)}' is no key here.")
