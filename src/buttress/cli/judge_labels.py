"""``buttress judge label`` and ``buttress judge labels``: labels by people, and what they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buttress.workflows.labelling import LabellingResult, TrialChoice


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both actions."""
    label = actions.add_parser(
        "label",
        help="label the answers that tighten the rate most, at the terminal",
        description="Shows judged answers of an evidence store one by one and keeps your labels "
        "in it. Answers whose outcome the judge is unsure of come up more often, and the estimate "
        "makes up for that. Quit at any time: the interval shown holds at all times.",
    )
    _where(label)
    label.add_argument("--budget", type=int, metavar="N", help="stop after N labels")
    label.add_argument("--labeller", metavar="NAME", help="who labels (default: the user's name)")
    label.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the draws (default: 0)"
    )
    label.add_argument(
        "--show-judge", action="store_true",
        help="show the judge's verdict before you label; it will sway you",
    )  # fmt: skip
    label.set_defaults(run=_label)

    labels = actions.add_parser(
        "labels",
        help="print what the labels in a store say",
        description="Print what the labels in a store say.",
    )
    _where(labels)
    labels.add_argument(
        "--export", type=Path, metavar="FILE.jsonl",
        help="write them in the form that `judge calibrate` reads",
    )  # fmt: skip
    labels.set_defaults(run=_labels)


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", type=Path, metavar="EVIDENCE", help="evidence store, or the folder that holds it"
    )
    parser.add_argument(
        "--run", metavar="ID", dest="run_id", help="run in the store (default: the newest)"
    )
    parser.add_argument("--probe", metavar="NAME", help="probe, where a run has several")
    parser.add_argument("--asset", metavar="ID", help="asset, where a run has several")
    parser.add_argument("--json", action="store_true", help="machine-readable summary")


def _label(options: argparse.Namespace) -> int:
    import shutil
    import sys

    from buttress.labelling.keys import open_keys
    from buttress.labelling.screen import Screen
    from buttress.workflows.labelling import label

    stream = sys.stderr if options.json else sys.stdout
    size = shutil.get_terminal_size()

    def write(text: str) -> None:
        print(text, file=stream, flush=True)

    summary = label(
        options.path,
        _choice(options),
        open_keys(),
        Screen(write, size.columns, size.lines),
        labeller=options.labeller or user_name(),
        seed=options.seed,
        budget=options.budget,
        show_judge=options.show_judge,
    )
    _print(summary, as_json=options.json)
    return 0


def user_name() -> str:
    """Who is logged in, or ``unknown``."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in a container with a bare number
        return "unknown"


def _labels(options: argparse.Namespace) -> int:
    from buttress.workflows.labelling import labels

    summary = labels(options.path, _choice(options), to=options.export)
    _print(summary, as_json=options.json)
    if summary.exported is not None and not options.json:
        print(f"{options.export}: {summary.exported} labels")
    return 0


def _choice(options: argparse.Namespace) -> TrialChoice:
    from buttress.workflows.labelling import TrialChoice

    return TrialChoice(options.run_id, options.probe, options.asset)


def _print(summary: LabellingResult, *, as_json: bool) -> None:
    from buttress.labelling.summary import table

    if as_json:
        import json

        print(json.dumps(summary.document()))
        return
    chosen = summary.selection
    print(f"\n{chosen.probe} on {chosen.asset}, run {chosen.run or '(none)'}")
    print(table(summary.rate))
