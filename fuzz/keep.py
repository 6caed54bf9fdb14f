"""Keep what a fuzzing run has found: ``python -m fuzz.keep FOLDER [TARGET…]``.

The kept corpus, the seeds and what the run gathered are replayed from the smallest on; an input
stays where it reaches a branch of our code that no smaller one does. An input with something in it
that looks like a credential does not stay: those are built anew by ``seeds.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any, Final

import buttress
from buttress.rules.credentials.scanner import scan
from fuzz import corpus, harness
from fuzz.seeds import seeds

_OURS: Final = str(Path(buttress.__file__).parent)
_MAX_TRIED: Final = 400  # inputs of one target, the smallest
_MAX_SIZE: Final = 4 << 10
Branch = tuple[object, int, int]


def main(arguments: list[str]) -> int:
    """Minimise; 2 where no folder is named."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    gathered, wanted = Path(arguments[0]), arguments[1:]
    with harness.workspace():
        given = seeds()
        for name, target in harness.targets().items():
            if wanted and name not in wanted:
                continue
            folder = gathered / name
            new = [one.read_bytes() for one in folder.iterdir()] if folder.is_dir() else []
            inputs = {*corpus.kept(name), *given.get(name, ()), *new}
            kept = minimised(target, inputs)
            corpus.keep(name, kept)
            print(f"{name:20} {len(inputs):5,} -> {len(kept):3} files, {sum(map(len, kept)):6,} B")
    return 0


def minimised(target: harness.Target, inputs: set[bytes]) -> list[bytes]:
    """The inputs that are worth keeping, smallest first."""
    tried = sorted(
        (one for one in inputs if len(one) <= _MAX_SIZE), key=lambda one: (len(one), one)
    )
    seen: set[Branch] = set()
    kept: list[bytes] = []
    size = 0
    for data in tried[:_MAX_TRIED]:
        harness.once(target, data)  # what is cached at the first call is no branch of the input
        reached = _branches(target, data)
        if reached <= seen or scan(data).found:
            continue
        if len(kept) == corpus.MAX_FILES or size + len(data) > corpus.MAX_BYTES:
            break
        seen |= reached
        size += len(data)
        kept.append(data)
    return kept


def _branches(target: harness.Target, data: bytes) -> set[Branch]:
    """Pairs of lines of our code that were run one after the other."""
    reached: set[Branch] = set()

    def called(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS):
            return None
        before = -1

        def stepped(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal before
            if event == "line":
                reached.add((code, before, frame.f_lineno))
                before = frame.f_lineno
            return stepped

        return stepped

    sys.settrace(called)
    try:
        harness.once(target, data)
    finally:
        sys.settrace(None)
    return reached


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
