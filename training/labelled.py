"""Answers with labels that the offline judge is trained and calibrated on.

Four sources. GPTFuzz's training answers (MIT) and XSTest (CC BY 4.0, Röttger et al. 2023) are
labelled by people. Recorded answers of three small models have labels of harm from Llama Guard 2
and of refusal from ``refusal_labels.json``; the first nine files ``benchmarks/judge_styles*.jsonl``
are answers in styles of today, written for blind checks of earlier versions, with their writers'
labels. These two train the judge and calibrate nothing. The first three sources are no part of
this repository; their folders are given on the command line.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.answers.voices import declines
from buttress.protocols.judge import Expect

LABELS: Final = Path(__file__).with_name("refusal_labels.json")
PEOPLE: Final = ("gptfuzz", "xstest")  # sources whose labels are people's
STYLES: Final = tuple(
    Path(__file__).resolve().parents[1] / f"benchmarks/judge_styles{number}.jsonl"
    for number in ("", "_second", "_third", "_fourth", "_fifth", "_sixth", "_seventh", "_eighth",
                   "_ninth")
)  # fmt: skip
_OPENING: Final = 300  # characters in which an answer without harm is taken to decline


@dataclass(frozen=True, slots=True)
class Row:
    """One answer. ``harm`` and ``refusal`` are 1, 0 or None where nobody said.

    ``system`` is who answered and how it was asked, the unit that calibration generalises over;
    ``question`` what cross-validation keeps together.
    """

    source: str
    system: str
    question: str
    request: str
    answer: str
    expect: Expect
    harm: int | None
    refusal: int | None


def gptfuzz(path: Path) -> list[Row]:
    """``gptfuzz-train.jsonl``: one model, 80 questions under 77 templates; a template is a system.

    The answers to a question stand in the order of the templates, so the place tells the template.
    People said whether an answer helps, not whether it refuses. One that helps is taken as no
    refusal, one that doesn't and opens by declining as a refusal; that trains, and calibrates
    nothing.
    """
    places: Counter[str] = Counter()
    rows = []
    for record in _records(path):
        question, harm = str(record["question"]), int(record["label"])
        declined = declines(record["response"][:_OPENING])
        rows.append(
            Row(
                source="gptfuzz",
                system=f"template {places[question]:02}",
                question=f"gptfuzz {question}",
                request=record["request"],
                answer=record["response"],
                expect="refuse",
                harm=harm,
                refusal=0 if harm else 1 if declined else None,
            )
        )
        places[question] += 1
    return rows


def xstest(path: Path) -> list[Row]:
    """``xstest.jsonl``: four systems; refusals in part count as refusals of harmless requests."""
    kinds = {"1": 0, "2": 1, "3": None}
    rows = []
    for record in _records(path):
        refusal = kinds[record["answer_kind"][0]]
        if refusal is None and record["expect"] == "answer":
            refusal = 1
        rows.append(
            Row(
                source="xstest",
                system=record["model"],
                question=f"xstest {record['request']}",
                request=record["request"],
                answer=record["response"],
                expect=record["expect"],
                harm=int(record["label"]) if record["expect"] == "refuse" else None,
                refusal=refusal,
            )
        )
    return rows


def recorded(folder: Path) -> list[Row]:
    """The recorded answers of ``folder``, a file a model."""
    given = {
        (model, subset, setting, digest): label
        for model, subset, setting, digest, label in json.loads(LABELS.read_bytes())["labels"]
    }
    rows = []
    for path in sorted(folder.glob("*.jsonl")):
        for record in _records(path):
            digest = hashlib.sha256(record["prompt"].encode()).hexdigest()[:16]
            key = (record["model"], record["set"], record["setting"], digest)
            harm, refusal = record.get("label"), given.get(key)
            if refusal is None and harm == 1 and record["complied_by_substring"]:
                refusal = 0
            rows.append(
                Row(
                    source="recorded",
                    system=f"{record['model']} {record['setting']}",
                    question=f"recorded {record['prompt']}",
                    request=record["prompt"],
                    answer=record["response"],
                    expect=record["expect"],
                    harm=None if harm is None else int(harm),
                    refusal=refusal,
                )
            )
    return rows


def jailjudge(path: Path) -> list[Row]:
    """``jailjudge-mini.jsonl``: for tests only, never for training or calibration."""
    return [
        Row("jailjudge", record["kind"], record["request"], record["request"],
            record["response"], "refuse", int(record["label"]), None)
        for record in _records(path)
    ]  # fmt: skip


def today() -> list[Row]:
    """Answers in styles of today, a system a file; what opens by declining is a refusal."""
    rows = []
    for path in STYLES:
        for record in _records(path):
            label, answer = int(record["label"]), record["response"]
            refusal: int | None = label
            if record["expect"] == "refuse":
                refusal = 0 if label else 1 if declines(answer[:_OPENING]) else None
            rows.append(
                Row(
                    source="today",
                    system=path.stem,
                    question=f"today {record['prompt']}",
                    request=record["prompt"],
                    answer=answer,
                    expect=record["expect"],
                    harm=label if record["expect"] == "refuse" else None,
                    refusal=refusal,
                )
            )
    return rows


def load(data: Path) -> list[Row]:
    """All rows for training, from a folder with ``labelled/`` and ``recorded/`` in it."""
    return [
        *gptfuzz(data / "labelled/gptfuzz-train.jsonl"),
        *xstest(data / "labelled/xstest.jsonl"),
        *recorded(data / "recorded"),
        *today(),
    ]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
