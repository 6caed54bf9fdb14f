"""``buttress explain``: why a model answers as it does, with what each figure is worth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

METHODS: Final = ("gradient-x-input", "integrated-gradients", "occlusion", "rollout")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "explain",
        help="why a model answers as it does: attributions with their faithfulness, layers",
        description="Attributes an answer to the words of its prompt by several methods, each "
        "with its faithfulness (deletion and insertion against random orders) and completeness, "
        "reads the layers by the logit lens, and writes a page for people. Needs the weights.",
        epilog="exit codes: 0 some attribution passes its tests, 2 bad input, 3 none does",
    )
    parser.add_argument(
        "weights", type=Path, metavar="WEIGHTS",
        help="Hugging Face folder: config.json, tokenizer, *.safetensors",
    )  # fmt: skip
    parser.add_argument("--prompt", required=True, metavar="TEXT", help="what is asked")
    parser.add_argument(
        "--answer", metavar="TEXT", help="the answer to explain (default: the model's own)"
    )
    parser.add_argument(
        "--method", action="append", default=[], metavar="NAME,…",
        help=f"methods: {', '.join(METHODS)} (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--direction", type=Path, metavar="FILE",
        help="refusal direction that buttress whitebox has found, to ablate and add",
    )  # fmt: skip
    parser.add_argument(
        "--max-tokens", type=int, default=24, metavar="N",
        help="length of the model's own answer (default: 24)",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the random orders (default: 0)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("buttress-explain"), metavar="DIR",
        help="explanation.json and explanation.html (default: buttress-explain)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Explain and show."""
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.white_box import need_torch

    for name in ("max_tokens", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            field = "--" + name.replace("_", "-")
            raise InputError(f"{value} is too small", field=field, expected="1 or more")
    if options.seed < 0:
        raise InputError(f"{options.seed} is too small", field="--seed", expected="0 or more")
    need_torch("an explanation")
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    from buttress.workflows.explain import PAGE_NAME, ExplainRequest, explain

    request = ExplainRequest(
        weights=options.weights,
        prompt=options.prompt,
        out=options.out,
        answer=options.answer,
        methods=split(options.method) or METHODS,
        direction=options.direction,
        max_tokens=options.max_tokens,
        device=options.device,
        seed=options.seed,
    )

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    document = explain(request, say)
    if options.json:
        import json

        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(document)
        print(options.out / PAGE_NAME)
    return 0 if any(one["trusted"] for one in document["attributions"]) else 3


def _show(document: Mapping[str, Any]) -> None:
    from buttress.files.visible import visible
    from buttress.report.explanation_page import paragraph

    print(f"answer: {visible(document['answer'])}")
    for one in document["attributions"]:
        order = sorted(range(len(one["values"])), key=lambda at: -one["values"][at])
        words = ", ".join(
            f"{visible(document['tokens'][at].strip())} {one['values'][at]:+.2f}"
            for at in order[:5]
        )
        said = "passes" if one["trusted"] else f"not to be trusted: {one['why_not']}"
        print(f"  {one['method']}: {words} ({said})")
    for name, why in document["left_out"].items():
        print(f"  {name}: not run: {visible(why)}")
    print(*paragraph(document), sep="\n")
