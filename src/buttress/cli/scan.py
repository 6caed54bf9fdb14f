"""``buttress scan``: inspects files and folders without a manifest."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from buttress.evidence.records import Finding, Inspection
    from buttress.probes.base import InspectionProbe

_NOTES = 5  # of each inspection, about what was not read
_STYLE = {
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "blue", "info": "dim",
}  # fmt: skip
_FAIL_ON = ("info", "low", "medium", "high", "critical", "never")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "scan",
        help="inspect files: model files, secrets",
        description="Inspects files and folders with all inspection probes, without a manifest. "
        "Reads bytes only: nothing is loaded or run.",
        epilog="exit codes: 0 nothing as grave as --fail-on, 1 findings that are, 2 bad input",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="print all as JSON instead of a table")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="write SARIF 2.1.0 as well")
    parser.add_argument(
        "--fail-on", choices=_FAIL_ON, default="high", metavar="SEVERITY",
        help="least severity that gives exit code 1: info, low, medium, high, critical or never "
        "(default: high)",
    )  # fmt: skip
    parser.add_argument(
        "--only",
        metavar="PROBE,…",
        action="append",
        help="run these probes only; `buttress probes` lists them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Inspect, print, write SARIF."""
    import time
    import uuid

    from buttress.assessment.inspection import inspect_path
    from buttress.evidence.records import SEVERITIES, Finding, Inspection

    paths = _paths(options.paths)
    probes = _probes(options.only)
    identifier, began = uuid.uuid4().hex[:12], time.time()
    records = [
        record
        for path in paths
        for probe in probes
        for record in inspect_path(probe, path.as_posix(), path, identifier)
    ]
    inspections = [one for one in records if isinstance(one, Inspection)]
    findings = sorted(
        (one for one in records if isinstance(one, Finding)),
        key=lambda one: (-SEVERITIES.index(one.severity), one.asset, one.location),
    )
    document = _document(identifier, began, paths, findings, inspections)
    if options.sarif is not None:
        _write_sarif(document, options.sarif)
    if options.json:
        import json

        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(findings, inspections)
    if options.fail_on == "never":
        return 0
    least = SEVERITIES.index(options.fail_on)
    return int(any(SEVERITIES.index(one.severity) >= least for one in findings))


def _paths(given: Sequence[Path]) -> list[Path]:
    from buttress.errors import InputError

    for path in given:
        try:
            path.stat()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InputError(why, file=str(path), expected="a file or a folder") from None
    return list({path.resolve(): path for path in reversed(given)}.values())[::-1]


def _probes(only: Sequence[str] | None) -> list[InspectionProbe]:
    """The inspection probes, or those of them that are named."""
    from buttress import extension
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.probes.base import InspectionProbe

    names = list(extension.names("probes")) if only is None else split(only)
    loaded = {name: extension.load("probes", name) for name in names}
    chosen = {name: probe for name, probe in loaded.items() if isinstance(probe, InspectionProbe)}
    if only is not None and len(chosen) < len(loaded):
        wrong = next(name for name in loaded if name not in chosen)
        raise InputError(
            f"probe '{wrong}' asks a model and can't inspect files",
            field="--only",
            expected="probes that yield findings, see `buttress probes`",
        )
    if not chosen:
        raise InputError("no probe is named", field="--only", expected="PROBE,…")
    return list(chosen.values())


def _document(
    identifier: str,
    began: float,
    paths: Sequence[Path],
    findings: Sequence[Finding],
    inspections: Sequence[Inspection],
) -> dict[str, Any]:
    """What was found, in those fields of an assessment's document that a scan can fill."""
    import time
    from datetime import UTC, datetime

    from buttress import __version__

    def iso(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

    shared = ("rule", "severity", "asset", "location", "message", "remedy", "proof", "probe")
    return {
        "schema": "buttress-scan/1",
        "system": {
            "name": "scan",
            "assets": [{"id": path.as_posix(), "location": path.as_posix()} for path in paths],
        },
        "run": {
            "id": identifier,
            "started": iso(began),
            "finished": iso(time.time()),
            "versions": {"buttress": __version__},
        },
        "findings": [
            {name: getattr(one, name) for name in shared}
            | {"references": list(one.references), "risk": None}
            for one in findings
        ],
        "coverage": {
            "covered": [
                {
                    "probe": one.probe,
                    "asset": one.asset,
                    "trials": None,
                    "files": one.files,
                    "bytes": one.bytes,
                    "skipped": list(one.skipped),
                }
                for one in inspections
            ]
        },
    }


def _write_sarif(document: dict[str, Any], file: Path) -> None:
    from buttress import extension
    from buttress.errors import InputError

    try:
        extension.load("reports", "sarif")(document, file)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(file), field="--sarif", expected="a new file"
        ) from None


def _print(findings: Sequence[Finding], inspections: Sequence[Inspection]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for severity, group in _by_severity(findings):
        _print_group(console, severity, group)
    for one in inspections:
        for note in one.skipped[:_NOTES]:
            console.print(_text(f"not read by {one.probe}: {one.asset}: {note}", "dim"))
        if len(one.skipped) > _NOTES:
            more = len(one.skipped) - _NOTES
            console.print(_text(f"not read by {one.probe}: {more} more, see --json", "dim"))
    counts = ", ".join(f"{len(group)} {name}" for name, group in _by_severity(findings))
    console.print(_text(f"{counts or 'No findings'}."))
    for probe in dict.fromkeys(one.probe for one in inspections):
        own = [one for one in inspections if one.probe == probe]
        files, size = sum(one.files for one in own), sum(one.bytes for one in own)
        console.print(_text(f"{probe}: {files:,} files, {size / 1e6:,.1f} MB read"))


def _by_severity(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    from itertools import groupby

    return [(name, list(group)) for name, group in groupby(findings, lambda one: one.severity)]


def _print_group(console: Console, severity: str, findings: Sequence[Finding]) -> None:
    """The location on a line of its own, whole whatever its length, so that it can be copied."""
    from rich.padding import Padding

    console.print(_text(f"{severity} ({len(findings)})", _STYLE[severity]))
    told = set()
    for one in findings:
        console.print(_text(f"  {_join(one.asset, one.location)}", "bold"), soft_wrap=True)
        what = _text(f"{one.message}  [{one.rule}]")
        if one.proof:
            what.append(f"  {_text(one.proof)}", "dim")
        if one.remedy not in told:
            told.add(one.remedy)
            what.append(f"\n{_text(one.remedy)}", "italic")
        console.print(Padding(what, (0, 0, 0, 6)))
    console.print()


def _text(text: str, style: str = "") -> Text:
    """For the terminal: names of files can hold what steers it."""
    from rich.text import Text

    return Text(
        "".join(
            one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
        ),
        style=style,
    )


def _join(asset: str, location: str) -> str:
    """The location from where the command was called."""
    path = Path(asset)
    return (path if path.is_dir() else path.parent).joinpath(location).as_posix()
