"""``buttress judge label`` and ``buttress judge labels``: labels by people, and what they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buttress.labelling.estimate import LabelledRate
    from buttress.labelling.selection import Selection


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

    from buttress.errors import InputError
    from buttress.evidence.store import EvidenceStore, resolve
    from buttress.labelling.keys import open_keys
    from buttress.labelling.selection import select
    from buttress.labelling.session import Screen, Session

    for name, least in (("budget", 1), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise InputError(
                f"{value} is too small", field=f"--{name}", expected=f"{least} or more"
            )
    path = resolve(options.path)
    EvidenceStore.open(path, read_only=True).close()  # a wrong path must not make a new store
    stream = sys.stderr if options.json else sys.stdout
    size = shutil.get_terminal_size()

    def write(text: str) -> None:
        print(text, file=stream, flush=True)

    with EvidenceStore.open(path) as store:
        selection = select(store, run=options.run_id, probe=options.probe, asset=options.asset)
        session = Session(
            store,
            selection,
            open_keys(),
            Screen(write, size.columns, size.lines),
            labeller=options.labeller or _user(),
            seed=options.seed,
            budget=options.budget,
            show_judge=options.show_judge,
        )
        try:
            rate = session.run()
        except KeyboardInterrupt:  # as good a way to quit as any: all labels are kept
            rate = session.rate()
    _print(options, selection, rate, session.given)
    return 0


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in a container with a bare number
        return "unknown"


def _labels(options: argparse.Namespace) -> int:
    from buttress.evidence.store import EvidenceStore, resolve
    from buttress.labelling.estimate import rate_of
    from buttress.labelling.export import export
    from buttress.labelling.selection import select

    with EvidenceStore.open(resolve(options.path), read_only=True) as store:
        selection = select(store, run=options.run_id, probe=options.probe, asset=options.asset)
    sample = selection.sample()
    written = export(sample, options.export) if options.export is not None else None
    _print(options, selection, rate_of(sample), None)
    if written is not None and not options.json:
        print(f"{options.export}: {written} labels")
    return 0


def _print(
    options: argparse.Namespace, selection: Selection, rate: LabelledRate, given: int | None
) -> None:
    from buttress.labelling.summary import table

    if options.json:
        import json

        said = {"run": selection.run, "probe": selection.probe, "asset": selection.asset}
        more = {} if given is None else {"given": given}
        print(json.dumps(said | more | rate.to_json()))
        return
    print(f"\n{selection.probe} on {selection.asset}, run {selection.run or '(none)'}")
    print(table(rate))
