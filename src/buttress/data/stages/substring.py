"""``substring``: passages that another text holds as well are cut out; the first copy stays.

Suffix arrays (Lee et al. 2022, "Deduplicating training data makes language models better") over
blocks of bounded size. What goes into a block together is decided by minimizers (Roberts et al.
2004, "Reducing storage requirements for biological sequence comparison"): the least hash of the
short runs of bytes in a window of ``length`` bytes. Equal windows have equal minimizers, so they
meet in one block wherever they stand, and a window whose minimizer occurs once is not repeated.
The order of texts is that of a digest of their content, so that "first" does not depend on the
order of the input. A cut never goes through a character, a combining sequence, or from one text to
the next.
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
from buttress.data.stages.minimizers import STRETCH, stretches
from buttress.errors import InputError, MissingExtraError

_SEPARATOR: Final = b"\xff"  # never in UTF-8
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")
_PARTITION: Final = 1 << 20  # stretches whose minimizers are compared at once
_ROW: Final = np.dtype(
    [("index", "<i8"), ("slot", "<i8"), ("begin", "<i8"), ("size", "<i8"), ("key", "<u8")]
)
_MARK: Final = np.dtype([("shard", "<i8"), ("row", "<i8"), ("start", "<i8"), ("end", "<i8")])
_Array = npt.NDArray[Any]


class RepeatedPassages:
    """Cuts repeated passages out of texts.

    Args:
        length: bytes of UTF-8 from which a passage counts.
        block: bytes that are sorted at once; bounds memory and does not change the result.
    """

    def __init__(self, length: int = 200, block: int = 16 << 20) -> None:
        if length < 20:
            raise InputError(f"{length} is too small", field="length", expected="20 or more")
        if not 1 << 10 <= block <= 1 << 30:
            raise InputError(f"{block} is not usable", field="block", expected="1024 to 2**30")
        self._length = length
        self._block = block

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``: the texts that are long enough, and their stretches."""
        rows: list[tuple[int, int, int, int, int]] = []
        found: list[_Array] = [np.zeros(0, STRETCH)]
        begin = 0
        with (folder / "texts").open("wb") as file:
            for index, record in enumerate(records):
                for slot, one in enumerate(record.slots):
                    data = one.text.encode("utf-8", "surrogatepass")
                    if len(data) < self._length:
                        continue
                    key = int.from_bytes(hashlib.sha256(data + record.key).digest()[:8], "big")
                    file.write(data)
                    own = stretches(data, self._length)
                    own["row"] = len(rows)
                    found.append(own)
                    rows.append((index, slot, begin, len(data), key))
                    begin += len(data)
        everything = np.concatenate(found)
        everything.sort(order="minimizer", kind="stable")
        np.save(folder / "rows.npy", np.array(rows, dtype=_ROW))
        np.save(folder / "stretches.npy", everything)

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        decisions = Decisions(iter(()))
        marks = [np.zeros(0, _MARK)]
        left_out = 0
        for shard, row, stretch in _repeated(folders):
            for chosen, cut in self._groups(stretch):
                left_out += cut
                marks.append(self._marks(folders, shard[chosen], row[chosen], stretch[chosen]))
        if left_out:
            decisions.notes.append(
                f"passages that repeat too often for one block of {self._block:,} bytes were "
                f"searched in parts {left_out:,} times; raise 'block'"
            )
        decisions.decisions = self._decisions(folders, np.concatenate(marks))
        return decisions

    def _groups(self, stretch: _Array) -> Iterator[tuple[_Array, bool]]:
        """Runs of stretches of at most a block; whether one minimizer's had to be parted."""
        edges = np.flatnonzero(np.diff(stretch["minimizer"])) + 1
        bounds = np.concatenate([[0], edges, [len(stretch)]])
        sizes = np.add.reduceat(stretch["size"].astype(np.int64) + 1, bounds[:-1])
        first, filled = 0, 0
        for low, high, size in zip(bounds[:-1], bounds[1:], sizes, strict=True):
            if filled and filled + size > self._block:
                yield np.arange(first, low), False
                first, filled = low, 0
            if size > self._block:
                ends = np.cumsum(stretch["size"][low:high].astype(np.int64) + 1)
                part = ends // self._block
                for number in np.unique(part):
                    yield low + np.flatnonzero(part == number), bool(number)
                first, filled = high, 0
            else:
                filled += int(size)
        if filled:
            yield np.arange(first, len(stretch)), False

    def _marks(
        self, folders: Sequence[Path], shard: _Array, row: _Array, stretch: _Array
    ) -> _Array:
        """Bytes of texts, from ``start`` to ``end``, that lie in a repeated passage."""
        pieces = _pieces(folders, shard, row, stretch)
        order = np.lexsort((stretch["start"], stretch["row"], shard, row["key"]))
        known: set[bytes] = set()
        marks, parts, owners = [], [], []
        for place in order.tolist():
            piece = pieces[place]
            start = int(stretch["start"][place])
            if piece in known:  # all of it stands earlier
                marks.append((shard[place], stretch["row"][place], start, start + len(piece)))
                continue
            known.add(piece)
            parts.append(piece)
            owners.append(place)
        joined = _SEPARATOR.join(parts) + _SEPARATOR
        runs = _runs(repeats(joined, self._length))
        begins = np.cumsum([0, *(len(part) + 1 for part in parts)])
        which = np.searchsorted(begins, runs[:, 0], side="right") - 1
        for (low, high), number in zip(runs.tolist(), which.tolist(), strict=True):
            place = owners[number]
            offset = int(stretch["start"][place]) - int(begins[number])
            marks.append((shard[place], stretch["row"][place], low + offset, high + offset))
        return np.array(marks, dtype=_MARK)

    def _decisions(self, folders: Sequence[Path], marks: _Array) -> Iterator[Decision]:
        marks = np.sort(marks, order=("shard", "row", "start"))
        for number, folder in enumerate(folders):
            own = marks[np.searchsorted(marks["shard"], number) :]
            own = own[: np.searchsorted(own["shard"], number, side="right")]
            if not len(own):
                continue
            rows = np.load(folder / "rows.npy")
            edits: dict[int, list[Edit]] = {}
            whole: set[int] = set()
            with (folder / "texts").open("rb") as file:
                for row in np.unique(own["row"]).tolist():
                    index, slot, begin, size, _ = rows[row].tolist()
                    file.seek(begin)
                    data = file.read(size)
                    mask = np.zeros(size, dtype=bool)
                    for *_, start, end in own[own["row"] == row].tolist():
                        mask[start:end] = True
                    text = data.decode("utf-8", "surrogatepass")
                    spans = _in_characters(text, data, mask, self._length)
                    edits.setdefault(index, []).extend(
                        Edit(slot, start, end, "", "REPEATED") for start, end in spans
                    )
                    if spans and not _rest(text, spans).strip():
                        whole.add(index)
            for index, found in sorted(edits.items()):
                if index in whole:
                    why = "a whole text is made of repeated passages"
                    yield Decision(number, index, Removal("repeated-passage", why))
                elif found:
                    yield Decision(number, index, RecordChange(tuple(found)))


def _repeated(folders: Sequence[Path]) -> Iterator[tuple[_Array, _Array, _Array]]:
    """Shard, row and stretch of those whose minimizer occurs more than once, by minimizer."""
    tables = [np.load(folder / "stretches.npy", mmap_mode="r") for folder in folders]
    rows = [np.load(folder / "rows.npy") for folder in folders]
    parts = -(-sum(map(len, tables)) // _PARTITION)
    bounds = [(number << 64) // parts for number in range(1, parts)]
    cuts = [
        np.searchsorted(table["minimizer"], np.array(bounds, dtype=np.uint64)) for table in tables
    ]
    for number in range(parts):
        found, shards, own = [], [], []
        for shard, (table, cut) in enumerate(zip(tables, cuts, strict=True)):
            low = int(cut[number - 1]) if number else 0
            high = int(cut[number]) if number < parts - 1 else len(table)
            piece = np.array(table[low:high])
            found.append(piece)
            shards.append(np.full(len(piece), shard))
            own.append(rows[shard][piece["row"]])
        stretch, shard_of, row = map(np.concatenate, (found, shards, own))
        _, back, counts = np.unique(stretch["minimizer"], return_inverse=True, return_counts=True)
        chosen = np.flatnonzero(counts[back] > 1)
        chosen = chosen[np.argsort(stretch["minimizer"][chosen], kind="stable")]
        if len(chosen):
            yield shard_of[chosen], row[chosen], stretch[chosen]


def _pieces(folders: Sequence[Path], shard: _Array, row: _Array, stretch: _Array) -> list[bytes]:
    """The bytes of the stretches."""
    places = row["begin"] + stretch["start"]
    pieces = [b""] * len(stretch)
    for number in np.unique(shard).tolist():
        texts = np.memmap(folders[number] / "texts", mode="r", dtype=np.uint8)
        for place in np.flatnonzero(shard == number).tolist():
            begin = int(places[place])
            pieces[place] = texts[begin : begin + int(stretch["size"][place])].tobytes()
    return pieces


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


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where each run of true begins and ends, shape (runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return edges.reshape(-1, 2)


def _in_characters(
    text: str, data: bytes, mask: npt.NDArray[np.bool_], length: int
) -> list[tuple[int, int]]:
    """The stretches of the mask as characters, shrunk so that none cuts a combining sequence."""
    lead = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    number = np.concatenate([[0], np.cumsum(lead)])  # characters that begin before a byte
    spans = []
    for start, end in _runs(mask).tolist():
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
