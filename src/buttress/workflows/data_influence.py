"""Which records of training data are behind a behaviour: an index, a question, two lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from buttress import __version__
from buttress.data.inputs import expand
from buttress.data.reading import Readable, read
from buttress.data.records import Record
from buttress.errors import InputError
from buttress.files.atomic import atomic_path
from buttress.files.visible import shortened
from buttress.rules.personal.detectors import KINDS, find
from buttress.targets.adapters import base_of
from buttress.targets.fingerprint import files_digest
from buttress.training import need_training
from buttress.workflows.influence_stage import MAX_TOKENS
from buttress.workflows.tune import data_digest

if TYPE_CHECKING:
    from buttress.training.examples import TrainingExample

_EXCERPT: Final = 160  # characters
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class InfluenceRequest:
    """Which model, records and behaviour.

    ``weights``: Hugging Face folder, or one with an adapter. ``adapter``: of ``weights``, the model
    that shows the behaviour. ``index``: folder for the gradients, which serve later questions.
    ``without``: where the data goes without the ``top`` records for the behaviour.
    """

    weights: Path
    data: Path
    behaviour: Path
    index: Path
    adapter: Path | None = None
    top: int = 20
    rank: int = 8
    without: Path | None = None
    seed: int = 0
    device: str = "auto"


@dataclass(slots=True)
class _Records:
    """Records with examples, each with its own; the lines of all, in order."""

    lines: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    examples: list[list[TrainingExample]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def influence(request: InfluenceRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """The document.

    Raises:
        InputError: weights, adapter, data, behaviour or index is not usable.
        MissingExtraError: torch, transformers or peft is not there.
    """
    need_training("influence of training data")
    from buttress.training.examples import ExampleReader
    from buttress.training.gradient_index import GradientIndex, influences
    from buttress.training.gradients import GradientProjector
    from buttress.training.similarity import bm25, representations
    from buttress.white_box.loading import load
    from buttress.white_box.token_statistics import positions

    if request.adapter is not None:
        base = base_of(request.adapter)
        if base is None:
            raise InputError("no adapter in it", file=str(request.adapter), field="--adapter")
        if base.resolve() != request.weights.resolve():
            raise InputError(
                f"belongs to {base}", file=str(request.adapter), field="--adapter",
                expected=f"an adapter of {request.weights}",
            )  # fmt: skip
    if request.without is not None:
        _check_without(request.without, request)
    folder = request.adapter or request.weights
    index = GradientIndex(
        request.index,
        {
            "weights": _digest(folder),
            "data": data_digest(request.data),
            "rank": request.rank,
            "seed": request.seed,
        },
    )
    say(f"loading {folder}")
    model, tokenizer = load(folder, device=request.device)
    reader = ExampleReader(tokenizer, min(MAX_TOKENS, positions(model) or MAX_TOKENS))
    data = _read(request.data, reader, "--data")
    asked = _read(request.behaviour, reader, "--behaviour")
    projector = GradientProjector(model, rank=request.rank, seed=request.seed)
    index.extend(projector, data.examples, say)
    queries = [one for examples in asked.examples for one in examples]
    scores = influences(index, projector.gradients(queries).numpy()).mean(axis=0)
    say("words and representations")
    texts = [one.text for one in data.records]
    by_words = bm25([one.text for one in asked.records], texts).mean(axis=0)
    firsts = representations(model, [one[0] for one in data.examples])
    by_representation = firsts @ representations(model, queries).mean(axis=0)
    ranks = [_ranks(one) for one in (scores, by_words, by_representation)]
    top = min(request.top, len(data.records))
    order = np.argsort(-scores, kind="stable")
    first = [int(one) for one in order[:top]]
    last = [int(one) for one in order[::-1][:top]]
    if request.without is not None:
        taken = {data.records[one].position.number for one in first if scores[one] > 0}
        _write_without(request.without, data, taken)
    return {
        "schema": "buttress-influence/1",
        "version": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "weights": str(request.weights),
        "adapter": str(request.adapter) if request.adapter else None,
        "data": str(request.data),
        "behaviour": str(request.behaviour),
        "records": len(data.records),
        "left_out": {name: count for name, count in sorted(data.left_out.items()) if count},
        "queries": len(queries),
        "rank": request.rank,
        "layers": projector.layers,
        "seed": request.seed,
        "supporting": [_row(data, one, scores, ranks) for one in first if scores[one] > 0],
        "opposing": [_row(data, one, scores, ranks) for one in last if scores[one] < 0],
        "shared_with_words": float(np.mean(ranks[1][first] <= top)),
        "shared_with_representation": float(np.mean(ranks[2][first] <= top)),
        "without": str(request.without) if request.without else None,
    }


def _digest(folder: Path) -> str:
    base = base_of(folder)
    files = [*folder.glob("*.safetensors"), *folder.glob("*.json"), *folder.glob("*.jinja")]
    if not any(one.suffix == ".safetensors" for one in files):
        raise InputError(
            "no weights in it", file=str(folder), field="WEIGHTS",
            expected="a Hugging Face folder with safetensors",
        )  # fmt: skip
    own = files_digest(one for one in files if one.name != "tune.json")
    return own if base is None else f"{_digest(base)} {own}"


def _read(path: Path, reader: Any, option: str) -> _Records:
    """Records of a data set, those without an example left out.

    Raises:
        InputError: no record has an example.
    """
    found = _Records()
    read_records: list[Record] = []
    for one in read(expand([path])):
        if isinstance(one, Readable):
            read_records.append(Record(one.line, one.position))
            found.lines.append(one.line)
        else:
            found.left_out["unreadable"] += 1
    try:
        made = reader.examples([one.data for one in read_records])
    except InputError as error:
        raise InputError(
            error.problem, file=str(path), field=option, expected=error.expected
        ) from None
    by_record: dict[int, list[TrainingExample]] = {}
    for example in made.examples:
        by_record.setdefault(example.record, []).append(example)
    for number, examples in sorted(by_record.items()):
        found.records.append(read_records[number])
        found.examples.append(examples)
    found.left_out += made.left_out
    return found


def _ranks(scores: Any) -> Any:
    """Ranks from 1, the highest score first; equal scores keep their order."""
    ranks = np.empty(len(scores), int)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _row(data: _Records, place: int, scores: Any, ranks: Sequence[Any]) -> dict[str, Any]:
    record = data.records[place]
    return {
        "id": record.id,
        "file": record.position.file,
        "line": record.position.line,
        "influence": float(np.clip(scores[place], -1, 1)),
        "rank": int(ranks[0][place]),
        "rank_by_words": int(ranks[1][place]),
        "rank_by_representation": int(ranks[2][place]),
        "excerpt": _excerpt(record.text),
    }


def _excerpt(text: str) -> str:
    """The beginning of a text, without its personal data and secrets."""
    start = text[: 4 * _EXCERPT]
    for one in sorted(find(start, KINDS), key=lambda match: -match.start):
        start = f"{start[: one.start]}[{one.kind}]{start[one.end :]}"
    return shortened(start if len(start) <= _EXCERPT else start[:_EXCERPT] + "…")


def _check_without(path: Path, request: InfluenceRequest) -> None:
    """What is written must not take the place of what was read, and is JSON Lines."""
    read_files = {one.resolve() for one in expand([request.data, request.behaviour])}
    inside = request.data.is_dir() and path.resolve().is_relative_to(request.data.resolve())
    if path.resolve() in read_files or inside:
        raise InputError(
            "would change what was read", file=str(path), field="--without",
            expected="a new file, outside of the data",
        )  # fmt: skip
    if path.suffix != ".jsonl":
        raise InputError(
            f"ending '{path.suffix}'", file=str(path), field="--without", expected=".jsonl"
        )


def _write_without(path: Path, data: _Records, numbers: set[int]) -> None:
    with atomic_path(path, "--without") as part, part.open("wb") as file:
        for number, line in enumerate(data.lines):
            if number not in numbers:
                file.write(line + b"\n")
