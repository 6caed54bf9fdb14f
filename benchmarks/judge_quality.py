"""How well the offline judge does on models that it has not seen, and how fast.

    python benchmarks/judge_quality.py --recorded FOLDER

Every figure is out of sample: the model under test took no part in training, nor in the calibration
behind its intervals (that is made from the other models, again leaving one out). Two harder splits
leave out the prompts too: a tenth of them at a time, and a harm category at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from rich.console import Console
from rich.table import Table
from training.offline_judge import calibration, held_out, label_of
from training.recorded import SHORT, Row, load

from buttress.judges.offline import THRESHOLD, create
from buttress.judges.quality import (
    as_counts,
    auc,
    calibration_error,
    confusion,
    f1,
    precision,
    recall,
)
from buttress.protocols.judge import Exchange, Expect
from buttress.statistics.correction import CorrectedSequence

ALPHA = 0.05
COLUMNS = ("", "labels", "F1", "precision", "recall", "AUC", "ECE", "substring F1")


def fold(row: Row) -> str:
    """One of ten, by prompt."""
    return str(hashlib.sha256(row.prompt.encode()).digest()[0] % 10)


def table_of(rows: Sequence[Row], scores: np.ndarray, task: Expect, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in COLUMNS:
        table.add_column(column)
    models = sorted({row.model for row in rows})
    for name in [*models, "all"]:
        chosen = [
            i
            for i, row in enumerate(rows)
            if label_of(row, task) is not None and name in (row.model, "all")
        ]
        labels = [int(label_of(rows[i], task) or 0) for i in chosen]
        said = scores[chosen]
        plain = [rows[i].substring == (task == "refuse") for i in chosen]
        counts = confusion(labels, said >= THRESHOLD)
        table.add_row(
            name,
            str(len(labels)),
            *(f"{x:.3f}" for x in (f1(counts), precision(counts), recall(counts))),
            f"{auc(labels, said):.3f}",
            f"{calibration_error(labels, said):.3f}",
            f"{f1(confusion(labels, plain)):.3f}",
        )
    return table


def intervals(rows: Sequence[Row], scores: np.ndarray, task: Expect) -> Table:
    """The corrected rate of each model and setting, beside the labels' rate."""
    table = Table(title=f"corrected rates, expect {task}, α = {ALPHA} a side", title_justify="left",
                  box=None, header_style="bold")  # fmt: skip
    for column in ("model", "setting", "judged", "corrected", "interval", "labels", "inside"):
        table.add_column(column)
    for model in sorted({row.model for row in rows}):
        made, _ = calibration([row for row in rows if row.model != model], task)
        counts = as_counts(made)
        for setting in ("baseline", "ablation", "actadd"):
            chosen = [
                i for i, row in enumerate(rows)
                if (row.model, row.setting) == (model, setting) and label_of(row, task) is not None
                and row.subset == ("jailbreakbench" if task == "refuse" else "harmless")
            ]  # fmt: skip
            if not chosen:
                continue
            order = np.random.default_rng(0).permutation(chosen)
            sequence = CorrectedSequence(ALPHA, ALPHA, counts)
            outcomes = (scores[order] >= THRESHOLD).astype(float)
            sequence.update(outcomes)
            truth = float(np.mean([label_of(rows[i], task) or 0 for i in chosen]))
            inside = sequence.low <= truth <= sequence.high
            table.add_row(
                model, setting, f"{outcomes.mean():.2f}", f"{sequence.estimate:.3f}",
                f"{sequence.low:.3f} – {sequence.high:.3f}", f"{truth:.2f}",
                "yes" if inside else "NO",
            )  # fmt: skip
    return table


def by_setting(rows: Sequence[Row], scores: np.ndarray) -> Table:
    table = Table(title="sensitivity and specificity by setting, expect refuse",
                  title_justify="left", box=None, header_style="bold")  # fmt: skip
    for column in ("setting", "positives", "sensitivity", "negatives", "specificity"):
        table.add_column(column)
    for setting in ("baseline", "ablation", "actadd"):
        chosen = [i for i, r in enumerate(rows) if r.harm is not None and r.setting == setting]
        counts = confusion([rows[i].harm for i in chosen], scores[chosen] >= THRESHOLD)
        table.add_row(
            setting, str(counts.tp + counts.fn), f"{recall(counts):.3f}",
            str(counts.tn + counts.fp), f"{counts.tn / (counts.tn + counts.fp):.3f}",
        )  # fmt: skip
    return table


def speed(rows: Sequence[Row]) -> None:
    judge = create()
    for length in (SHORT, None):
        exchanges = [
            Exchange(row.prompt, row.prompt, row.response[:length], "refuse") for row in rows
        ]
        asyncio.run(judge.judge(exchanges))
        best = best_cpu = float("inf")
        for _ in range(5):
            start, cpu = time.perf_counter(), time.process_time()
            asyncio.run(judge.judge(exchanges))
            best = min(best, time.perf_counter() - start)
            best_cpu = min(best_cpu, time.process_time() - cpu)
        characters = sum(len(exchange.answer) for exchange in exchanges) / len(exchanges)
        each, each_cpu = 1e3 * best / len(exchanges), 1e3 * best_cpu / len(exchanges)
        print(f"{characters:.0f} characters: {each:.3f} ms a judgement, {each_cpu:.3f} ms CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recorded", type=Path, required=True, metavar="FOLDER")
    rows = load(parser.parse_args().recorded)
    console = Console(width=110)

    def model(row: Row) -> str:
        return row.model

    def category(row: Row) -> str:
        return row.category

    splits: list[tuple[str, Sequence[Callable[[Row], str]], bool]] = [
        ("unseen model", (model,), False),
        (f"unseen model, answers cut to {SHORT} characters", (model,), True),
        ("unseen model and prompts (ten parts)", (model, fold), False),
        ("unseen model and category", (model, category), False),
    ]
    for title, parts, short in splits:
        scores = held_out(rows, "refuse", *parts, short=short)
        console.print(table_of(rows, scores, "refuse", f"expect refuse, {title}"), "")
        if parts == (model,) and not short:
            console.print(by_setting(rows, scores), "")
            console.print(intervals(rows, scores, "refuse"), "")
    scores = held_out(rows, "answer", model)
    console.print(table_of(rows, scores, "answer", "expect answer, unseen model"), "")
    console.print(intervals(rows, scores, "answer"), "")
    speed(rows)


if __name__ == "__main__":
    main()
