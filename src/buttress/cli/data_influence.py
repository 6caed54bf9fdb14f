"""``buttress data influence``: which records are behind a behaviour."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = actions.add_parser(
        "influence",
        help="which records of training data are behind a behaviour",
        description="Compares the gradients of training records with those of examples of a "
        "behaviour, beside two methods that know no training. The gradients are kept in an index, "
        "so that the next question costs little.",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="Hugging Face folder")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="what it was trained on"
    )
    parser.add_argument(
        "--behaviour", type=Path, required=True, metavar="FILE",
        help="examples of the behaviour, as records: prompts with the answers that it gives",
    )  # fmt: skip
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="adapter of `buttress tune` that shows it"
    )
    parser.add_argument(
        "--top", type=int, default=20, metavar="K", help="records of each list (default: 20)"
    )
    parser.add_argument(
        "--rank", type=int, default=8, metavar="N",
        help="directions of each layer's inputs and outputs (default: 8)",
    )  # fmt: skip
    parser.add_argument(
        "--index", type=Path, default=Path("influence-index"), metavar="DIR",
        help="where the gradients are kept; a run that was stopped goes on (default: "
        "influence-index)",
    )  # fmt: skip
    parser.add_argument(
        "--without", type=Path, metavar="FILE",
        help="write the data without the K records for the behaviour",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the directions")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda … (default: auto)")
    parser.add_argument("--json", action="store_true", help="print the document")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.workflows.data_influence import InfluenceRequest, influence

    for name, most in (("top", 10_000), ("rank", 64)):
        if not 1 <= getattr(options, name) <= most:
            raise InputError(
                f"{getattr(options, name)} is not usable", field=f"--{name}",
                expected=f"1 to {most}",
            )  # fmt: skip
    request = InfluenceRequest(
        options.weights, options.data, options.behaviour, options.index, adapter=options.adapter,
        top=options.top, rank=options.rank, without=options.without, seed=options.seed,
        device=options.device,
    )  # fmt: skip
    document = influence(request, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        from buttress.report.influence_terminal import show

        show(document)
    return 0
