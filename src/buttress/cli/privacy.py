"""``buttress privacy``: what a model gives away of its training data."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

_AUDIT: Final = "audit"
_METHODS: Final = (
    "membership, exposure, extraction, attributes, preferences (default: all with data), divergence"
)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "privacy",
        usage="buttress privacy WEIGHTS|MANIFEST|SCORES.jsonl [--members FILE]\n"
        "                        [--non-members FILE] [--canaries FILE] [options]\n"
        "       buttress privacy audit SCORES.jsonl --delta D [--claimed E] [--json]",
        help="what a model gives away of its training data; audit of differential privacy",
        description="Measures what a model gives away of the data that it was trained on: "
        "membership inference, exposure of canaries, extraction, divergence, attribute inference, "
        "membership of preference pairs. `audit` finds a lower bound on the ε of differential "
        "privacy.",
        epilog="exit codes: 0 no leak was shown, 1 a leak was shown or a claim is refuted, 2 bad "
        "input, 3 undecided: the data or the canaries can't show it",
    )
    parser.add_argument(
        "what", nargs="+", metavar="PATH",
        help="Hugging Face folder, manifest that names one, or file of token scores; or `audit` "
        "and a file with a line {id, in, out} for each canary",
    )  # fmt: skip
    parser.add_argument("--method", metavar="NAME,…", help=f"what to measure: {_METHODS}")
    parser.add_argument(
        "--members", type=Path, metavar="FILE",
        help="texts that the model was trained on, or preference pairs that it was aligned on",
    )  # fmt: skip
    parser.add_argument(
        "--non-members", type=Path, metavar="FILE", help="texts like these that it was not"
    )
    parser.add_argument(
        "--canaries", type=Path, metavar="FILE", help="canaries of `buttress data canaries`"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="WEIGHTS", help="a model that was not trained on them"
    )
    parser.add_argument(
        "--attributes", type=Path, metavar="FILE",
        help="records with a hidden attribute: lines with prefix, value, and suffix, attribute, "
        "candidates, member where there are such",
    )  # fmt: skip
    parser.add_argument("--field", default="", metavar="NAME", help="the field with the text")
    parser.add_argument(
        "--texts", type=int, default=300, metavar="N",
        help="most texts of each group, drawn at random (default: 300)",
    )  # fmt: skip
    parser.add_argument(
        "--references", type=int, default=1000, metavar="N",
        help="other secrets beside each canary (default: 1000)",
    )  # fmt: skip
    parser.add_argument(
        "--neighbours", type=int, default=4, metavar="N",
        help="changed texts beside each, for that attack; 0 leaves it out (default: 4)",
    )  # fmt: skip
    parser.add_argument(
        "--draws", type=int, default=64, metavar="N",
        help="answers to a word repeated without end, for divergence (default: 64)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="where scores and document go")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all draws")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda … (default: auto)")
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
    if len(options.what) != 1:
        raise InputError(f"{len(options.what)} paths", field="PATH", expected="one")
    for name in ("delta", "claimed", "adjacency"):
        if getattr(options, name) is not None:
            raise InputError(
                "belongs to audit",
                field=f"--{name}",
                expected="buttress privacy audit SCORES.jsonl",
            )
    return _measure(options, Path(options.what[0]))


def _measure(options: argparse.Namespace, path: Path) -> int:
    from buttress.errors import InputError
    from buttress.workflows.privacy import exit_code, measure_privacy
    from buttress.workflows.privacy_request import PrivacyRequest

    for name, least in (
        ("texts", 1),
        ("references", 1),
        ("neighbours", 0),
        ("draws", 1),
        ("seed", 0),
    ):
        if getattr(options, name) < least:
            raise InputError(
                f"{getattr(options, name)} is too small", field=f"--{name}",
                expected=f"{least} or more",
            )  # fmt: skip
    methods = [name.strip() for name in (options.method or "").split(",") if name.strip()]
    request = PrivacyRequest(
        path, methods, options.members, options.non_members, options.canaries, options.reference,
        field=options.field, most=options.texts, references=options.references,
        attributes=options.attributes, neighbour_count=options.neighbours, draws=options.draws,
        out=options.out, resume=options.resume,
        seed=options.seed, device=options.device,
    )  # fmt: skip
    document = measure_privacy(request, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        from buttress.report.privacy_terminal import show

        show(document)
    return exit_code(document)


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
        from buttress.report.privacy_terminal import show_audit

        show_audit(document)
    return exit_code(document)
