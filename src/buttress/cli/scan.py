"""``buttress scan``: inspects files and folders without a manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.cli.finding_options import add_known, fail_on
from buttress.files.visible import visible

if TYPE_CHECKING:
    from buttress.workflows.scan import ScanResult, ScanSettings

_SECRETS = frozenset({"secrets", "secrets-history"})
# What the beginning of a report says of its format, by the option that names its file.
_SIGNS: Final = {
    "sarif": (b"sarif",), "junit": (b"<testsuite",), "write_vex": (b"openvex", b"CycloneDX"),
}  # fmt: skip
_BEGIN: Final = 4_096
_FORMATS = ("text", "json", "sarif", "github")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "scan",
        help="inspect files: models, source, dependencies, infrastructure, secrets",
        description="Inspects files and folders with all inspection probes, without a manifest. "
        "Reads bytes only: nothing is loaded or run.",
        epilog="exit codes: 0 nothing as grave as --fail-on, 1 findings that are, 2 bad input, "
        "3 nothing was read",
    )
    parser.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="file or folder to inspect"
    )
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
        "--fail-on", type=fail_on, default=(None, False), metavar="SEVERITY[,skipped]",
        help="least severity that gives exit code 1: info, low, medium, high, critical or never "
        "(default: high; medium where only secrets are looked for); with `skipped`, files that "
        "were not searched whole give exit code 3",
    )  # fmt: skip
    add_known(group)
    group.add_argument(
        "--untrusted", action="store_true",
        help="the PATHs are somebody else's: no comment in them and no file of suppressions "
        "has an effect",
    )  # fmt: skip
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
        "--verbose", action="store_true",
        help="every finding with its proof and remedy, and all that was not read",
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    group.add_argument("--sarif", type=_path, metavar="FILE", help="write SARIF 2.1.0 as well")
    group.add_argument("--junit", type=_path, metavar="FILE", help="write JUnit XML as well")
    group.add_argument(
        "--write-vex", type=_path, metavar="FILE",
        help="write what was suppressed: CycloneDX if named *.cdx.json or bom.json, else OpenVEX",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Scan, write files, print."""
    from buttress.workflows.scan import make_known, scan

    _check_places(options)
    result = scan(_settings(options))
    if options.write_baseline is not None:
        result = make_known(result, options.write_baseline)
    _write(options, result)
    _print(options, result)
    for path in result.unread:
        print(
            f"{path}: no file of a kind that these probes read, so nothing is proved "
            f"(exit code {result.code})",
            file=sys.stderr,
        )
    if result.settings.fail_on_skipped:
        for note in result.not_searched:
            print(f"not searched: {visible(note)}", file=sys.stderr)
    return result.code


def _settings(options: argparse.Namespace) -> ScanSettings:
    from buttress.cli.names import split
    from buttress.inspection.options import parse
    from buttress.inspection.scope import ScanRequest
    from buttress.workflows.scan import ScanSettings

    named = [f"osv={options.osv}"] if options.osv is not None else []
    only = None if options.only is None else split(options.only)
    also = split(options.also)
    also += ["secrets-history"] if options.history else []
    also += ["weight-integrity"] if options.integrity else []
    least, skipped = options.fail_on
    return ScanSettings(
        paths=options.paths,
        request=ScanRequest(
            options.within, tuple(options.exclude), options.gitignore, options.diff
        ),
        only=only and [*only, *also],
        also=also,
        options=parse([*options.set, *named]),
        jobs=options.jobs,
        diff_lines=options.diff_lines,
        fail_on=_default_fail_on(only) if least is None else least,
        fail_on_skipped=skipped,
        suppressions=options.ignore_file,
        suppress=not (options.no_ignore_file or options.untrusted),
        trusted=not options.untrusted,
        baseline=options.baseline,
        vex=options.vex,
    )


def _default_fail_on(only: Sequence[str] | None) -> str:
    """``high``; ``medium`` for secrets alone, since tokens of no known format are medium."""
    return "medium" if only and set(only) <= _SECRETS else "high"


def _path(text: str) -> Path:
    if not text:  # as of an unset variable: Path("") would be the current folder
        raise argparse.ArgumentTypeError("an empty text names no file; expected a file or folder")
    return Path(text)


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:4]) <= 256:
        raise argparse.ArgumentTypeError(f"'{text[:20]}': expected a number from 1 to 256")
    return int(text)


def _check_places(options: argparse.Namespace) -> None:
    """A report goes to a new file or in the place of an earlier one, never of a source file.

    Raises:
        InputError: another file lies there, or ``--within`` names no folder.
    """
    from buttress.errors import InputError

    if options.within is not None and options.within.is_file():
        raise InputError(
            "is a file", file=str(options.within), field="--within", expected="a folder"
        )
    for name, signs in _SIGNS.items():
        path: Path | None = getattr(options, name)
        if path is None or not path.is_file():
            continue
        with suppress(OSError), path.open("rb") as file:
            begin = file.read(_BEGIN)
            if begin and not any(sign in begin for sign in signs):
                raise InputError(
                    "holds something else than an earlier report", file=str(path),
                    field=f"--{name.replace('_', '-')}", expected="a new file, or such a report",
                )  # fmt: skip


def _write(options: argparse.Namespace, result: ScanResult) -> None:
    if options.sarif is not None:
        from buttress import extension
        from buttress.errors import InputError

        try:
            extension.load("reports", "sarif")(result.document(), options.sarif)
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(options.sarif), field="--sarif",
                expected="a new file",
            ) from None  # fmt: skip
    if options.junit is not None:
        from buttress.report import junit

        junit.write(result.filtered, result.inspections, result.fails, options.junit)
    if options.write_vex is not None:
        from buttress.report import vex_export

        vex_export.write(result.filtered.suppressed, options.write_vex)


def _print(options: argparse.Namespace, result: ScanResult) -> None:
    form = options.format or "text"
    filtered = result.filtered
    if form in ("json", "sarif"):
        import json

        made = result.document()
        if form == "sarif":
            from buttress.report.sarif import log

            made = log(made)
        print(json.dumps(made, indent=2, ensure_ascii=False))
    elif form == "github":
        from buttress.report.scan_terminal import summary
        from buttress.triage.annotations import commands

        for line in commands(filtered.counting, summary(filtered)):
            print(line)
    else:
        from buttress.report.scan_terminal import show

        show(filtered, result.inspections, verbose=options.verbose)
