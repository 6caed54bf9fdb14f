"""The kept corpus: ``fuzz/corpus/TARGET/``, one input a file, named by its digest."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fuzz.mutate import TOKENS

FOLDER: Final = Path(__file__).parent / "corpus"
MAX_FILES: Final = 60  # of one target
MAX_BYTES: Final = 30 << 10
MAX_TOTAL: Final = 3 << 20
_WORD: Final = re.compile(rb"[A-Za-z_][\w.$:@/-]{2,31}")
_MAX_WORDS: Final = 300


def kept(target: str) -> list[bytes]:
    """The inputs of a target, in the order of their names."""
    return [path.read_bytes() for path in sorted((FOLDER / target).glob("*")) if path.is_file()]


def keep(target: str, inputs: Iterable[bytes]) -> None:
    """Replace the inputs of a target."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {hashlib.sha1(data, usedforsecurity=False).hexdigest(): data for data in inputs}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        (folder / name).write_bytes(data)


def dictionary(inputs: Iterable[bytes]) -> str:
    """Words that several inputs have, and tokens of many grammars, as libFuzzer reads them."""
    counts: Counter[bytes] = Counter()
    for data in inputs:
        counts.update(set(_WORD.findall(data)))
    words = [*TOKENS, *(word for word, _ in counts.most_common(_MAX_WORDS))]
    return "".join('"' + "".join(f"\\x{one:02x}" for one in word) + '"\n' for word in words)
