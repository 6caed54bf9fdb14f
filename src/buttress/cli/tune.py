"""``buttress tune``: train an adapter, with proof of what it was trained on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "tune",
        help="train an adapter: fine-tuning, preferences, rewards, privacy, unlearning",
        description="Trains a LoRA adapter on records of JSON Lines, JSON or Parquet, and writes "
        "it with a card that holds settings and digests. The saved adapter is loaded anew and must "
        "give the same log-probabilities.",
        epilog="methods: sft (default), dpo, ipo, kto, reward, rloo, grpo, dp-sft, grad-diff, npo",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="Hugging Face folder")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE",
        help="records: to learn, or to forget with grad-diff and npo",
    )  # fmt: skip
    parser.add_argument("--method", default="", metavar="NAME", help="how to train")
    parser.add_argument(
        "--retain", type=Path, metavar="FILE", help="records on which the model is to stay as it is"
    )
    parser.add_argument(
        "--reward-model", type=Path, metavar="DIR", help="what scores answers for rloo and grpo"
    )
    parser.add_argument(
        "--validation", type=Path, metavar="FILE",
        help="requests (for reward: pairs) by which the state that is kept is chosen",
    )  # fmt: skip
    parser.add_argument(
        "--holdout", type=Path, metavar="FILE",
        help="for unlearning: records like those of --data that were never trained on; what was "
        "forgotten is then measured, before, after, and after relearning",
    )  # fmt: skip
    parser.add_argument(
        "--relearn", type=int, default=10, metavar="N",
        help="records of --data on which the result is trained again, to see what comes back "
        "(default: 10, at most half of them; 0 for none)",
    )  # fmt: skip
    parser.add_argument("--epsilon", type=float, metavar="E", help="ε to be spent by dp-sft")
    parser.add_argument("--delta", type=float, metavar="D", help="δ of dp-sft, e.g. 1e-5")
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE.yaml", help="settings: learning_rate, lora, epochs …"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the adapter goes"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all draws")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda … (default: auto)")
    parser.add_argument("--json", action="store_true", help="print the document")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.training.settings import METHODS
    from buttress.workflows.tune import TuneRequest, tune

    if options.method and options.method not in METHODS:
        raise InputError(
            f"unknown method '{options.method}'", field="--method", expected=", ".join(METHODS)
        )
    if options.seed < 0:
        raise InputError(f"{options.seed} is too small", field="--seed", expected="0 or more")
    if options.relearn < 0:
        raise InputError(f"{options.relearn} is too small", field="--relearn", expected="0 or more")
    request = TuneRequest(
        options.weights, options.data, options.out, method=options.method, retain=options.retain,
        reward_model=options.reward_model, validation=options.validation,
        recipe=options.recipe, epsilon=options.epsilon, delta=options.delta,
        holdout=options.holdout, relearn=options.relearn,
        resume=options.resume, seed=options.seed, device=options.device,
    )  # fmt: skip
    document = tune(request, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        from buttress.report.tuning_terminal import show

        show(document, options.out)
    return 0
