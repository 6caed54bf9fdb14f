"""``buttress whitebox``: what who holds the weights can make a model do."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from buttress.protocols.judge import Judge
    from buttress.white_box.sample import RequestSample

# As ``white_box.attempts`` has them; --help must not wait for that import.
_CHEAP: Final = ("prefill", "logit-bias", "refusal-direction")
_METHODS: Final = (*_CHEAP, "soft-prompt", "gcg")
_EVERY_S: Final = 5.0


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "whitebox",
        help="attack a model through its weights: GCG, soft prompts, prefill, refusal direction",
        description="Measures what somebody who holds the weights can make the model do: each "
        "request is answered without and with every method, and both answers are judged.",
        epilog="exit codes: 0 done, 2 bad input. There is no verdict: a model whose weights are "
        "out has no barrier that holds against all of this.",
    )
    parser.add_argument(
        "weights", type=Path, metavar="WEIGHTS",
        help="Hugging Face folder: config.json, tokenizer, *.safetensors",
    )  # fmt: skip
    parser.add_argument(
        "--method", default=",".join(_CHEAP), metavar="NAME,…",
        help=f"methods to run, of {', '.join(_METHODS)} (default: the cheap ones, "
        f"{', '.join(_CHEAP)})",
    )  # fmt: skip
    parser.add_argument(
        "--requests", type=int, default=24, metavar="N",
        help="harmful requests drawn from the pack, and as many harmless ones (default: 24)",
    )  # fmt: skip
    parser.add_argument(
        "--request", action="append", default=[], metavar="TEXT",
        help="a harmful request of your own in place of the pack's; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--languages",
        default="en,zh",
        metavar="CODE,…",
        help="languages of the pack's requests (default: en,zh)",
    )
    parser.add_argument(
        "--prefix", metavar="TEXT", help="how a compliant answer begins (default: by language)"
    )
    parser.add_argument(
        "--max-tokens",
        type=int,
        default=160,
        metavar="N",
        help="length of an answer, in tokens (default: 160)",
    )
    parser.add_argument(
        "--gcg-steps", type=int, default=500, metavar="N", help="GCG steps at most (default: 500)"
    )
    parser.add_argument(
        "--gcg-candidates",
        type=int,
        default=512,
        metavar="N",
        help="GCG candidates a step (default: 512)",
    )
    parser.add_argument(
        "--soft-steps",
        type=int,
        default=100,
        metavar="N",
        help="training steps of a soft prompt (default: 100)",
    )
    parser.add_argument(
        "--direction-requests", type=int, default=128, metavar="N",
        help="requests of each kind that the refusal direction is computed from; a quarter of "
        "them selects the best one (default: 128)",
    )  # fmt: skip
    parser.add_argument(
        "--least-induced", type=float, default=0.0, metavar="LOG_ODDS",
        help="least log odds of refusal that adding the direction gives on harmless requests "
        "(default: 0, as in the paper); lower for a model that hardly ever refuses",
    )  # fmt: skip
    parser.add_argument(
        "--most-divergence", type=float, default=0.1, metavar="NATS",
        help="largest change of the first token's distribution on harmless requests when the "
        "direction is removed (default: 0.1, as in the paper)",
    )  # fmt: skip
    parser.add_argument(
        "--judge", default="offline", metavar="NAME", help="judge of the answers (default: offline)"
    )
    parser.add_argument("--target", metavar="TARGET", help="the model behind --judge llm")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of all draws (default: 0)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("buttress-whitebox"), metavar="DIR",
        help="evidence, checkpoints and white-box.json (default: buttress-whitebox)",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the last run in --out")
    parser.add_argument("--json", action="store_true", help="print white-box.json, not a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Attack, write the results, print them."""
    chosen = _methods(options.method)
    _check_numbers(options)
    _check_weights(options.weights)
    import orjson

    from buttress.files.atomic import write_whole
    from buttress.white_box import need_torch

    need_torch()
    from buttress.white_box.attempts import PREFIXES, Settings
    from buttress.white_box.results import FILE_NAME
    from buttress.workflows.white_box import WhiteBoxPlan, study

    settings = Settings(
        max_tokens=options.max_tokens,
        prefixes={
            language: text if options.prefix is None else options.prefix
            for language, text in PREFIXES.items()
        },
        gcg_steps=options.gcg_steps,
        gcg_candidates=options.gcg_candidates,
        soft_steps=options.soft_steps,
        seed=options.seed,
    )
    plan = WhiteBoxPlan(
        weights=options.weights,
        out=options.out,
        methods=chosen,
        sample=_sample(options),
        settings=settings,
        device=options.device,
        least_induced=options.least_induced,
        most_divergence=options.most_divergence,
        resume=options.resume,
    )
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    ticker = _Ticker()
    made = study(plan, _judge(options), ticker.say)
    ticker.end()
    content = orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_whole(options.out / FILE_NAME, content, "--out")
    if options.json:
        sys.stdout.write(content.decode())
    else:
        _show(made, options.out)
    return 0


def _methods(given: str) -> list[str]:
    from buttress.errors import InputError

    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    for name in names:
        if name not in _METHODS:
            raise InputError(
                f"unknown method '{name}'", field="--method", expected="of " + ", ".join(_METHODS)
            )
    if not names:
        raise InputError("names none", field="--method", expected="of " + ", ".join(_METHODS))
    return names


def _check_numbers(options: argparse.Namespace) -> None:
    from buttress.errors import InputError

    least = {
        **{"requests": 1, "max_tokens": 1, "gcg_steps": 0, "gcg_candidates": 1, "soft_steps": 0},
        **{"direction_requests": 8, "threads": 1, "seed": 0},
    }
    for name, low in least.items():
        value = getattr(options, name)
        if value is not None and value < low:
            field = "--" + name.replace("_", "-")
            raise InputError(f"{value} is too small", field=field, expected=f"{low} or more")
    if options.prefix is not None and not options.prefix.strip():
        raise InputError("is empty", field="--prefix", expected="how an answer begins")


def _check_weights(weights: Path) -> None:
    """Tell what is wrong before torch is loaded."""
    from buttress.errors import InputError
    from buttress.targets.adapters import base_of, holds_model

    if weights.is_file():
        raise InputError(
            "is a file", file=str(weights),
            expected="a Hugging Face folder with safetensors; a GGUF model has no gradients",
        )  # fmt: skip
    if not holds_model(weights):
        problem = "no config.json" if weights.is_dir() else "no such folder"
        raise InputError(problem, file=str(weights), expected="a Hugging Face folder")
    base_of(weights)


def _sample(options: argparse.Namespace) -> RequestSample:
    from buttress.white_box.sample import draw_sample

    return draw_sample(
        options.requests,
        seed=options.seed,
        languages=[code.strip() for code in options.languages.split(",") if code.strip()],
        texts=options.request,
        training=options.direction_requests,
        validation=max(8, options.direction_requests // 4),
    )


def _judge(options: argparse.Namespace) -> Judge:
    from buttress.errors import InputError
    from buttress.judges.opening import open_judge
    from buttress.targets.named import settings_of

    settings: dict[str, Any] = {"id": options.judge}
    if options.target is not None:
        settings["target"] = settings_of(options.target)
    elif options.judge == "llm":
        raise InputError("missing", field="--target", expected="the model that judges")
    return open_judge(settings, base=Path())


def _show(made: dict[str, Any], out: Path) -> None:
    from rich.console import Console

    from buttress.white_box.results import notes, table

    Console().print(table(made))
    for note in notes(made):
        print(note)
    print(f"\n{out}: white-box.json, evidence.db")


class _Ticker:
    """Tells on stderr what is going on: in one line on a terminal, else every few seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = -_EVERY_S

    def say(self, text: str) -> None:
        """Show ``text`` in place of the last."""
        now = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{text[:118]}")
        elif now - self._last >= _EVERY_S:
            sys.stderr.write(f"{text}\n")
            self._last = now
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the terminal's line empty."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
