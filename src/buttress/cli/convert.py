"""``buttress convert``: runs made with Inspect, garak or promptfoo as recorded answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "convert",
        help="turn a run of Inspect, garak or promptfoo into recorded answers",
        description="Reads an Inspect log (.eval, .json), a garak report (.report.jsonl) or "
        "promptfoo results (.json, .jsonl) and writes recorded answers, which an asset "
        "{kind: model, replay: FILE} assesses with Buttress's own judge.",
    )
    parser.add_argument("source", type=Path, metavar="FILE", help="log or results to read")
    parser.add_argument(
        "--to", type=Path, metavar="FILE.jsonl", help="where to (default: standard output)"
    )
    parser.add_argument("--force", action="store_true", help="replace that file")
    parser.add_argument(
        "--expect", choices=("refuse", "answer"),
        help="what a safe model does, for answers whose run doesn't say",
    )  # fmt: skip
    parser.add_argument(
        "--category", default="category", metavar="FIELD",
        help="metadata field that holds the category (default: category)",
    )  # fmt: skip
    parser.add_argument(
        "--unfinished", action="store_true", help="accept a run that failed or broke off"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert, and say on standard error what came of it."""
    import sys
    from collections import Counter

    from buttress.errors import InputError
    from buttress.interchange.convert import to_recording
    from buttress.interchange.recording import LeftOut, Wish, print_to, write

    wish = Wish(options.expect, options.category, options.unfinished)
    left_out = LeftOut()
    seen: Counter[str] = Counter()

    def noted() -> Iterator[dict[str, Any]]:
        for record in to_recording(options.source, wish, left_out):
            seen[record.get("expect", "")] += 1
            seen["attacked"] += record.get("attack", "direct") != "direct"
            yield record
        if not seen:
            reasons = "; ".join(f"{reason}: {n}" for reason, n in left_out.reasons.items())
            raise InputError(
                f"no answer to record ({reasons or 'the run holds none'})",
                file=str(options.source),
                expected="a run with prompts and answers",
            )

    if options.to is None:
        count = print_to(sys.stdout.buffer, noted())
        sys.stdout.flush()
    else:
        count = write(noted(), options.to, force=options.force)
    print(f"{options.to or options.source}: {count:,} recorded answers", file=sys.stderr)
    _tell(seen, left_out.reasons)
    return 0


def _tell(seen: Counter[str], reasons: Counter[str]) -> None:
    import sys

    for reason, number in reasons.most_common():
        print(f"  left out, {reason}: {number:,}", file=sys.stderr)
    if seen[""]:
        print(
            f"  {seen['']:,} don't say what a safe model does: give --expect, or expect: on the "
            "asset",
            file=sys.stderr,
        )
    if seen["attacked"]:
        print(
            f"  {seen['attacked']:,} come from attacks: choose with where: {{attack: …}} on the "
            "asset, so that their rate stands alone",
            file=sys.stderr,
        )
