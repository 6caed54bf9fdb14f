"""Options about findings that `scan` and `survey` share: which of them count."""

from __future__ import annotations

import argparse
from pathlib import Path

from buttress.cli.parsing import similar

FAIL_ON = ("info", "low", "medium", "high", "critical", "never")


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


def fail_on(text: str) -> tuple[str | None, bool]:
    """``high``, ``skipped`` or ``high,skipped``: a severity, empty for never and None for the
    default, and whether what was not searched fails as well."""
    names = [name.strip() for name in text.split(",")]
    severities = [name for name in names if name != "skipped"]
    for name in severities:
        if name not in FAIL_ON and (hint := similar(name, [*FAIL_ON, "skipped"])):
            raise argparse.ArgumentTypeError(f"'{name[:40]}' is no severity{hint}")
    if len(severities) > 1 or len(names) > len(severities) + 1 or set(severities) - set(FAIL_ON):
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(FAIL_ON)}, and skipped")
    least = severities[0] if severities else None
    return ("" if least == "never" else least), "skipped" in names
