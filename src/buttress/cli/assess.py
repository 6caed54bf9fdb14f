"""``buttress assess``: from a manifest to verdicts and a report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from buttress.cli.run_options import add_run

_EXIT = {"acceptable": 0, "unacceptable": 1, "undecided": 3}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "assess",
        help="assess a system: evidence, risk, verdict, report",
        description="Assesses the system that a manifest describes. Stops as soon as every risk "
        "is decided, or when the budget is spent.",
        epilog="exit codes: 0 all acceptable, 1 something unacceptable, 2 bad input, "
        "3 undecided within the budget",
    )
    parser.add_argument(
        "manifest", nargs="?", type=Path, default=Path(), metavar="MANIFEST",
        help="buttress.yaml or the folder that holds it (default: this folder)",
    )  # fmt: skip
    parser.add_argument("--budget", type=int, metavar="CALLS", help="questions asked at most")
    parser.add_argument(
        "--budget-tokens", type=int, metavar="N",
        help="tokens read and written at most, those of judge and attacker included",
    )  # fmt: skip
    parser.add_argument("--policy", metavar="NAME|FILE", help="default, strict, gbt45654 or a file")
    parser.add_argument(
        "--only",
        metavar="PROBE,…",
        action="append",
        help="run these probes only; `buttress probes` lists them",
    )
    add_run(parser, "the report and the evidence go")
    parser.add_argument(
        "--no-redaction", action="store_true",
        help="show personal data and secrets in the answers that the report quotes",
    )  # fmt: skip
    parser.add_argument(
        "--workers", choices=["ray"], metavar="ray",
        help="ask replicas of models that run here, on the Ray cluster at RAY_ADDRESS, else here",
    )  # fmt: skip
    parser.add_argument(
        "--replicas", type=int, metavar="N",
        help="replicas of each such model, with --workers ray (default: one for each GPU)",
    )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", help="print assessment.json instead of a summary"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Assess, write the results, print the summary."""
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.workflows import manifest
    from buttress.workflows.assessment.assess import (
        NO_MODEL,
        NothingAssessedError,
        Options,
        assess,
    )

    for name in ("budget", "budget_tokens"):
        value = getattr(options, name)
        if value is not None and value < 1:
            field = "--" + name.replace("_", "-")
            raise InputError(f"{value} is too small", field=field, expected="1 or more")
    if options.seed is not None and options.seed < 0:
        raise InputError(f"{options.seed} is negative", field="--seed", expected="0 or more")
    if options.replicas is not None and (options.replicas < 1 or options.workers is None):
        raise InputError(
            f"{options.replicas} is not usable", field="--replicas",
            expected="1 or more, beside --workers ray",
        )  # fmt: skip
    system = manifest.load(options.manifest)
    settings = Options(
        out=options.out,
        budget=options.budget,
        budget_tokens=options.budget_tokens,
        policy=options.policy,
        only=split(options.only) if options.only else None,
        resume=options.resume,
        seed=options.seed,
        redact=not options.no_redaction,
        workers=options.workers,
        replicas=options.replicas,
    )
    try:
        document = assess(system, settings, sys.stderr)
    except NothingAssessedError as error:
        print(f"buttress: undecided: {error}", file=sys.stderr)
        return _EXIT["undecided"]
    _show(document, options)
    code = exit_code(document)
    if code == 0 and not options.only and not _asked(document):
        print(f"buttress: undecided: {NO_MODEL}", file=sys.stderr)
        return _EXIT["undecided"]
    return code


def _asked(document: dict[str, Any]) -> bool:
    """Whether any risk rests on what a model answered."""
    return any(risk["kind"] == "trials" for risk in document["risks"])


def _show(document: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        sys.stdout.write((options.out / "assessment.json").read_text(encoding="utf-8"))
        return
    from rich.console import Console

    from buttress.report.terminal import summary

    summary(document, Console(), options.out)


def exit_code(document: dict[str, Any]) -> int:
    """1 if any risk is unacceptable, else 3 if any is undecided, else 0."""
    verdicts = {risk["verdict"] for risk in document["risks"]}
    worst = next((v for v in ("unacceptable", "undecided") if v in verdicts), "acceptable")
    return _EXIT[worst]
