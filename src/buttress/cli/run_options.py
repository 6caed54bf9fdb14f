"""Options that commands share whose trials go into a store of evidence."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_run(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--out``, ``--resume`` and ``--seed``; ``what`` goes into the folder."""
    parser.add_argument(
        "--out", type=Path, default=Path("buttress-out"), metavar="DIR",
        help=f"where {what} (default: buttress-out)",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the last run in --out")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the order of trials")
