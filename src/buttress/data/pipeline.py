"""Runs a plan over a corpus: shards on disk, passes over them, a killed run goes on where it was.

The corpus is cut into shards. A pass takes each shard through the stages that judge records by
themselves, up to a stage that needs the whole corpus; this one notes features of each shard and
decides when all are there. Each shard of a pass is written whole, so a run that is killed and
resumed gives the same result. Memory holds one shard, and what a corpus stage needs to decide.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress.data import shards
from buttress.data.edits import apply_edits
from buttress.data.plan import PipelinePlan, StageSpec
from buttress.data.reading import Readable, Unreadable, read
from buttress.data.records import Record
from buttress.data.runners import ShardRunner
from buttress.data.stage import CorpusStage, Decisions, Outcome, RecordChange, RecordStage, Removal
from buttress.errors import InputError
from buttress.files.visible import printable_name

WORK: Final = ".work"
UNREADABLE: Final = "unreadable.jsonl"
_READ: Final = "read.json"
_MOST_FIELDS: Final = 200  # fields without a reader that are told
FORMAT: Final = 4  # of the work folder; another one can't be resumed


@dataclass(frozen=True, slots=True)
class Pass:
    """Stages that judge records by themselves, then one that needs the whole corpus, if any."""

    stages: tuple[tuple[int, StageSpec], ...]
    corpus: tuple[int, StageSpec] | None


@dataclass(frozen=True, slots=True)
class Task:
    """One shard of one pass; ``decided`` is the stage whose decisions are applied first."""

    source: Path
    target: Path
    shard: int
    plan: PipelinePlan
    work: Pass
    decided: int | None


@dataclass(frozen=True, slots=True)
class Corpus:
    """The corpus after all passes: where its shards and logs are."""

    work: Path
    count: int  # of shards
    passes: int
    records: int
    unreadable: int
    unread_fields: dict[str, int]  # records by field with a string that is not read
    notes: tuple[tuple[int, str], ...]  # stage, what it did not look at

    def kept(self, shard: int) -> list[shards.ShardEntry]:
        """The records of a shard that are kept."""
        return shards.read_entries(_shard(self.work / str(self.passes), shard))

    def log(self, shard: int) -> shards.Log:
        """What all stages did to a shard: removals by number, changes by number and stage."""
        logs = [
            shards.read_log(_log(self.work / str(number), shard))
            for number in range(1, self.passes + 1)
        ]
        seen: dict[int, dict[str, int]] = {}
        for log in logs:
            seen |= log.seen
        return shards.Log(
            sorted((one for log in logs for one in log.removed), key=lambda one: one.number),
            sorted(
                (one for log in logs for one in log.changed),
                key=lambda one: (one.number, one.stage),
            ),
            seen,
        )


def process(
    files: Sequence[Path],
    plan: PipelinePlan,
    folder: Path,
    *,
    runner: ShardRunner,
    progress: Callable[[str], None] = lambda _: None,
) -> Corpus:
    """Take the records of ``files`` through the stages; what is kept stays in ``folder``/.work.

    What a run of the same files and plan left there when it was killed is not done again.

    Raises:
        InputError: no record can be read.
    """
    work = (folder / WORK).absolute()  # a worker elsewhere has another current folder
    work.mkdir(exist_ok=True)
    read_in = _read(files, plan, folder, work, progress)
    passes = split(plan.stages)
    notes: list[tuple[int, str]] = []
    decided: int | None = None
    for number, one in enumerate(passes, 1):
        source, target = work / str(number - 1), work / str(number)
        target.mkdir(exist_ok=True)
        names = ", ".join(
            spec.name for _, spec in (*one.stages, *((one.corpus,) if one.corpus else ()))
        )
        progress(f"pass {number} of {len(passes)}: {names or 'apply'}")
        runner.run(
            process_shard,
            [
                Task(source, target, shard, plan, one, decided)
                for shard in range(read_in["shards"])
                if not _log(target, shard).exists()
            ],
        )
        decided = None
        if one.corpus is not None:
            decided = one.corpus[0]
            notes += [(decided, note) for note in _decide(target, one.corpus[1], read_in["shards"])]
        for shard in range(read_in["shards"]):
            _shard(source, shard).unlink(missing_ok=True)
    return Corpus(
        work, read_in["shards"], len(passes), read_in["records"], read_in["unreadable"],
        read_in["unread_fields"], tuple(notes),
    )  # fmt: skip


def split(stages: Sequence[StageSpec]) -> list[Pass]:
    """The passes; the last one has no corpus stage."""
    passes: list[Pass] = []
    own: list[tuple[int, StageSpec]] = []
    for number, spec in enumerate(stages):
        if isinstance(spec.make(), CorpusStage):
            passes.append(Pass(tuple(own), (number, spec)))
            own = []
        else:
            own.append((number, spec))
    return [*passes, Pass(tuple(own), None)]


def process_shard(task: Task) -> None:
    """Take one shard through a pass, and write it, its log and its features."""
    plan = task.plan
    entries = shards.read_entries(_shard(task.source, task.shard))
    records = shards.as_records(entries, plan.field, plan.source_field)
    log = shards.Log([], [], {})
    if task.decided is not None:
        path = task.source / f"decisions-{task.shard:06}.zst"
        outcomes: list[Outcome] = [None] * len(records)
        if path.exists():
            with plan.stages[task.decided].naming():
                for index, outcome in _read_decisions(path):
                    outcomes[index] = outcome
        records = _applied(records, outcomes, task.decided, log)
    for number, spec in task.work.stages:
        stage = spec.make()
        assert isinstance(stage, RecordStage)
        with spec.naming():
            records = _applied(records, stage.apply(records), number, log)
    if task.work.corpus is not None:
        spec = task.work.corpus[1]
        observer = spec.make()
        assert isinstance(observer, CorpusStage)
        folder = _features(task.target, task.shard)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with spec.naming():
            observer.observe(records, folder)
    target = _shard(task.target, task.shard)
    if log.removed or log.changed:
        shards.write_entries(target, shards.as_entries(records))
    else:
        shards.link(_shard(task.source, task.shard), target)
    shards.write(_log(task.target, task.shard), log)  # last: it says that the shard is done


def _applied(
    records: Sequence[Record], outcomes: Sequence[Outcome], stage: int, log: shards.Log
) -> list[Record]:
    """The records that remain; what was done goes into the log."""
    kept: list[Record] = []
    seen = log.seen.setdefault(stage, {})
    for record, outcome in zip(records, outcomes, strict=True):
        source = record.source
        seen[source] = seen.get(source, 0) + 1
        place = record.position
        if isinstance(outcome, Removal):
            log.removed.append(
                shards.Removed(
                    place.number, stage, place.file, place.line, record.id, source, outcome.rule,
                    outcome.reason, outcome.duplicate_of, record.line,
                )
            )  # fmt: skip
        elif isinstance(outcome, RecordChange):
            texts, applied = apply_edits([slot.text for slot in record.slots], outcome.edits)
            paths = [list(slot.path) for slot in record.slots]
            log.changed.append(
                shards.Changed(place.number, stage, record.id, source, paths, applied, record.line)
            )
            kept.append(record.with_texts(texts))
        elif outcome is None:
            kept.append(record)
        else:
            raise TypeError(
                f"it gave {type(outcome).__name__} in place of Removal, RecordChange or None"
            )
    return kept


def has_read(folder: Path) -> bool:
    """Whether a run in the folder has read its inputs: there is something to go on with."""
    return (folder / WORK / _READ).exists()


def identity(files: Sequence[Path], plan: PipelinePlan) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    inputs: list[Any] = []
    for file in files:
        state = file.stat()
        inputs.append([printable_name(str(file)), state.st_size, state.st_mtime_ns])
    return {
        "format": FORMAT,
        "inputs": inputs,
        "stages": [spec.to_json() for spec in plan.stages],
        "fields": [plan.field, plan.source_field],
    }


def _read(
    files: Sequence[Path],
    plan: PipelinePlan,
    folder: Path,
    work: Path,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Cut the inputs into shards; what can't be read goes aside."""
    marker = work / _READ
    if marker.exists():
        known: dict[str, Any] = orjson.loads(marker.read_bytes())
        return known
    progress(f"reading {len(files)} files")
    target = work / "0"
    target.mkdir(exist_ok=True)
    said: dict[str, Any] = {
        "shards": 0, "records": 0, "unreadable": 0, "first": "", "file": "", "line": 0,
    }  # fmt: skip
    unread: Counter[str] = Counter()
    with (folder / UNREADABLE).open("wb") as aside:

        def records() -> Iterator[Record]:
            for one in read(files, plan.field):
                if isinstance(one, Readable):
                    said["records"] += 1
                    for name in one.unread:
                        if name in unread or len(unread) < _MOST_FIELDS:
                            unread[name] += 1
                    yield Record(
                        one.line, one.position, field=plan.field, source_field=plan.source_field,
                        known={"data": one.data},
                    )  # fmt: skip
                    continue
                said["unreadable"] += 1
                if said["unreadable"] == 1:
                    said.update(first=one.reason, file=one.file, line=one.line)
                aside.write(orjson.dumps(_aside(one)) + b"\n")

        for batch in shards.batches(shards.as_entries(records())):
            shards.write_entries(_shard(target, said["shards"]), batch)
            said["shards"] += 1
    if not said["records"] and said["unreadable"]:
        raise InputError(
            f"none of {said['unreadable']} records can be read: {said['first']}",
            file=said["file"], line=said["line"],
        )  # fmt: skip
    said["unread_fields"] = dict(sorted(unread.items()))
    shards.write_whole(marker, orjson.dumps(said))
    return said


def _aside(one: Unreadable) -> dict[str, Any]:
    import base64

    kept: dict[str, Any] = {"file": one.file, "line": one.line, "reason": one.reason}
    try:
        return kept | {"raw": one.raw.decode("utf-8")}
    except UnicodeDecodeError:
        return kept | {"raw_base64": base64.b64encode(one.raw).decode()}


def _decide(target: Path, spec: StageSpec, count: int) -> list[str]:
    """Let a corpus stage decide; its notes. Features are dropped, decisions stay."""
    marker = target / "decided.json"
    if not marker.exists():
        stage = spec.make()
        assert isinstance(stage, CorpusStage)
        folders = [_features(target, shard) for shard in range(count)]
        by_shard: dict[int, list[Any]] = {}
        with spec.naming():
            decisions = stage.decide(folders) if folders else Decisions(iter(()))
            for one in decisions.decisions:
                by_shard.setdefault(one.shard, []).append((one.index, one.outcome))
        for shard, found in by_shard.items():
            shards.write(target / f"decisions-{shard:06}.zst", [_packed(one) for one in found])
        shards.write_whole(marker, orjson.dumps(decisions.notes))
    for shard in range(count):
        shutil.rmtree(_features(target, shard), ignore_errors=True)
    notes: list[str] = orjson.loads(marker.read_bytes())
    return notes


def _packed(one: tuple[int, Removal | RecordChange]) -> list[Any]:
    index, outcome = one
    return [index, isinstance(outcome, Removal), msgspec.to_builtins(outcome)]


def _read_decisions(path: Path) -> Iterator[tuple[int, Outcome]]:
    for index, removal, outcome in shards.read_any(path):
        if removal:
            yield index, msgspec.convert(outcome, Removal)
        else:
            yield index, msgspec.convert(outcome, RecordChange)


def _shard(folder: Path, shard: int) -> Path:
    return folder / f"shard-{shard:06}.msgpack"


def _log(folder: Path, shard: int) -> Path:
    return folder / f"log-{shard:06}.zst"


def _features(folder: Path, shard: int) -> Path:
    return folder / f"features-{shard:06}"
