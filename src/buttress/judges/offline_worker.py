"""A process that judges as the offline judge of another process does; see ``ComputingJudge``.

Its arguments are the version that the other has, and the calibration file if there is one.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from buttress.judges.offline import create
from buttress.protocols.judge import Exchange


def main(arguments: Sequence[str]) -> int:
    """Answer until there is no question; 1 where the judge here has another version."""
    version, *files = arguments
    judge = create(calibration=Path(files[0]) if files else None)
    if judge.version != version:
        return 1
    questions = msgspec.json.Decoder(list[Exchange])
    answers = msgspec.json.Encoder()
    with asyncio.Runner() as runner:
        for line in sys.stdin.buffer:
            judged = runner.run(judge.judge(questions.decode(line)))
            sys.stdout.buffer.write(answers.encode(judged) + b"\n")
            sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
