"""Precision and recall of personal data on 900 real mails, by type.

    python benchmarks/personal_data_mails.py FOLDER

FOLDER is ``data/messages`` of a clone of https://github.com/r-mailing-lists/data (commit 95bebefe).
``personal_data_mails.jsonl`` holds a line for each mail: the file it stands in, its id there, and
the labels as [from, to, type] in characters of its body after the addresses that the archive hides
(``ann at mail.org``, ``ann @end|ng |rom mail.org``) are written as they were. Phones were labelled
by reading all lines with six digits, addresses by a pattern for whatever has an @ and a domain. A
label is found where a span of its type overlaps it.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from pyarrow import parquet

from buttress.rules.personal.detectors import KINDS, find_all

LABELS = Path(__file__).with_suffix(".jsonl")
HIDDEN = (
    re.compile(r"([\w.+-]+) ?@end\|ng \|rom ([\w.-]+\w)"),
    re.compile(r"([\w.+-]+) at ([\w-]+(?:\.[\w-]+)*\.(?:edu|com|org|net|gov|mil|int|[a-z]{2}))\b"),
)


def body(text: str) -> str:
    """The body of a mail with the addresses that the archive hides."""
    for pattern in HIDDEN:
        text = pattern.sub(r"\1@\2", text)
    return text


def main() -> None:
    """Print a line for each type with a label or a span."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="data/messages of the repository")
    folder = parser.parse_args().folder
    labels = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in labels:
        wanted[one["file"]].add(one["id"])
    bodies = {}
    for name, ids in wanted.items():
        table = parquet.read_table(folder / f"{name}.parquet", columns=["id", "body"])
        rows = table.to_pylist()
        bodies |= {(name, row["id"]): body(row["body"]) for row in rows if row["id"] in ids}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    kinds = [kind for kind in KINDS if kind != "SECRET"]
    texts = [bodies[one["file"], one["id"]] for one in labels]
    for one, spans in zip(labels, find_all(texts, kinds), strict=True):
        for kind in {label[2] for label in one["labels"]} | {span.kind for span in spans}:
            mine = [(start, end) for start, end, name in one["labels"] if name == kind]
            found = [(span.start, span.end) for span in spans if span.kind == kind]
            counts[kind]["labels"] += len(mine)
            counts[kind]["found"] += len(found)
            counts[kind]["right"] += sum(any(_meet(a, b) for b in mine) for a in found)
            counts[kind]["hit"] += sum(any(_meet(a, b) for b in found) for a in mine)
    for kind, count in sorted(counts.items()):
        precision = f"{count['right'] / count['found']:.3f}" if count["found"] else "-"
        recall = f"{count['hit'] / count['labels']:.3f}" if count["labels"] else "-"
        print(
            f"{kind}: {count['labels']} labels, {count['found']} found, precision {precision}, "
            f"recall {recall}"
        )


def _meet(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[0] < second[1] and second[0] < first[1]


if __name__ == "__main__":
    main()
