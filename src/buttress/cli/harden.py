"""``buttress harden``: what makes a model safer without training it, measured before and after."""

from __future__ import annotations

import argparse
from typing import Final

from buttress.cli.alignment_options import EPILOG, add_options, align_and_show

METHODS: Final = ("system-prompt", "steering", "gate", "guard-rules")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "harden",
        help="safer without training: system prompt, steering, a gate, guard rules; paired",
        description="Tries interventions that need no training, and compares the model with and "
        "without each, request by request. What the model can't have is named and left out: "
        "steering and a gate need its weights.",
        epilog=EPILOG,
    )
    add_options(parser, "buttress-harden")
    parser.add_argument(
        "--method", action="append", default=[], metavar="NAME,…",
        help=f"methods: {', '.join(METHODS)} (default: all)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Harden and show."""
    from buttress.cli.names import split
    from buttress.errors import InputError

    chosen = split(options.method) or list(METHODS)
    for name in chosen:
        if name not in METHODS:
            raise InputError(
                f"unknown method '{name}'", field="--method", expected="of " + ", ".join(METHODS)
            )
    return align_and_show(options, "harden", chosen)
