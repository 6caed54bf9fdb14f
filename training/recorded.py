"""Recorded answers and labels that the offline judge is trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from buttress.answers.reading import read
from buttress.judges.features import measure, topic_of

LABELS = Path(__file__).with_name("refusal_labels.json")
SHORT = 650  # characters: about what the product lets a target answer, 160 tokens


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded answer. ``harm`` and ``refusal`` are labels, None where nobody gave one.

    ``full`` and ``short`` are features, of the whole answer and of its first ``SHORT`` characters.
    """

    model: str
    setting: str
    subset: str
    category: str
    prompt: str
    response: str
    substring: int
    harm: int | None
    refusal: int | None
    full: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]


def load(folder: Path) -> list[Row]:
    """All recorded answers in a folder of JSONL files, in the order of their names."""
    given = {tuple(row[:4]): row[4] for row in json.loads(LABELS.read_text())["labels"]}
    rows = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            digest = hashlib.sha256(record["prompt"].encode()).hexdigest()[:16]
            key = (record["model"], record["set"], record["setting"], digest)
            topic = topic_of(record["prompt"])
            rows.append(
                Row(
                    model=record["model"],
                    setting=record["setting"],
                    subset=record["set"],
                    category=record["category"] or "",
                    prompt=record["prompt"],
                    response=record["response"],
                    substring=record["complied_by_substring"],
                    harm=record.get("label"),
                    refusal=given.get(key),
                    full=measure(topic, read(record["response"])).vector,
                    short=measure(topic, read(record["response"][:SHORT])).vector,
                )
            )
    return rows
