"""``buttress explain``: why a model answers as it does, with what each figure is worth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from buttress.system.model import System

METHODS: Final = ("gradient-x-input", "integrated-gradients", "occlusion", "rollout")
CONCEPTS: Final = ("harm", "refusal", "truth", "personal-data")
ASKED_METHODS: Final = ("occlusion", "contrast", "log-probabilities")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "explain",
        help="why a model answers as it does: attributions with their faithfulness, layers",
        description="Attributes an answer to the words of its prompt by several methods, each "
        "with its faithfulness (deletion and insertion against random orders), and writes a page "
        "for people. A folder of weights is looked into, layers included; the model of a manifest "
        "is asked, within a budget of questions.",
        epilog="exit codes: 0 some attribution passes its tests, or a change that flips the "
        "decision was found, or models were compared; 2 bad input, 3 neither",
    )
    parser.add_argument(
        "path", type=Path, metavar="WEIGHTS|MANIFEST",
        help="Hugging Face folder (config.json, tokenizer, *.safetensors), or buttress.yaml or "
        "the folder that holds it",
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="TEXT", help="what is asked")
    what.add_argument("--trial", metavar="ID", help="key, or its beginning, of a trial to explain")
    what.add_argument(
        "--compare", type=Path, metavar="FOLDER",
        help="what training changed: a PEFT adapter on the weights, or the weights after",
    )  # fmt: skip
    parser.add_argument(
        "--evidence", type=Path, default=Path("buttress-out"), metavar="DIR",
        help="output folder of the assessment that holds the trial (default: buttress-out)",
    )  # fmt: skip
    parser.add_argument(
        "--method", action="append", default=[], metavar="NAME,…",
        help=f"weights: {', '.join(METHODS)}, or contrast alone; a manifest's model: "
        f"{', '.join(ASKED_METHODS)} (default: all)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="seed of the random orders (default: 0)")  # fmt: skip
    parser.add_argument("--language", default="en", metavar="CODE",
                        help="language of the page: en or zh (default: en)")  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("buttress-explain"), metavar="DIR",
        help="explanation.json and explanation.html (default: buttress-explain)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    _weights_options(parser.add_argument_group("weights"))
    _asked_options(parser.add_argument_group("a manifest's model"))
    parser.set_defaults(run=run)


def _weights_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--answer", metavar="TEXT",
        help="the answer to explain (default: the model's own, or the trial's)",
    )  # fmt: skip
    group.add_argument(
        "--direction", type=Path, metavar="FILE",
        help="refusal direction that buttress whitebox has found, to ablate and add",
    )  # fmt: skip
    group.add_argument(
        "--probe", action="append", default=[], metavar="NAME,…",
        help=f"linear probes on all layers: {', '.join(CONCEPTS)} (default: none)",
    )  # fmt: skip
    group.add_argument(
        "--tuned-lens", action="store_true",
        help="read the layers by a lens that is fitted to this model, beside the logit lens",
    )  # fmt: skip
    group.add_argument(
        "--plain", metavar="TEXT",
        help="the request without the attack that --prompt holds: at which layers the attack acts "
        "(default: the trial's request)",
    )  # fmt: skip
    group.add_argument(
        "--max-tokens", type=int, default=24, metavar="N",
        help="length of the model's own answer (default: 24)",
    )  # fmt: skip
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    group.add_argument("--threads", type=int, metavar="N", help="processor threads")


def _asked_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--asset", metavar="ID", help="asset that is asked, where several answer")
    group.add_argument(
        "--expect", choices=("refuse", "answer"), default="refuse",
        help="what a safe model does with the prompt; a trial knows it itself (default: refuse)",
    )  # fmt: skip
    group.add_argument(
        "--budget", type=int, default=400, metavar="CALLS",
        help="questions to the model at most (default: 400)",
    )  # fmt: skip
    group.add_argument("--resume", action="store_true", help="go on with the last run in --out")


def run(options: argparse.Namespace) -> int:
    """Explain and show."""
    from buttress.errors import InputError
    from buttress.targets.adapters import holds_model

    for name, least in (("max_tokens", 1), ("threads", 1), ("budget", 1), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            field = "--" + name.replace("_", "-")
            raise InputError(f"{value} is too small", field=field, expected=f"{least} or more")
    if options.prompt is not None and not options.prompt.strip():
        raise InputError("is empty", field="--prompt", expected="text")
    if holds_model(options.path):
        if options.compare is not None:
            return _compared(options)
        return _contrast_of_weights(options) if _asks_contrast(options) else _weights(options)
    if options.compare is not None:
        raise InputError("needs the weights", field="--compare", expected="a folder of weights")
    from buttress.workflows import manifest

    return _asked(options, manifest.load(options.path))


def _asks_contrast(options: argparse.Namespace) -> bool:
    from buttress.cli.names import split

    return "contrast" in split(options.method)


def _contrast_of_weights(options: argparse.Namespace) -> int:
    """The weights are asked, as a manifest's model is."""
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.workflows import manifest

    if split(options.method) != ["contrast"]:
        raise InputError(
            "contrast asks the model, the others look into it", field="--method",
            expected="contrast alone, or other methods",
        )  # fmt: skip
    _torch(options.threads)
    return _asked(options, manifest.of_weights(options.path, options.max_tokens))


def _compared(options: argparse.Namespace) -> int:
    from buttress.cli.explain_show import show_compared
    from buttress.cli.names import split

    _torch(options.threads)
    from buttress.workflows.compare_models import CompareRequest, compare_models

    request = CompareRequest(
        weights=options.path,
        changed=options.compare,
        out=options.out,
        probes=split(options.probe),
        max_tokens=options.max_tokens,
        device=options.device,
        seed=options.seed,
        language=options.language,
    )
    show_compared(compare_models(request, _say), options.out, as_json=options.json)
    return 0


def _torch(threads: int | None) -> None:
    """Check that torch is there, and bound its threads."""
    from buttress.white_box import need_torch

    need_torch("an explanation")
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _weights(options: argparse.Namespace) -> int:
    from buttress.cli.explain_show import show_weights
    from buttress.cli.names import split

    _torch(options.threads)
    from buttress.workflows.explain import ExplainRequest, explain

    request = ExplainRequest(
        weights=options.path,
        prompt=options.prompt,
        trial=options.trial,
        evidence=options.evidence,
        out=options.out,
        answer=options.answer,
        methods=split(options.method) or METHODS,
        direction=options.direction,
        probes=split(options.probe),
        plain=options.plain,
        tuned_lens=options.tuned_lens,
        max_tokens=options.max_tokens,
        device=options.device,
        seed=options.seed,
        language=options.language,
    )

    document = explain(request, _say)
    show_weights(document, options.out, as_json=options.json)
    return 0 if any(one["trusted"] for one in document["attributions"]) else 3


def _asked(options: argparse.Namespace, system: System) -> int:
    from buttress.cli.explain_show import show_asked
    from buttress.cli.names import split
    from buttress.errors import InputError
    from buttress.workflows.explain_endpoint import EndpointExplainRequest, explain_endpoint

    for name in ("answer", "direction", "probe", "plain", "tuned_lens"):
        if getattr(options, name):
            field = "--" + name.replace("_", "-")
            raise InputError("needs the weights", field=field, expected="a folder of weights")
    request = EndpointExplainRequest(
        out=options.out,
        prompt=options.prompt,
        trial=options.trial,
        evidence=options.evidence,
        asset=options.asset,
        expect=options.expect,
        methods=split(options.method) or ASKED_METHODS,
        budget=options.budget,
        seed=options.seed,
        resume=options.resume,
        language=options.language,
    )
    document = explain_endpoint(system, request, sys.stderr)
    show_asked(document, options.out, as_json=options.json)
    contrast = document["contrast"]
    flips = contrast is not None and contrast["holds"] == contrast["asked"]
    repeats = document["same"] == document["repeats"]
    passes = any(one["trusted"] for one in document["attributions"])
    return 0 if passes or (flips and repeats) else 3
