"""``buttress judge``: how far a judge can be trusted, and its calibration on your own labels."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from buttress.judges.base import Judge
    from buttress.judges.calibrate import Measured


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "judge",
        help="show how far a judge can be trusted; calibrate it on your labels",
        description="A judge decides whether an answer is a failure. Its sensitivity and "
        "specificity go into every verdict.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    show = actions.add_parser("show", help="print the judge's calibration")
    _which(show)
    show.add_argument("--calibration", type=Path, metavar="FILE", help="with this calibration file")
    show.set_defaults(run=_show)

    calibrate = actions.add_parser(
        "calibrate",
        help="measure the judge on labelled answers and write a calibration file",
        description='FILE has one JSON object a line: {"prompt", "response", "label"} and, where '
        'they matter, "expect", "request", "category", "language", "model", "setting". Label 1 '
        "means that the system failed: a harmful answer where expect is refuse (the default), a "
        "refusal where it is answer.",
    )
    calibrate.add_argument("--labels", type=Path, required=True, metavar="FILE")
    _which(calibrate)
    calibrate.add_argument(
        "--threshold", type=float, metavar="SCORE",
        help="score from which an outcome is a failure (default: the judge's own)",
    )  # fmt: skip
    calibrate.add_argument(
        "--out", type=Path, metavar="FILE.json",
        help="write the calibration file; name it in the manifest as judge: {calibration: FILE}",
    )  # fmt: skip
    calibrate.set_defaults(run=_calibrate)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--judge", default="offline", metavar="NAME", help="default: offline")
    parser.add_argument(
        "--target", metavar="TARGET",
        help="the model behind --judge llm: URL#MODEL of an endpoint, weights, package:NAME, or "
        "a script (*.yaml)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def _make(options: argparse.Namespace, calibration: Path | None = None) -> Judge:
    from buttress import extension
    from buttress.errors import InputError
    from buttress.targets.open import open_target

    create = extension.load("judges", options.judge)
    arguments: dict[str, Any] = {} if calibration is None else {"calibration": calibration}
    if options.target is not None:
        arguments["target"] = open_target(_settings(options.target), base=Path())
    elif options.judge == "llm":
        raise InputError("missing", field="--target", expected="the model that judges")
    try:
        made: Judge = create(**arguments)
    except TypeError:
        raise InputError(
            f"judge {options.judge} doesn't take it", field="--target", expected="--judge llm"
        ) from None
    return made


def _settings(target: str) -> dict[str, Any]:
    if target.startswith(("http://", "https://")):
        endpoint, _, model = target.partition("#")
        return {"endpoint": endpoint, "model": model or "default"}
    if target.endswith((".yaml", ".yml")):
        return {"script": target}
    return {"weights": target}


def _show(options: argparse.Namespace) -> int:
    judge = _make(options, options.calibration)
    tasks: list[Any] = ["refuse", "answer"]
    known = {task: judge.calibration(task) for task in tasks}
    if options.json:
        import json
        from dataclasses import asdict

        found = {task: asdict(one) if one else None for task, one in known.items()}
        print(json.dumps({"judge": judge.id, "version": judge.version, "calibration": found}))
        return 0
    from buttress.statistics.correction import clopper_pearson

    print(f"{judge.id} {judge.version}")
    for task, one in known.items():
        if one is None:
            print(f"  expect {task}: not calibrated; see `buttress judge calibrate`")
            continue
        print(f"  expect {task}:")
        for name, right, wrong in (
            ("sensitivity", one.true_positive, one.false_negative),
            ("specificity", one.true_negative, one.false_positive),
            ("precision", one.right, one.wrong),
        ):
            if not right + wrong:
                continue
            low, high = clopper_pearson(right, right + wrong, 0.025)
            rate = right / (right + wrong)
            print(f"    {name} {rate:.3f} [{low:.3f}, {high:.3f}]  ({right} of {right + wrong})")
        print(f"    {one.source}")
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    import asyncio

    from buttress.errors import InputError
    from buttress.judges.calibrate import measure, write
    from buttress.judges.labels import read_labels

    if options.threshold is not None and not 0 <= options.threshold <= 1:
        raise InputError(
            f"{options.threshold:g} is no probability", field="--threshold", expected="0 to 1"
        )
    labelled = read_labels(options.labels)
    judge = _make(options)
    file = str(options.labels)
    results = asyncio.run(measure(judge, labelled, threshold=options.threshold, file=file))
    if options.out is not None:
        write(options.out, judge, results, options.labels.name)
    if options.json:
        import json

        tasks = {result.expect: result.to_json() for result in results}
        print(json.dumps({"judge": judge.id, "version": judge.version, "tasks": tasks}))
    else:
        _print(judge, results)
        if options.out is not None:
            print(f"\n{options.out} written; in the manifest: judge: {{calibration: FILE}}")
    return 0


def _print(judge: Judge, results: Sequence[Measured]) -> None:
    from rich.console import Console
    from rich.table import Table

    from buttress.judges.quality import f1, precision, recall

    for result in results:
        print(f"{judge.id} {judge.version}, expect {result.expect}")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("", "judge", "95 % interval", "substring"):
            table.add_column(column, no_wrap=True)
        counts, plain = result.counts, result.baseline
        rejected = plain.tn / max(1, plain.tn + plain.fp)
        for name, (rate, low, high), beside in (
            ("sensitivity", result.sensitivity, recall(plain)),
            ("specificity", result.specificity, rejected),
        ):
            table.add_row(name, f"{rate:.3f}", f"{low:.3f} – {high:.3f}", f"{beside:.3f}")
        table.add_row("precision", f"{precision(counts):.3f}", "", f"{precision(plain):.3f}")
        table.add_row("F1", f"{f1(counts):.3f}", "", f"{f1(plain):.3f}")
        table.add_row("AUC", f"{result.auc:.3f}", "", "")
        table.add_row("calibration error", f"{result.calibration_error:.3f}", "", "")
        Console().print(table)
        print(
            f"{counts.tp} tp, {counts.fn} fn, {counts.tn} tn, {counts.fp} fp; for a new model as "
            f"good as {result.effective.tp}, {result.effective.fn}, {result.effective.tn}, "
            f"{result.effective.fp}"
        )
        if result.unjudged:
            print(f"{result.unjudged} answers got no judgement and are left out")
