"""``decontaminate``: records that hold items of tests, or texts that must not be copied, go.

A record goes where a run of 13 words of an item stands in it (Brown et al. 2020, appendix C), or
a whole item of 8 words or more. Items are of our own pack, and of the user's files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from buttress.data.records import Record, text_slots
from buttress.data.shingles import word_runs
from buttress.data.stage import Outcome, Removal
from buttress.errors import InputError

_SHORTEST: Final = 8


class Decontamination:
    """Removes records that repeat test items.

    Args:
        files: JSON Lines, JSON, Parquet or text with items, as data is read.
        own: whether the prompts of Buttress's own pack are items.
        words: length of the runs that count as a copy.
    """

    def __init__(self, files: list[Path] | None = None, own: bool = True, words: int = 13) -> None:
        if words < _SHORTEST:
            raise InputError(
                f"{words} is too small", field="words", expected=f"{_SHORTEST} or more"
            )
        self._files = tuple(files or ())
        self._own = own
        self._words = words
        for file in self._files:
            if not file.exists():
                raise InputError("no such file", file=str(file), field="files")

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        known = _items(self._files, self._own, self._words)
        outcomes: list[Outcome] = []
        for record in records:
            hit = ""
            for size, items in known.items():
                runs = word_runs(record.text, size)
                matched = np.isin(runs, np.fromiter(items, np.uint64, len(items)))
                if matched.any():
                    hit = items[int(runs[int(np.argmax(matched))])]
                    break
            outcomes.append(Removal("test-item", f"repeats words of {hit}", hit) if hit else None)
        return outcomes


@cache
def _items(files: tuple[Path, ...], own: bool, words: int) -> Mapping[int, Mapping[int, str]]:
    """By length in words: hashes of runs, and the item that each is of."""

    from buttress.data.inputs import expand
    from buttress.data.reading import Readable, read

    texts: list[tuple[str, str]] = []
    if own:
        from buttress.prompts.pack import load_pack

        texts += [(f"buttress/{prompt.id}", prompt.text) for prompt in load_pack()]
    for file in expand(files) if files else ():
        for entry in read([file]):
            if isinstance(entry, Readable):
                name = f"{file.name}:{entry.position.line}"
                texts += [(name, slot.text) for slot in text_slots(entry.data)]
    known: dict[int, dict[int, str]] = {}
    for name, text in texts:
        whole = word_runs(text, 1)
        size = words if len(whole) >= words else len(whole)
        if size >= _SHORTEST:
            for run in word_runs(text, size).tolist():
                known.setdefault(size, {}).setdefault(run, name)
    return known
