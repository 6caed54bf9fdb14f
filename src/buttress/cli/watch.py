"""``buttress watch``: what is exposed is checked again and again; what changed is told once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.files.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buttress.evidence.records import MonitoringEvent
    from buttress.workflows.watch.round import RoundResult

_SEVERITIES = ("info", "low", "medium", "high", "critical", "never")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its own commands."""
    parser = commands.add_parser(
        "watch",
        help="check what is exposed again and again, and tell each change once",
        description="Compares hosts, pages, interfaces, certificates, builds of clients and the "
        "answers of models with their reference. The first check is the reference.",
    )
    own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    once = own.add_parser(
        "once", help="check everything once",
        description="Checks everything once. Run it from a timer, or use `buttress watch run`.",
        epilog="exit codes: 0 nothing new, 1 an event as grave as --fail-on, 2 bad input, "
        "3 not all was seen",
    )  # fmt: skip
    _common(once)
    _fail_on(once)
    once.add_argument("--json", action="store_true", help="the events as JSON")
    once.set_defaults(run=run_once)
    loop = own.add_parser(
        "run", help="check on schedule until stopped",
        description="Checks on schedule, with jitter, until SIGTERM or Ctrl-C. What was told is "
        "kept at once: a killed watch goes on where it was.",
    )  # fmt: skip
    _common(loop)
    loop.set_defaults(run=run_loop)
    listing = own.add_parser(
        "list", help="what is watched, and where it stands",
        description="Lists what is watched: when it was checked last, whether it is seen, and its "
        "open events.",
    )  # fmt: skip
    _common(listing)
    listing.add_argument("--json", action="store_true", help="machine-readable output")
    listing.set_defaults(run=run_list)
    history = own.add_parser(
        "history", help="all events, with the risks that they moved",
        description="Tells all events, oldest first, with the risks that they moved.",
    )  # fmt: skip
    _common(history)
    history.add_argument("--json", action="store_true", help="the document buttress-watch/1")
    history.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    history.add_argument(
        "--language", default="en", metavar="CODE", help="language of the page: en or zh"
    )
    history.add_argument("--open", action="store_true", help="only events that are open")
    history.set_defaults(run=run_history)
    accepting = own.add_parser(
        "accept", help="make a change the new reference",
        description="Makes what events told the new reference. That is a decision of yours: "
        "Buttress does not judge a change safe.",
    )  # fmt: skip
    accepting.add_argument(
        "events", nargs="*", type=_number, metavar="EVENT", help="number of the event"
    )
    accepting.add_argument("--all", action="store_true", help="every open event")
    accepting.add_argument("--by", default="", metavar="NAME", help="who accepts, for the record")
    _common(accepting, positional=False)
    accepting.set_defaults(run=run_accept)
    figures = own.add_parser(
        "metrics", help="figures for Prometheus",
        description="Prints the figures in the text format of Prometheus, for its textfile "
        "collector or a web server.",
    )  # fmt: skip
    _common(figures)
    figures.set_defaults(run=run_metrics)


def _common(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    about = "watch.yaml, a manifest with a section watch, or a folder (default: this folder)"
    if positional:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=about)
    else:
        parser.add_argument("--file", type=Path, metavar="FILE", help=about)
    parser.add_argument(
        "--out", type=Path, default=Path("buttress-watch"), metavar="DIR",
        help="where references and events are kept (default: buttress-watch)",
    )  # fmt: skip


def _fail_on(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fail-on", choices=_SEVERITIES, metavar="SEVERITY",
        help="least severity that gives exit code 1: info, low, medium, high, critical or never "
        "(default: that of the file, else medium)",
    )  # fmt: skip


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) >= 1:
        raise argparse.ArgumentTypeError("expected the number of an event")
    return int(text[:9])


def run_once(options: argparse.Namespace) -> int:
    """One round."""
    from buttress.workflows.watch.round import check_once
    from buttress.workflows.watch.settings import load

    settings = load(options.file)
    result = check_once(settings, options.out)
    if options.json:
        import json

        from buttress.workflows.watch.notify import payload

        made = payload(settings.name, result.events) | {"blind": result.blind}
        print(json.dumps(made, indent=2, ensure_ascii=False))
        _tell_problems(result)
    else:
        _show_round(result)
    return result.code(options.fail_on or settings.fail_on)


def run_loop(options: argparse.Namespace) -> int:
    """Round after round."""
    from buttress.workflows.watch.loop import run_rounds
    from buttress.workflows.watch.settings import load

    settings = load(options.file)

    def failed(why: str) -> None:
        print(visible(f"this check failed: {why}"), file=sys.stderr, flush=True)

    count = len(settings.assets)
    many = "1 asset" if count == 1 else f"{count} assets"
    try:
        print(f"watching {many}, about every {settings.every:g} s", flush=True)
        run_rounds(settings, options.out, _show_round, failed)
    except KeyboardInterrupt:  # Ctrl-C, or SIGTERM as TerminatedError
        print("stopped; what was told is kept", file=sys.stderr)
    return 0


def run_list(options: argparse.Namespace) -> int:
    """The inventory."""
    from buttress.workflows.watch.history import inventory, read_state
    from buttress.workflows.watch.settings import load

    settings = load(options.file)
    rows = inventory(settings, read_state(options.out))
    if options.json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        facts = sum(one["facts"] for one in row["places"])
        said = [f"checked {_when(row['checked'])}" if row["checked"] else "not checked yet"]
        if facts:
            said.append(f"{facts} facts in {len(row['places'])} places")
        said += [
            f"{one['stream']}: {one['phase']}, reference of {one['reference']}, "
            f"{one['outcomes']} outcomes since"
            for one in row["streams"]
        ]
        if row["blind"]:
            said.append(f"not seen since {_when(row['blind_since'])}: {row['blind']}")
        if row["open"]:
            said.append("open events " + ", ".join(map(str, row["open"])))
        print(visible(f"{row['kind']} {row['asset']}: {'; '.join(said)}"))
    return 0


def run_history(options: argparse.Namespace) -> int:
    """The events."""
    from buttress.workflows.watch.history import history_document, read_state
    from buttress.workflows.watch.settings import load

    made = history_document(load(options.file), read_state(options.out))
    if options.open:
        made["events"] = [one for one in made["events"] if one["open"]]
    if options.html is not None:
        from buttress.files.atomic import write_whole
        from buttress.report.watch_page import render

        write_whole(options.html, render(made, options.language).encode(), "--html")
    if options.json:
        import json

        print(json.dumps(made, indent=2, ensure_ascii=False))
        return 0
    for one in made["events"]:
        print(visible(_line(one)))
        for risk in one["details"].get("risks", ()):
            if risk["loss_before"] != risk["loss_after"]:
                print(visible(f"     {_moved(risk)}"))
    if not made["events"]:
        print("no event yet")
    return 0


def run_accept(options: argparse.Namespace) -> int:
    """Accept events."""
    from buttress.errors import InputError
    from buttress.workflows.watch.accept import accept
    from buttress.workflows.watch.settings import load

    if bool(options.events) == options.all:
        raise InputError(
            "which events?", field="EVENT", expected="numbers of events, or --all, and not both"
        )
    settings = load(options.file)
    numbers = None if options.all else options.events
    told = accept(settings, options.out, numbers, by=options.by)
    for one in told:
        print(visible(one.message))
    if not told:
        print("no event is open")
    return 0


def run_metrics(options: argparse.Namespace) -> int:
    """The figures."""
    from buttress.workflows.watch.history import metrics, read_state
    from buttress.workflows.watch.settings import load

    settings = load(options.file)
    print(metrics(settings, read_state(options.out)), end="")
    return 0


def _show_round(result: RoundResult) -> None:
    for one in result.begun:
        print(visible(f"{one}: this is the reference"))
    _show_events(result.events)
    for asset, why in result.blind.items():
        print(visible(f"{asset}: not all is seen: {why}"), file=sys.stderr)
    _tell_problems(result)
    if not result.events and not result.begun and not result.blind:
        count = len(result.checked)
        print(f"nothing new in {count} asset{'s' * (count != 1)}")
    sys.stdout.flush()


def _show_events(events: Sequence[MonitoringEvent]) -> None:
    from buttress.workflows.watch.notify import event_row

    for one in events:
        print(visible(_line(event_row(one))))


def _tell_problems(result: RoundResult) -> None:
    for one in result.problems:
        print(visible(f"not delivered: {one}"), file=sys.stderr)


def _line(one: dict[str, Any]) -> str:
    about = f" (event {one['about']})" if one["about"] else ""
    mark = " [open]" if one.get("open") else ""
    return (
        f"{one['number']}. {_when(one['time'])} {one['severity']} {one['kind']}{about} "
        f"{one['asset']}: {one['message']}{mark}"
    )


def _moved(risk: dict[str, Any]) -> str:
    return (
        f"{risk['title']}: {risk['barrier']}: {risk['state_before']} → {risk['state_after']}; "
        f"{risk['loss_before']:,.0f} → {risk['loss_after']:,.0f} {risk['unit']} a year"
    )


def _when(seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"
