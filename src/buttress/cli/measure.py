"""``buttress measure``: one behaviour of one model, with its field's figures; no verdict."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.cli.run_options import add_run

if TYPE_CHECKING:
    from rich.table import Table


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "measure",
        help="measure one behaviour: rates, bias or calibration scores, robustness",
        description="Asks a number of a probe's questions and shows failure rates by language and "
        "category, the figures of its field (BBQ's bias scores, calibration error, a profile of "
        "moral foundations), and whether the result survives changed conditions. No verdict.",
    )
    parser.add_argument("probe", metavar="PROBE", help="see `buttress probes`")
    parser.add_argument(
        "manifest", nargs="?", type=Path, default=Path(), metavar="MANIFEST",
        help="buttress.yaml or the folder that holds it (default: this folder)",
    )  # fmt: skip
    parser.add_argument("--asset", metavar="ID", help="the model, where there are several")
    parser.add_argument(
        "--trials", type=int, default=200, metavar="N", help="number of questions (default: 200)"
    )
    parser.add_argument(
        "--conditions", action="append", metavar="NAME,…", default=[],
        help="ask again with: paraphrase, typos, temperature, system-prompt",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=float, default=0.1, metavar="RATE",
        help="failure rate at which verdicts are compared between conditions (default: 0.1)",
    )  # fmt: skip
    add_run(parser, "the evidence goes")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.workflows import manifest
    from buttress.workflows.assessment.measure import MeasureRequest, measure

    if options.trials < 1:
        raise InputError(f"{options.trials} is too small", field="--trials", expected="1 or more")
    if not 0 < options.limit < 1:
        raise InputError(f"{options.limit:g} is no rate", field="--limit", expected="0 to 1")
    request = MeasureRequest(
        probe=options.probe,
        out=options.out,
        trials=options.trials,
        asset=options.asset,
        conditions=tuple(split(options.conditions)),
        limit=options.limit,
        seed=options.seed,
        resume=options.resume,
    )
    document = measure(manifest.load(options.manifest), request, sys.stderr)
    if options.json:
        import json

        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(document)
    return 0


def _show(document: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console()
    console.print(f"[bold]{document['title']}[/] ({document['probe']}) · {document['asset']}")
    if not document["exact"]:
        console.print("Outcomes are the judge's, not corrected for its errors.", style="dim")
    table = _table("failures", "trials", "rate", "95 % interval")
    _rate_row(table, "all", document["failures"])
    for group in ("by_language", "by_category"):
        for name, rate in document[group].items():
            _rate_row(table, name, rate)
    console.print(table)
    if document["figures"]:
        console.print(_figures(document["figures"]))
    rows = [(one["condition"], one) for one in document["conditions"]]
    if both := document["languages"]:
        rows.append((f"{both['second']} instead of {both['first']}", both["compared"]))
    if rows:
        table = _table("asked with", "pairs", "worse", "better", "rate changes by", "verdict")
        for name, one in rows:
            change = f"{one['difference']:+.1%} ({one['low']:+.1%} to {one['high']:+.1%})"
            said = {True: "the same", False: f"{one['first']} → {one['second']}", None: "open"}
            table.add_row(
                name, str(one["pairs"]), str(one["worse"]), str(one["better"]), change,
                said[one["survives"]],
            )  # fmt: skip
        console.print(table)


def _figures(figures: Sequence[Mapping[str, Any]]) -> Table:
    """A line for each group, a column for each figure."""
    names = list(dict.fromkeys(one["name"] for one in figures))
    table = _table("", "trials", *names)
    for group in dict.fromkeys(one["group"] for one in figures):
        mine = {one["name"]: one for one in figures if one["group"] == group}
        trials = max(one["trials"] for one in mine.values())
        table.add_row(group or "all", str(trials), *(_value(mine.get(name)) for name in names))
    return table


def _value(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return ""
    if figure["value"] is None:
        return "–"
    text = f"{figure['value']:.3f}"
    if figure["low"] is not None:
        text += f" ({figure['low']:.2f} to {figure['high']:.2f})"
    return text


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    return table


def _rate_row(table: Table, name: str, rate: Mapping[str, Any]) -> None:
    span = f"{rate['low']:.1%} to {rate['high']:.1%}"
    table.add_row(name, str(rate["trials"]), f"{rate['estimate']:.1%}", span)
