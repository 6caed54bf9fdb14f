"""Options about findings that `scan` and `survey` share: which of them count."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_known(group: argparse._ArgumentGroup) -> None:
    """Add the options that name what is known and what is suppressed."""
    group.add_argument(
        "--baseline", type=Path, metavar="FILE", help="findings in this file are known: don't count"
    )
    group.add_argument(
        "--write-baseline", type=Path, metavar="FILE", help="write all that counts as known"
    )
    group.add_argument(
        "--ignore-file", type=Path, metavar="FILE",
        help="suppressions (default: .buttress-ignore.yaml in the current folder)",
    )  # fmt: skip
    group.add_argument(
        "--no-ignore-file", action="store_true", help="suppress nothing, whatever that file says"
    )
