"""What a run leaves: kept records, removed ones, changes, originals; and the counts of these."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import orjson

from buttress.data import shards
from buttress.data.pipeline import Corpus
from buttress.data.plan import PipelinePlan
from buttress.data.records import Record

KEPT: Final = "kept"
REMOVED: Final = "removed.jsonl.zst"
CHANGES: Final = "changes.jsonl"
ORIGINALS: Final = "originals.jsonl.zst"
EXAMPLES: Final = 5  # of a stage, in the report
_MODULUS: Final = 1 << 512


class Digest:
    """A digest of a multiset of records that does not depend on their order.

    The sum of the records' SHA-512 modulo 2**512, hashed (Clarke et al. 2003, MSet-Add-Hash).
    It has no key: whoever changes the set can make the digest of the new one.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0

    def add(self, key: bytes) -> None:
        """Take in a record by its content key: white space and order of fields don't matter."""
        self._sum = (self._sum + int.from_bytes(hashlib.sha512(key).digest(), "big")) % _MODULUS
        self._count += 1

    def hexadecimal(self) -> str:
        """64 digits."""
        data = self._sum.to_bytes(64, "big") + self._count.to_bytes(8, "big")
        return hashlib.sha256(data).hexdigest()


@dataclass(slots=True)
class Counts:
    """What a run did. Stages are counted by their place in the pipeline."""

    kept: int = 0
    removed: int = 0
    changed: int = 0  # of those kept
    digest: str = ""
    seen: Counter[int] = field(default_factory=Counter)
    removals: Counter[int] = field(default_factory=Counter)
    changes: Counter[int] = field(default_factory=Counter)
    rules: dict[int, Counter[str]] = field(default_factory=dict)
    kinds: dict[int, Counter[str]] = field(default_factory=dict)
    sources: dict[str, SourceCounts] = field(default_factory=dict)
    examples: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class SourceCounts:
    """One source: records that were read and kept, and by stage those seen and removed."""

    read: int = 0
    kept: int = 0
    seen: Counter[int] = field(default_factory=Counter)
    removals: Counter[int] = field(default_factory=Counter)


def write(corpus: Corpus, plan: PipelinePlan, folder: Path | None) -> Counts:
    """Write the outputs into ``folder``, or only count where it is None."""
    counts = Counts()
    digest = Digest()
    with ExitStack() as stack:
        sinks = _sinks(folder, stack) if folder is not None else {}
        for shard in range(corpus.count):
            records = shards.as_records(corpus.kept(shard), plan.field, plan.source_field)
            log = corpus.log(shard)
            for record in records:
                digest.add(record.key)
            _count(counts, log, records)
            if folder is not None:
                data = b"".join(record.line + b"\n" for record in records)
                shards.write_whole(folder / KEPT / f"part-{shard:05}.jsonl", data)
                _write_log(log, plan, sinks)
    counts.digest = digest.hexadecimal()
    if folder is not None:
        for name in sinks:
            _partial(folder, name).replace(folder / name)
    return counts


def _sinks(folder: Path, stack: ExitStack) -> dict[str, IO[bytes]]:
    (folder / KEPT).mkdir(exist_ok=True)
    for old in (folder / KEPT).glob("part-*.jsonl"):
        old.unlink()
    sinks: dict[str, IO[bytes]] = {}
    for name in (CHANGES, REMOVED, ORIGINALS):
        sinks[name] = stack.enter_context(open_to_write(_partial(folder, name)))
    return sinks


def open_to_write(path: Path) -> Any:
    """A file to write to, compressed where its name says so; readable by its owner alone."""
    path.touch(mode=0o600)
    file = path.open("wb")
    if ".zst" not in path.name:
        return file
    return shards.compressor().ZstdCompressor(level=1).stream_writer(file)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file that ``open_to_write`` wrote; fields called ``record`` stay raw."""
    kind = dict[str, msgspec.Raw]
    with path.open("rb") as file:
        lines = (
            shards.compressor().ZstdDecompressor().stream_reader(file, read_across_frames=True)
            if path.suffix == ".zst"
            else file
        )
        with io.BufferedReader(lines, 1 << 20) as buffered:
            for line in buffered:
                parts = msgspec.json.decode(line, type=kind)
                yield {
                    name: bytes(value) if name == "record" else msgspec.json.decode(value)
                    for name, value in parts.items()
                }


def _partial(folder: Path, name: str) -> Path:
    return folder / f".partial-{name}"


def _write_log(log: shards.Log, plan: PipelinePlan, sinks: dict[str, IO[bytes]]) -> None:
    for removed in log.removed:
        sinks[REMOVED].write(
            msgspec.json.encode(
                {
                    "id": removed.id,
                    "stage": plan.stages[removed.stage].name,
                    "rule": removed.rule,
                    "reason": removed.reason,
                    "duplicate_of": removed.duplicate_of or None,
                    "source": removed.source,
                    "file": removed.file,
                    "line": removed.line,
                    "number": removed.number,
                    "step": removed.stage,
                    "record": msgspec.Raw(removed.data),
                }
            )
            + b"\n"
        )
    last = -1
    for changed in log.changed:
        spans = [
            {
                "field": changed.paths[edit.slot],
                "slot": edit.slot,
                "start": edit.start,
                "end": edit.end,
                "type": edit.kind,
                "replacement": edit.replacement,
            }
            for edit in changed.edits
        ]
        sinks[CHANGES].write(
            orjson.dumps(
                {
                    "id": changed.id,
                    "stage": plan.stages[changed.stage].name,
                    "spans": spans,
                    "number": changed.number,
                    "step": changed.stage,
                }
            )
            + b"\n"
        )
        if changed.number != last:
            line = {"id": changed.id, "number": changed.number}
            sinks[ORIGINALS].write(
                msgspec.json.encode(line | {"record": msgspec.Raw(changed.data)}) + b"\n"
            )
            last = changed.number


def _count(counts: Counts, log: shards.Log, records: Sequence[Record]) -> None:
    for stage, by_source in log.seen.items():
        for source, number in by_source.items():
            counts.seen[stage] += number
            own = counts.sources.setdefault(source, SourceCounts())
            own.seen[stage] += number
    for removed in log.removed:
        counts.removed += 1
        counts.removals[removed.stage] += 1
        counts.rules.setdefault(removed.stage, Counter())[removed.rule] += 1
        own = counts.sources.setdefault(removed.source, SourceCounts())
        own.removals[removed.stage] += 1
        own.read += 1
        examples = counts.examples.setdefault(removed.stage, [])
        if len(examples) < EXAMPLES:
            examples.append(
                {
                    "id": removed.id,
                    "rule": removed.rule,
                    "reason": removed.reason,
                    "duplicate_of": removed.duplicate_of or None,
                }
            )
    kept = {record.position.number for record in records}
    changed_kept = set()
    for changed in log.changed:
        counts.changes[changed.stage] += 1
        kinds = counts.kinds.setdefault(changed.stage, Counter())
        kinds.update(edit.kind for edit in changed.edits)
        if changed.number in kept:
            changed_kept.add(changed.number)
    counts.kept += len(records)
    counts.changed += len(changed_kept)
    for record in records:
        own = counts.sources.setdefault(record.source, SourceCounts())
        own.kept += 1
        own.read += 1
