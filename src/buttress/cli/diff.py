"""``buttress diff``: compares two assessments, for people and for CI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from buttress.report.comparison import Change, Comparison

_WIDE: Final = 110  # columns from which reasons have room beside the figures


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "diff",
        help="compare two assessments; exit 1 on a regression",
        description="Compares two assessments with their uncertainty. A regression is a failure "
        "rate that has risen by more than chance explains, or a new finding that the policy does "
        "not tolerate.",
        epilog="exit codes: 0 no regression shown, 1 regression, 2 bad input, "
        "3 no regression shown, but something assessed before is not now",
    )
    for name, what in (("before", "A"), ("after", "B")):
        parser.add_argument(
            name, type=Path, metavar=what, help="folder of an assessment, or its assessment.json"
        )
    parser.add_argument(
        "--alpha", type=float, metavar="P",
        help="probability at most of a false alarm by the test on rates (default: 0.05)",
    )  # fmt: skip
    parser.add_argument(
        "--paired", action="store_true",
        help="also pair the items asked on both sides, from the evidence.db beside the documents",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare and print."""
    from buttress.report.comparison import ALPHA
    from buttress.workflows.diff import diff

    alpha = ALPHA if options.alpha is None else options.alpha
    compared = diff(options.before, options.after, alpha=alpha, paired=options.paired)
    result = compared.comparison
    if options.json:
        from buttress.report.json import encode

        sys.stdout.write(encode(compared.document()).decode())
    else:
        _print(result)
    if result.regressions:
        return 1
    return 3 if result.lost_coverage else 0


def _print(result: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from buttress.files.visible import one_line

    console = Console()
    styles = {"regression": "bold red", "lost coverage": "bold red", "improvement": "cyan"}
    for warning in result.warnings:
        console.print(Text("Not comparable: ", "bold yellow").append(one_line(warning), "not bold"))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("Change", "Risk", "Before", "After"):
        table.add_column(
            name, overflow="fold", no_wrap=name != "Risk", min_width=18 if name == "Risk" else None
        )
    table.add_column("p", justify="right", no_wrap=True)
    wide = console.width >= _WIDE  # else reasons follow the table, a line for each
    if wide:
        table.add_column("Why", overflow="fold")
    for change in result.changes:
        where = Text(one_line(change.risk)).append(f"\n@ {one_line(change.asset)}", "dim")
        sides = [_side(side) for side in (change.before, change.after)]
        p = "–" if change.p_value is None else f"{change.p_value:.2g}"
        if change.p_value is not None and change.p_value < 0.0001:
            p = "<0.0001"
        why = [one_line(change.why)] if wide else []
        table.add_row(Text(change.kind, styles.get(change.kind, "")), where, *sides, p, *why)
    console.print(table)
    if not wide:
        for change in result.changes:
            if change.why:
                console.print(Text(f"{one_line(change.risk)}: {one_line(change.why)}", "dim"))
    for change in result.changes:
        if change.paired is not None:
            console.print(Text(_pairs(change), "dim"))
    for new in result.new:
        finding = new.finding
        state = "first look" if new.first_look else "tolerated" if new.tolerated else "new"
        text = Text(f"{state}: {finding['severity']} ", "bold red" if new.regression else "yellow")
        text.append(f"{one_line(finding['message'])} ", "default not bold")
        place = f"{one_line(finding['asset'])} › {one_line(finding['location'])}"
        text.append(place, "dim not bold")
        console.print(text)
    for finding in result.gone:
        place = f"{one_line(finding['asset'])} › {one_line(finding['location'])}"
        console.print(
            Text(f"gone: {finding['severity']} {one_line(finding['message'])} {place}", "cyan")
        )
    for name in result.lost:
        console.print(Text(f"lost coverage: {one_line(name)}", "bold red"))
    for name in result.gained:
        console.print(Text(f"newly covered: {one_line(name)}", "dim"))
    console.print(Text(result.conclusion, "bold"))


def _pairs(change: Change) -> str:
    from buttress.files.visible import one_line
    from buttress.report.numbers import plural

    found = change.paired
    assert found is not None
    where = f"{one_line(change.risk)} @ {one_line(change.asset)}"
    return (
        f"paired on {plural(found.pairs, 'item')}: {where}: {found.worse} worse, "
        f"{found.better} better; difference {100 * found.difference:+.1f} points "
        f"({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    )


def _side(state: Mapping[str, Any] | None) -> str:
    from buttress.report.numbers import span

    if state is None:
        return "–"
    if not state["trials"]:
        return str(state["verdict"])
    return f"{state['verdict']}\n{span(state['rate']['low'], state['rate']['high'])}"
