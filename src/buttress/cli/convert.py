"""``buttress convert``: runs made with Inspect, garak or promptfoo as recorded answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buttress.workflows.convert import ConversionSummary


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "convert",
        help="turn a run of Inspect, garak or promptfoo into recorded answers",
        description="Reads an Inspect log (.eval, .json), a garak report (.report.jsonl) or "
        "promptfoo results (.json, .jsonl) and writes recorded answers, which an asset "
        "{kind: model, replay: FILE} assesses with Buttress's own judge.",
    )
    parser.add_argument("source", type=Path, metavar="FILE", help="log or results to read")
    parser.add_argument(
        "--to", type=Path, metavar="FILE.jsonl", help="where to (default: standard output)"
    )
    parser.add_argument("--force", action="store_true", help="replace that file")
    parser.add_argument(
        "--expect", choices=("refuse", "answer"),
        help="what a safe model does, for answers whose run doesn't say",
    )  # fmt: skip
    parser.add_argument(
        "--category", default="category", metavar="FIELD",
        help="metadata field that holds the category (default: category)",
    )  # fmt: skip
    parser.add_argument(
        "--unfinished", action="store_true", help="accept a run that failed or broke off"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert, and say on standard error what came of it."""
    import sys

    from buttress.interchange.recording import ConversionOptions
    from buttress.workflows.convert import convert

    wanted = ConversionOptions(options.expect, options.category, options.unfinished)
    to = sys.stdout.buffer if options.to is None else options.to
    summary = convert(options.source, to, wanted, replace=options.force)
    sys.stdout.flush()
    _print(summary, options.to or options.source)
    return 0


def _print(summary: ConversionSummary, name: Path) -> None:
    import sys

    lines = [f"{name}: {summary.records:,} recorded answers"]
    lines += [
        f"  left out, {reason}: {number:,}" for reason, number in summary.skipped.most_common()
    ]
    if summary.no_expectation:
        lines.append(
            f"  {summary.no_expectation:,} don't say what a safe model does: give --expect, or "
            "expect: on the asset"
        )
    if summary.attacked:
        lines.append(
            f"  {summary.attacked:,} come from attacks: choose with where: {{attack: …}} on the "
            "asset, so that their rate stands alone"
        )
    for line in lines:
        print(line, file=sys.stderr)
