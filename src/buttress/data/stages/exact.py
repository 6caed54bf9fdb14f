"""``exact``: of records with the same texts, one is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from buttress.data import features
from buttress.data.records import Record
from buttress.data.stage import Decision, Decisions, Removal


class ExactDuplicates:
    """Keeps the record with the least content key of those whose texts are the same.

    Args:
        whitespace: whether texts that differ in white space alone are different.
    """

    def __init__(self, whitespace: bool = True) -> None:
        self._whitespace = whitespace

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``: 32 bytes a record."""
        rows = np.frombuffer(
            b"".join(self._digest(record) + record.key[:16] for record in records), dtype=">u8"
        ).reshape(-1, 4)
        features.save(folder, {"digests": rows.astype(np.uint64)})
        features.write_texts(folder, "ids", [record.id for record in records])

    def _digest(self, record: Record) -> bytes:
        digest = hashlib.sha256()
        for slot in record.slots:
            text = slot.text if self._whitespace else " ".join(slot.text.split())
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
        return digest.digest()[:16]

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        return Decisions(_decisions(folders))


def _decisions(folders: Sequence[Path]) -> Iterator[Decision]:
    rows = features.joined(folders, "digests")
    shards, places = features.owners(folders, "digests")
    order = np.lexsort((rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))
    first = np.ones(len(order), dtype=bool)
    ordered = rows[order, :2]
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kept = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    pairs = sorted(zip(kept[~first].tolist(), order[~first].tolist(), strict=True))
    ids = features.Texts(folders, "ids")
    for keeper, removed in pairs:
        name = ids(int(shards[keeper]), int(places[keeper]))
        yield Decision(
            int(shards[removed]), int(places[removed]),
            Removal("exact-duplicate", "the same text as a record that is kept", name),
        )  # fmt: skip
