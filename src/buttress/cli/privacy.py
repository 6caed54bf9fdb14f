"""``buttress privacy``: what a model gives away of its training data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_AUDIT: Final = "audit"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "privacy",
        usage="buttress privacy audit SCORES.jsonl --delta D [--claimed E] [--json]",
        help="what a model gives away of its training data; audit of differential privacy",
        description="Measures what a model gives away of the data that it was trained on.",
        epilog="exit codes: 0 no leak was shown, 1 a leak was shown or a claim is refuted, 2 bad "
        "input, 3 undecided: the data or the canaries can't show it",
    )
    parser.add_argument(
        "what", nargs="+", metavar="PATH",
        help="`audit SCORES.jsonl`: a line {id, in, out} for each canary",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the document")
    audit = parser.add_argument_group("audit of differential privacy")
    audit.add_argument("--delta", type=float, metavar="D", help="δ of the claim")
    audit.add_argument("--claimed", type=float, metavar="E", help="ε that is claimed")
    audit.add_argument(
        "--confidence", type=float, default=0.95, metavar="P",
        help="probability with which the bound holds (default: 0.95)",
    )  # fmt: skip
    audit.add_argument(
        "--adjacency", choices=("replace", "add-remove"),
        help="what ε is about: replacing a record (default for pairs), or adding or removing one",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from buttress.errors import InputError

    if options.what[0] == _AUDIT:
        if len(options.what) != 2:
            raise InputError(
                f"{len(options.what) - 1} files", field="audit", expected="one file of scores"
            )
        return _audit(options, Path(options.what[1]))
    raise InputError(f"'{options.what[0]}'", field="PATH", expected="audit SCORES.jsonl")


def _audit(options: argparse.Namespace, path: Path) -> int:
    from buttress.errors import InputError
    from buttress.workflows.privacy_audit import audit_scores, exit_code

    if options.delta is None:
        raise InputError("missing", field="--delta", expected="δ of the claim, e.g. 1e-5")
    document = audit_scores(
        path, delta=options.delta, claimed=options.claimed, confidence=options.confidence,
        adjacency=options.adjacency,
    )  # fmt: skip
    if options.json:
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        _show_audit(document)
    return exit_code(document)


def _show_audit(document: Mapping[str, Any]) -> None:
    about = "replacing one" if document["adjacency"] == "replace" else "adding or removing one"
    what = "pairs of canaries" if document["paired"] else "canaries"
    print(
        f"{document['canaries']:,} {what}; {document['correct']:,} of {document['guesses']:,} "
        f"guesses are right."
    )
    print(
        f"ε is at least {document['epsilon_low']:.3g} at δ = {document['delta']:g} "
        f"({document['confidence']:.0%} confidence; {about} record). "
        f"So many canaries can show {document['largest']:.3g} at most."
    )
    claimed = document["claimed"]
    if document["outcome"] == "refuted":
        print(f"The claim of ε = {claimed:g} is refuted.")
    elif document["outcome"] == "not refuted":
        print(f"The claim of ε = {claimed:g} is not refuted. That does not prove it.")
    elif document["outcome"] == "undecided":
        print(f"Undecided: no audit with so many canaries can refute ε = {claimed:g}; take more.")
