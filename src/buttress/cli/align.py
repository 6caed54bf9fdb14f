"""``buttress align``: change a model, and show on the same requests whether that made it better."""

from __future__ import annotations

import argparse

from buttress.cli.alignment_options import EPILOG, add_options, align_and_show


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "align",
        help="change a model by a recipe; better on this, no worse on that, paired",
        description="Splits the requests by harm category, measures the model, carries out a "
        "recipe on the seen categories, measures it again and compares the two, request by "
        "request.",
        epilog=EPILOG,
    )
    add_options(parser, "buttress-align")
    parser.add_argument(
        "--recipe", action="append", default=[], metavar="NAME|FILE.yaml,…",
        help="recipes to try: shipped ones (gate, sft-varied, sft-one-opener, dpo-varied, "
        "steering, system-prompt, guard-rules) or files (default: gate)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Align and show."""
    from buttress.cli.names import split

    return align_and_show(options, "align", split(options.recipe) or ["gate"])
