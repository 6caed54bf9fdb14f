"""``near``: of records whose word 5-grams overlap, the longest is kept.

Locality-sensitive hashing of MinHash signatures proposes pairs; the exact Jaccard similarity of
their sets of shingles decides. Records are taken in order of falling size, then of content key. A
record is removed if it is near one that is *kept*: there are no chains, so a record never leaves
because it is near something that left itself. What is kept depends on the contents alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.data import features
from buttress.data.records import Record
from buttress.data.shingles import Hashes, jaccard, shingle_sets, signatures
from buttress.data.stage import Decision, Decisions, Removal
from buttress.errors import InputError

_RECALL: Final = 0.995  # probability that a pair at the threshold is proposed
_PERMUTATIONS: Final = 128
_SLACK: Final = 4.0  # standard errors by which a signature's estimate may fall short
_CACHED: Final = 2_000  # sets of shingles kept in memory


class NearDuplicates:
    """Removes records that are near one that is kept.

    Args:
        threshold: Jaccard similarity of the sets of word 5-grams from which two records are near.
        max_candidates: kept records that one record is compared with; more are told.
    """

    def __init__(self, threshold: float = 0.8, max_candidates: int = 2_000) -> None:
        if not 0 < threshold <= 1:
            raise InputError(f"{threshold:g} is not usable", field="threshold", expected="0 to 1")
        if max_candidates < 1:
            raise InputError(
                f"{max_candidates} is too small", field="max_candidates", expected="1 or more"
            )
        self._threshold = threshold
        self._most = max_candidates
        self._bands, self._rows = bands_for(threshold)

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``: 8 bytes a shingle, and 8 bytes a band and record."""
        hashes, offsets = shingle_sets([record.text for record in records])
        signed = signatures(hashes, offsets, self._bands * self._rows)
        keys = np.frombuffer(b"".join(record.key[:8] for record in records), dtype=">u8")
        features.save(
            folder,
            {
                "shingles": hashes,
                "offsets": offsets,
                "signatures": signed,
                "bands": _band_hashes(signed, self._bands, self._rows),
                "keys": keys.astype(np.uint64),
            },
        )
        features.write_texts(folder, "ids", [record.id for record in records])

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        decisions = Decisions(iter(()))
        decisions.decisions = self._decisions(folders, decisions.notes)
        return decisions

    def _decisions(self, folders: Sequence[Path], notes: list[str]) -> Iterator[Decision]:
        sizes = np.concatenate([np.diff(features.load(one, "offsets")) for one in folders])
        keys = features.joined(folders, "keys")
        shards, places = features.owners(folders, "keys")
        rank = np.empty(len(keys), dtype=np.int64)
        rank[np.lexsort((keys, -sizes))] = np.arange(len(keys))
        members, buckets = self._buckets(folders, sizes)
        corpus = _Corpus(folders, shards, places, sizes)
        kept: dict[int, list[int]] = {}
        cut = 0
        removed: list[tuple[int, int, float]] = []
        order = np.lexsort((buckets, rank[members])) if len(members) else np.zeros(0, int)
        bounds: list[int] = np.flatnonzero(np.diff(members[order], prepend=-1)).tolist()
        for start, end in pairwise([*bounds, len(order)]):
            document = int(members[order[start]])
            mine = buckets[order[start:end]].tolist()
            others = sorted({one for bucket in mine for one in kept.get(bucket, ())})
            others = corpus.plausible(document, others, self._threshold)
            cut += len(others) > self._most
            best, nearest = 0.0, -1
            for other in sorted(others, key=lambda one: rank[one])[: self._most]:
                similarity = jaccard(corpus.shingles(document), corpus.shingles(other))
                if similarity > best:
                    best, nearest = similarity, other
            if best >= self._threshold:
                removed.append((nearest, document, best))
                continue
            for bucket in mine:
                kept.setdefault(bucket, []).append(document)
        if cut:
            notes.append(
                f"{cut} records were compared with the first {self._most} of their candidates only"
            )
        ids = features.Texts(folders, "ids")
        for keeper, document, similarity in sorted(removed):
            name = ids(int(shards[keeper]), int(places[keeper]))
            yield Decision(
                int(shards[document]), int(places[document]),
                Removal("near-duplicate", f"Jaccard similarity {similarity:.3f}", name),
            )  # fmt: skip

    def _buckets(self, folders: Sequence[Path], sizes: npt.NDArray[Any]) -> tuple[Any, Any]:
        """Records that share a bucket with another, and the bucket's number, one row a membership.

        One band is in memory at a time.
        """
        members, buckets, number = [], [], 0
        filled = sizes > 0
        for band in range(self._bands):
            column = np.concatenate([features.load(one, "bands")[:, band] for one in folders])
            order = np.argsort(column, kind="stable")
            order = order[filled[order]]
            ordered = column[order]
            new = np.ones(len(order), dtype=bool)
            new[1:] = ordered[1:] != ordered[:-1]
            group = np.cumsum(new) - 1
            shared = np.bincount(group, minlength=1)[group] > 1 if len(group) else new
            members.append(order[shared])
            buckets.append(group[shared] + number)
            number += len(order)
        return np.concatenate(members), np.concatenate(buckets)


class _Corpus:
    """Shingles and signatures of records by number, from disk."""

    def __init__(
        self,
        folders: Sequence[Path],
        shards: npt.NDArray[Any],
        places: npt.NDArray[Any],
        sizes: npt.NDArray[Any],
    ) -> None:
        self._folders = folders
        self._shards = shards
        self._places = places
        self._sizes = sizes
        self._open: dict[tuple[int, str], Any] = {}
        self._sets: dict[int, Hashes] = {}

    def _array(self, shard: int, name: str) -> Any:
        if (shard, name) not in self._open:
            if len(self._open) > 600:  # open files are limited
                self._open.clear()
            self._open[shard, name] = features.load(self._folders[shard], name)
        return self._open[shard, name]

    def shingles(self, document: int) -> Hashes:
        """The set of a record."""
        if document not in self._sets:
            if len(self._sets) >= _CACHED:
                self._sets.clear()
            shard, place = int(self._shards[document]), int(self._places[document])
            start, end = self._array(shard, "offsets")[place : place + 2]
            self._sets[document] = np.array(self._array(shard, "shingles")[start:end])
        return self._sets[document]

    def signature(self, document: int) -> Any:
        """The signature of a record."""
        return self._array(int(self._shards[document]), "signatures")[self._places[document]]

    def plausible(self, document: int, others: Sequence[int], threshold: float) -> list[int]:
        """Those that can be near by size, and are not far by their signature."""
        if not others:
            return []
        size = self._sizes[document]  # of the others none is smaller
        close = [one for one in others if size >= threshold * self._sizes[one]]
        if len(close) <= 4:
            return close
        signed = self.signature(document)
        spread = _SLACK * np.sqrt(max(threshold * (1 - threshold), 1e-4) / len(signed))
        return [
            one
            for one in close
            if np.count_nonzero(self.signature(one) == signed) >= (threshold - spread) * len(signed)
        ]


def bands_for(threshold: float) -> tuple[int, int]:
    """Bands and rows a band, of 128 permutations at most: the most rows that find the threshold."""
    for rows in range(16, 1, -1):
        bands = _PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= _RECALL:
            return bands, rows
    return _PERMUTATIONS, 1


def _band_hashes(signed: npt.NDArray[np.uint32], bands: int, rows: int) -> Hashes:
    wide = signed.reshape(len(signed), bands, rows).astype(np.uint64)
    result = np.zeros((len(signed), bands), dtype=np.uint64)
    for row in range(rows):
        result = (result ^ wide[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        result ^= result >> np.uint64(29)
    return result
