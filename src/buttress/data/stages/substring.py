"""``substring``: passages that another text holds as well are cut out; the first copy stays.

Suffix arrays (Lee et al. 2022, "Deduplicating training data makes language models better") over
blocks of bounded size. Texts are put into blocks, and ordered within a block, by a digest of their
content, so that "first" does not depend on the order of the input. A cut never goes through a
character, a combining sequence, or from one text to the next.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.data.edits import Edit
from buttress.data.records import Record
from buttress.data.stage import Decision, Decisions, RecordChange, Removal
from buttress.errors import InputError, MissingExtraError

_SEPARATOR: Final = b"\xff"  # never in UTF-8
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")


class RepeatedPassages:
    """Cuts repeated passages out of texts.

    Args:
        length: bytes of UTF-8 from which a passage counts.
        block: bytes of text that are searched together; repeats between blocks are not found.
    """

    def __init__(self, length: int = 200, block: int = 16 << 20) -> None:
        if length < 20:
            raise InputError(f"{length} is too small", field="length", expected="20 or more")
        if not 1 << 10 <= block <= 1 << 30:
            raise InputError(f"{block} is not usable", field="block", expected="1024 to 2**30")
        self._length = length
        self._block = block

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``: the texts that are long enough, and where each stands."""
        rows: list[tuple[int, int, int, int]] = []
        with (folder / "texts").open("wb") as file:
            for index, record in enumerate(records):
                for slot, one in enumerate(record.slots):
                    data = one.text.encode("utf-8", "surrogatepass")
                    if len(data) >= self._length:
                        key = hashlib.sha256(data + record.key).digest()[:7]
                        file.write(data)
                        rows.append((index, slot, len(data), int.from_bytes(key, "big")))
        np.save(folder / "rows.npy", np.array(rows, dtype=np.int64).reshape(-1, 4))

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        tables = [np.load(folder / "rows.npy") for folder in folders]
        total = int(sum(table[:, 2].sum() for table in tables))
        blocks = max(1, -(-total // self._block))
        decisions = Decisions(self._decisions(folders, tables, blocks))
        if blocks > 1:
            decisions.notes.append(
                f"searched in {blocks} blocks; passages repeated between blocks were not looked for"
            )
        return decisions

    def _decisions(
        self, folders: Sequence[Path], tables: Sequence[npt.NDArray[Any]], blocks: int
    ) -> Iterator[Decision]:
        edits: dict[tuple[int, int], list[Edit]] = {}
        left: dict[tuple[int, int], bool] = {}
        for block in range(blocks):
            for shard, index, slot, text, spans in self._block_spans(
                folders, tables, blocks, block
            ):
                edits.setdefault((shard, index), []).extend(
                    Edit(slot, start, end, "", "REPEATED") for start, end in spans
                )
                if not _rest(text, spans).strip():
                    left[shard, index] = True
        for (shard, index), found in sorted(edits.items()):
            if (shard, index) in left:
                outcome: Removal | RecordChange = Removal(
                    "repeated-passage", "a whole text is made of repeated passages"
                )
            else:
                outcome = RecordChange(tuple(found))
            yield Decision(shard, index, outcome)

    def _block_spans(
        self,
        folders: Sequence[Path],
        tables: Sequence[npt.NDArray[Any]],
        blocks: int,
        block: int,
    ) -> Iterator[tuple[int, int, int, str, list[tuple[int, int]]]]:
        """Shard, record, slot, text and stretches to cut, of the texts of one block."""
        texts: list[tuple[int, int, int, int, bytes]] = []  # key, shard, index, slot, text
        for shard, (folder, table) in enumerate(zip(folders, tables, strict=True)):
            chosen = np.flatnonzero(table[:, 3] % blocks == block)
            begins = np.concatenate([[0], np.cumsum(table[:, 2])])
            with (folder / "texts").open("rb") as file:
                for row in chosen.tolist():
                    file.seek(int(begins[row]))
                    data = file.read(int(table[row, 2]))
                    index, slot, _, key = table[row].tolist()
                    texts.append((key, shard, index, slot, data))
        texts.sort(key=lambda one: (one[0], one[4], one[1:4]))
        joined = _SEPARATOR.join(data for *_, data in texts) + _SEPARATOR
        repeated = repeats(joined, self._length)
        place = 0
        for _, shard, index, slot, data in texts:
            mask = repeated[place : place + len(data)]
            place += len(data) + 1
            if mask.any():
                text = data.decode("utf-8", "surrogatepass")
                spans = _in_characters(text, data, mask, self._length)
                if spans:
                    yield shard, index, slot, text, spans


def repeats(data: bytes, length: int) -> npt.NDArray[np.bool_]:
    """Which bytes lie in a passage of ``length`` bytes or more that stands earlier in ``data``.

    Texts in ``data`` end with the byte 0xFF; a passage does not go beyond the end of a text.
    """
    try:
        from pydivsufsort import divsufsort, kasai
    except ImportError:
        raise MissingExtraError("the stage substring", "data") from None
    found = np.zeros(len(data), dtype=bool)
    if len(data) < 2 * length:
        return found
    array = np.frombuffer(bytearray(data), dtype=np.uint8)  # the library wants it writable
    suffixes = divsufsort(array).astype(np.int64)
    shared = kasai(array, suffixes.astype(np.int32)).astype(np.int64)  # with the next suffix
    ends = np.flatnonzero(array == _SEPARATOR[0])
    room = ends[np.searchsorted(ends, np.arange(len(array)))] - np.arange(len(array))
    # Runs of suffixes that share ``length`` bytes within a text: all but the first one of a run
    # stand in a text earlier.
    own = room[suffixes] >= length
    linked = (shared[:-1] >= length) & own[:-1] & own[1:]
    run = np.concatenate([[0], np.cumsum(~linked)])
    first = np.full(int(run[-1]) + 1, len(array), dtype=np.int64)
    np.minimum.at(first, run, suffixes)
    later = suffixes[(first[run] != suffixes) & own]
    change = np.zeros(len(array) + 1, dtype=np.int64)
    np.add.at(change, later, 1)
    np.add.at(change, later + length, -1)
    found[:] = np.cumsum(change[:-1]) > 0
    return found


def _in_characters(
    text: str, data: bytes, mask: npt.NDArray[np.bool_], length: int
) -> list[tuple[int, int]]:
    """The stretches of the mask as characters, shrunk so that none cuts a combining sequence."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    lead = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    number = np.concatenate([[0], np.cumsum(lead)])  # characters that begin before a byte
    spans = []
    for start, end in edges.reshape(-1, 2).tolist():
        first = int(number[start])
        stop = end
        while stop < len(data) and not lead[stop]:
            stop -= 1
        last = int(number[stop])
        while first < last and _continues(text[first]):
            first += 1
        while first < last < len(text) and _continues(text[last]):
            last -= 1
        if last - first and len(text[first:last].encode("utf-8", "surrogatepass")) >= length // 2:
            spans.append((first, last))
    return spans


def _continues(sign: str) -> bool:
    return sign in _JOINERS or unicodedata.category(sign)[0] == "M"


def _rest(text: str, spans: Sequence[tuple[int, int]]) -> str:
    place, parts = 0, []
    for start, end in spans:
        parts.append(text[place:start])
        place = end
    return "".join([*parts, text[place:]])
