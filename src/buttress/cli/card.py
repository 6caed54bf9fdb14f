"""``buttress card``: what an assessment found, in the form of a model or system card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

FORMATS: Final = ("hf", "system", "annex-iv", "gpai")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "card",
        help="model card, system card or technical documentation from an assessment",
        description="Writes a card in Markdown from the folder of an assessment, and from what "
        "align, harden, privacy, oversee, values, tune and data wrote beside it or alone: every "
        "number with a reference to its evidence, blanks where nothing was measured. Several "
        "folders give what changed from version to version.",
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="DIR",
        help="output folder of an assessment or of those commands, or assessment.json "
        "(default: buttress-out)",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=FORMATS, default="hf",
        help="hf: model card of a hub; system: system card; annex-iv, gpai: technical "
        "documentation under the EU AI Act, annexes IV, XI and XII (default: hf)",
    )  # fmt: skip
    parser.add_argument(
        "--language", choices=("en", "zh"), default="en", help="language of the card (default: en)"
    )
    parser.add_argument(
        "--facts", type=Path, metavar="FILE.yaml",
        help="what only the provider knows, by id of the field; marked as not checked",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="where to write (default: standard output)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the card."""
    from buttress.files.atomic import write_whole
    from buttress.workflows.card import card

    paths = options.paths or [Path("buttress-out")]
    text = card(paths, options.format, language=options.language, facts=options.facts)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_whole(options.out, text.encode(), "--out")
        print(options.out)
    return 0
