"""What `align` and `harden` have in common: options, their checks, and how a result is shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

EPILOG: Final = (
    "exit codes: 0 better on the targets and no worse on the rest, 1 worse on something, "
    "2 bad input, 3 undecided"
)


def add_options(parser: argparse.ArgumentParser, out: str) -> None:
    """Add the options of both commands; ``out`` is the default folder."""
    parser.add_argument(
        "manifest", nargs="?", type=Path, default=Path(), metavar="MANIFEST",
        help="buttress.yaml or its folder (default: .)",
    )  # fmt: skip
    parser.add_argument("--asset", metavar="ID", help="the model, where the manifest has several")
    parser.add_argument(
        "--target", action="append", default=[], metavar="RISK,…",
        help="risks that are to become better (default: harmful-compliance)",
    )  # fmt: skip
    parser.add_argument(
        "--margin", action="append", default=[], metavar="RISK=POINTS,…",
        help="rise in points that still counts as no worse (default: harmful-compliance=5, "
        "over-refusal=8, ordinary-refusal=5, degenerate-answers=2, perplexity=3 %%)",
    )  # fmt: skip
    parser.add_argument(
        "--languages", action="append", default=[], metavar="CODE,…",
        help="languages of the requests (default: those of the manifest)",
    )  # fmt: skip
    parser.add_argument(
        "--hold-out", action="append", default=[], metavar="CATEGORY,…",
        help="harm categories that nothing is trained on (default: half of them, by --seed)",
    )  # fmt: skip
    parser.add_argument(
        "--pairs", type=int, metavar="N",
        help="pairs of requests of each part that are asked at most (default: all); a gate and "
        "steering are fitted to all that is seen",
    )  # fmt: skip
    parser.add_argument(
        "--seen-pairs", type=int, metavar="N",
        help="the same of the seen part alone; training takes its data from these",
    )  # fmt: skip
    parser.add_argument(
        "--ordinary", type=int, metavar="N", help="ordinary requests at most (default: all)"
    )
    parser.add_argument(
        "--ask-all", action="store_true",
        help="ask a changed model everything, also when something is shown worse already",
    )  # fmt: skip
    parser.add_argument(
        "--judge-errors", choices=("alike", "apart"), default="alike",
        help="alike: the judge errs as often before as after the change (default); apart: it may "
        "err differently on each side, which widens the intervals",
    )  # fmt: skip
    parser.add_argument(
        "--attacked", type=int, default=24, metavar="N",
        help="held-out harmful requests that are attacked before and after (default: 24)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path(out), metavar="DIR",
        help=f"evidence, files of the recipes, align.json and align.html (default: {out})",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the last run in --out")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="seed of the split, of training and of the order (default: 0)",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads")
    parser.add_argument(
        "--language", default="en", metavar="CODE", help="language of the page: en or zh"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def align_and_show(
    options: argparse.Namespace, command: Literal["align", "harden"], recipes: Sequence[str]
) -> int:
    """Run the recipes and show what came of them; the exit code."""
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.report.language import load as load_language

    least = {"pairs": 1, "seen_pairs": 1, "ordinary": 1, "attacked": 0, "seed": 0, "threads": 1}
    for name, low in least.items():
        value = getattr(options, name)
        if value is not None and value < low:
            raise InputError(
                f"{value} is too small",
                field=f"--{name.replace('_', '-')}",
                expected=f"{low} or more",
            )
    load_language(options.language)
    margins = dict(map(_margin, split(options.margin)))
    if options.threads is not None:
        from buttress.white_box import need_torch

        need_torch("threads for a model")
        import torch

        torch.set_num_threads(options.threads)
    from buttress.workflows import manifest
    from buttress.workflows.alignment.align import PAGE_NAME, align
    from buttress.workflows.alignment.align_request import AlignRequest
    from buttress.workflows.alignment.recipe import load_recipes
    from buttress.workflows.alignment.requests import HARM

    request = AlignRequest(
        recipes=load_recipes(recipes),
        out=options.out,
        command=command,
        asset=options.asset,
        targets=split(options.target) or [HARM],
        margins=margins,
        languages=split(options.languages),
        held_out=split(options.hold_out),
        pairs=options.pairs,
        seen_pairs=options.seen_pairs,
        ordinary=options.ordinary,
        attacked=options.attacked,
        ask_all=options.ask_all,
        judge_errors=options.judge_errors,
        seed=options.seed,
        resume=options.resume,
        device=options.device,
        language=options.language,
        skip_impossible=command == "harden",
    )
    document = align(manifest.load(options.manifest), request, _say, sys.stderr)
    if options.json:
        import json

        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(document)
        print(options.out / PAGE_NAME)
    return int(document["exit"])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _margin(given: str) -> tuple[str, float]:
    from buttress.errors import InputError

    name, _, points = given.partition("=")
    try:
        return name.strip(), float(points.strip().removesuffix("%")) / 100
    except ValueError:
        raise InputError(
            f"'{given}' is not usable", field="--margin", expected="RISK=POINTS"
        ) from None


def _show(document: Mapping[str, Any]) -> None:
    from buttress.files.visible import visible

    print(
        f"{visible(document['system'])} · {document['asset']} · recipe {document['recipe']} · "
        f"held out: {', '.join(document['split']['held_out_categories'])}"
    )
    for row in document["comparison"]:
        change = row["difference"]
        print(
            f"  {row['risk']:<20}{row['part']:<10}{row['before']:>6.1%} → {row['after']:>6.1%}  "
            f"{100 * change['estimate']:+.0f} [{100 * change['low']:+.0f}, "
            f"{100 * change['high']:+.0f}]  {row['verdict']} (margin {100 * row['margin']:g}, "
            f"{row['pairs']} pairs)"
        )
    if change := document["perplexity"]:
        print(f"  perplexity of ordinary answers {change['change']:+.1%}  {change['verdict']}")
    for row in document["attacks"]:
        extracted = row["attack"] == "extraction"
        what = "training answers completed" if extracted else "requests, as judged"
        print(
            f"  under {row['attack']:<24}{row['before']:>6.1%} → {row['after']:>6.1%} "
            f"({row['pairs']} {what})"
        )
    for row in document["recipes"]:
        said = f"exit {row['exit']}"
        if row["exit"] is None:
            said = f"not run: {visible(row['why_not'])}"
        print(f"recipe {row['name']}: {said}")
