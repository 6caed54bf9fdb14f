"""``buttress scan``: inspects files and folders without a manifest."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from buttress.evidence.findings import Inspection
    from buttress.evidence.places import Placed
    from buttress.inspection.scope import Root
    from buttress.inspection.tasks import Task
    from buttress.packs.knowledge import Knowledge
    from buttress.protocols.probe import InspectionProbe
    from buttress.triage.baseline import Known
    from buttress.triage.sift import Sieve, Sifted
    from buttress.triage.suppressions import Suppression
    from buttress.triage.vex import Statements

_FAIL_ON = ("info", "low", "medium", "high", "critical", "never")
_FORMATS = ("text", "json", "sarif", "github")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "scan",
        help="inspect files: models, source, dependencies, infrastructure, secrets",
        description="Inspects files and folders with all inspection probes, without a manifest. "
        "Reads bytes only: nothing is loaded or run.",
        epilog="exit codes: 0 nothing as grave as --fail-on, 1 findings that are, 2 bad input",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    _what(parser.add_argument_group("what is read"))
    _which(parser.add_argument_group("which findings count"))
    _where(parser.add_argument_group("what is told"))
    parser.set_defaults(run=run)


def _what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--only",
        metavar="PROBE,…",
        action="append",
        help="run these probes only; `buttress probes` lists them",
    )
    group.add_argument(
        "--diff", metavar="REV",
        help="only files that changed since that revision of git, and untracked ones; "
        "`BRANCH...` means since HEAD left BRANCH",
    )  # fmt: skip
    group.add_argument(
        "--diff-lines", action="store_true", help="with --diff: only findings on changed lines"
    )
    group.add_argument(
        "--within", type=Path, metavar="DIR",
        help="look at the PATHs as parts of this folder (for hooks that name single files)",
    )  # fmt: skip
    group.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[],
        help="leave out paths like these (as in .gitignore)",
    )  # fmt: skip
    group.add_argument(
        "--gitignore", action="store_true",
        help="leave out what git ignores (default: read it, since things can hide there)",
    )  # fmt: skip
    group.add_argument(
        "--history", action="store_true", help="secrets in the history of git as well"
    )
    group.add_argument("--osv", metavar="PATH", help="advisories in the OSV format; see --set")
    group.add_argument(
        "--integrity", action="store_true",
        help="judge the numbers of weights too; --set reference=FOLDER compares them",
    )  # fmt: skip
    group.add_argument(
        "--also", metavar="PROBE,…", action="append", default=[],
        help="probes that run on request only, such as licences or model-signature",
    )  # fmt: skip
    group.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="an option of a probe"
    )
    group.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="processes to use (default: 1)"
    )


def _which(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fail-on", choices=_FAIL_ON, default="high", metavar="SEVERITY",
        help="least severity that gives exit code 1: info, low, medium, high, critical or never "
        "(default: high)",
    )  # fmt: skip
    group.add_argument(
        "--baseline", type=Path, metavar="FILE", help="findings in this file are known: don't count"
    )
    group.add_argument(
        "--write-baseline", type=Path, metavar="FILE", help="write all that counts as known"
    )
    group.add_argument(
        "--ignore-file", type=Path, metavar="FILE",
        help="suppressions (default: .buttress-ignore.yaml in the current folder)",
    )  # fmt: skip
    group.add_argument(
        "--no-ignore-file", action="store_true", help="suppress nothing, whatever that file says"
    )
    group.add_argument(
        "--vex", type=Path, metavar="FILE", action="append", default=[],
        help="statements about vulnerabilities: OpenVEX, CSAF or CycloneDX VEX",
    )  # fmt: skip


def _where(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format", choices=_FORMATS, metavar="FORMAT",
        help="on standard output: text, json, sarif, or github for annotations (default: text)",
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    group.add_argument("--sarif", type=Path, metavar="FILE", help="write SARIF 2.1.0 as well")
    group.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML as well")
    group.add_argument(
        "--write-vex", type=Path, metavar="FILE",
        help="write what was suppressed: CycloneDX if named *.cdx.json or bom.json, else OpenVEX",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Inspect, sift, print, write files."""
    import os
    import time

    from buttress.documents.scan import document
    from buttress.evidence.findings import SEVERITIES
    from buttress.files.tree import Tree
    from buttress.inspection.one_path import KEPT
    from buttress.inspection.tasks import Task
    from buttress.packs.installed import installed

    identifier, began = os.urandom(6).hex(), time.time()
    scope = _scope(options)
    probes, values = _probes(options)
    knowledge = installed()
    sieve = _sieve(options, knowledge)
    trees = [Tree(root.path, root.selection, keep=KEPT) for root in scope]
    tasks = [Task(probe, values, tree, knowledge, identifier) for tree in trees for probe in probes]
    sifted, inspections = _inspect(options, scope, tasks, sieve)
    if options.write_baseline is not None:
        sifted = _written(sifted, options.write_baseline)

    def fails(one: Placed) -> bool:
        return options.fail_on != "never" and (
            SEVERITIES.index(one.finding.severity) >= SEVERITIES.index(options.fail_on)
        )

    made = document(identifier, began, [one.path for one in scope], sifted, inspections)
    _write(options, made, sifted, inspections, fails)
    _print(options.format or "text", made, sifted, inspections)
    return int(any(map(fails, sifted.counting)))


def _jobs(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError("expected 1 to 256")
    return number


def _scope(options: argparse.Namespace) -> list[Root]:
    from buttress.errors import InputError
    from buttress.inspection.scope import Wish, roots

    if options.diff_lines and options.diff is None:
        raise InputError("needs --diff", field="--diff-lines", expected="--diff REV")
    wish = Wish(options.within, tuple(options.exclude), options.gitignore, options.diff)
    return roots(options.paths, wish)


def _probes(options: argparse.Namespace) -> tuple[dict[str, InspectionProbe], dict[str, str]]:
    from buttress.cli.names import split
    from buttress.inspection.options import parse
    from buttress.inspection.tasks import chosen

    named = [f"osv={options.osv}"] if options.osv is not None else []
    values = parse([*options.set, *named])
    only = None if options.only is None else split(options.only)
    also = split(options.also)
    also += ["secrets-history"] if options.history else []
    also += ["weight-integrity"] if options.integrity else []
    return chosen(only and [*only, *also], values, also), values


def _sieve(options: argparse.Namespace, knowledge: Knowledge) -> Sieve:
    """All that is held against findings, read before anything is scanned."""
    from buttress.files.paths import absolute
    from buttress.triage.sift import SUPPRESSIONS, Sieve

    file = None if options.no_ignore_file else options.ignore_file
    if file is None and not options.no_ignore_file and Path(SUPPRESSIONS).is_file():
        file = Path(SUPPRESSIONS)
    known = _known(options.baseline) if options.baseline is not None else None
    return Sieve(
        suppressions=_suppressions(file, knowledge) if file is not None else [],
        statements=_statements(options.vex) if options.vex else [],
        known=known,
        baseline_folder=absolute(options.baseline.parent) if known is not None else "/",
        roots=[absolute(path) for path in options.paths],
        complete=options.only is None and not _narrow(options),
    )


def _known(file: Path) -> Mapping[str, Known]:
    from buttress.triage import baseline

    return baseline.read(file)


def _statements(files: Sequence[Path]) -> list[tuple[Path, Statements]]:
    from buttress.triage import vex

    return [(path, vex.load(path)) for path in files]


def _suppressions(file: Path, knowledge: Knowledge) -> list[Suppression]:
    from buttress.inspection.known_rules import rule_ids
    from buttress.triage import suppressions

    entries = suppressions.load(file)
    known = rule_ids(_all_probes(), knowledge) if entries else None
    if known is not None:
        suppressions.check_rules(entries, known)
    return entries


def _all_probes() -> list[InspectionProbe]:
    """Whatever runs now: a suppression may be for a probe that --only leaves out."""
    from buttress import extension
    from buttress.inspection.tasks import chosen

    return list(chosen(None, {}, list(extension.names("inspections"))).values())


def _narrow(options: argparse.Namespace) -> bool:
    return bool(options.diff or options.within or options.exclude or options.gitignore)


def _inspect(
    options: argparse.Namespace,
    scope: list[Root],
    tasks: list[Task],
    sieve: Sieve,
) -> tuple[Sifted, list[Inspection]]:
    from datetime import UTC, datetime

    from buttress.evidence.findings import SEVERITIES
    from buttress.inspection.tasks import inspect_all

    by_path = {root.path: root for root in scope}

    def wanted(one: Placed, task: Task) -> bool:
        if not task.tree.selection.reads(one.path):
            return False
        return not options.diff_lines or by_path[task.path].on_new_line(one)

    seen = inspect_all(tasks, options.jobs, wanted)
    seen.found.sort(
        key=lambda one: (
            -SEVERITIES.index(one.finding.severity), one.finding.asset, one.finding.location,
        )
    )  # fmt: skip
    return sieve.sift(seen.found, seen.outside, datetime.now(UTC).date()), seen.inspections


def _written(sifted: Sifted, path: Path) -> Sifted:
    """What counted until now is known from now on."""
    from dataclasses import replace

    from buttress.triage import baseline

    every = [*sifted.counting, *sifted.known]
    baseline.write(every, path)
    return replace(sifted, counting=[], known=every)


def _write(
    options: argparse.Namespace,
    made: dict[str, Any],
    sifted: Sifted,
    inspections: list[Inspection],
    fails: Callable[[Placed], bool],
) -> None:
    if options.sarif is not None:
        from buttress import extension
        from buttress.errors import InputError

        try:
            extension.load("reports", "sarif")(made, options.sarif)
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(options.sarif), field="--sarif",
                expected="a new file",
            ) from None  # fmt: skip
    if options.junit is not None:
        from buttress.report import junit

        junit.write(sifted, inspections, fails, options.junit)
    if options.write_vex is not None:
        from buttress.report import vex_export

        vex_export.write(sifted.suppressed, options.write_vex)


def _print(form: str, made: dict[str, Any], sifted: Sifted, inspections: list[Inspection]) -> None:
    import json

    if form == "json":
        print(json.dumps(made, indent=2, ensure_ascii=False))
    elif form == "sarif":
        from buttress.report.sarif import log

        print(json.dumps(log(made), indent=2, ensure_ascii=False))
    elif form == "github":
        from buttress.report.scan_terminal import summary
        from buttress.triage.annotations import commands

        for line in commands(sifted.counting, summary(sifted)):
            print(line)
    else:
        from buttress.report.scan_terminal import show

        show(sifted, inspections)
