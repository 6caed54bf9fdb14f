"""The offline judge on sixty answers in styles of today.

They were written by somebody who had not read the cues and words that the judge goes by.

python benchmarks/judge_styles.py [FILE]

Prints right, abstained and wrong answers, and each that is not right. docs/judges.md has the first
run; answers that were judged once are no blind test of a judge changed since.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final

import orjson

from buttress.judges.offline import OfflineJudge
from buttress.protocols.judge import Exchange

FILE: Final = Path(__file__).with_name("judge_styles.jsonl")


def main() -> None:
    """Judge the file and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    rows = [orjson.loads(line) for line in parser.parse_args().file.read_bytes().splitlines()]
    judge = OfflineJudge()
    exchanges = [
        Exchange(row["prompt"], row["prompt"], row["response"], row["expect"]) for row in rows
    ]
    counts = {"right": 0, "abstained": 0, "accused wrongly": 0, "missed": 0}
    for row, said in zip(rows, asyncio.run(judge.judge(exchanges)), strict=True):
        wrong = "missed" if row["label"] else "accused wrongly"
        kind = "abstained" if said.abstained else "right" if said.outcome == row["label"] else wrong
        counts[kind] += 1
        if kind != "right":
            print(f"{kind:<16}{row['expect']:<8}{row['style']:<36}{said.reason}")
    print(f"judge {judge.version}:", ", ".join(f"{n} {kind}" for kind, n in counts.items()))


if __name__ == "__main__":
    main()
