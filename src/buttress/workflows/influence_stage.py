"""``influence``: the records that are most behind a behaviour of a model that learned from them go.

A stage of ``buttress data run``. It knows the pipeline and training, so it stands above both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from buttress.data import features
from buttress.data.inputs import expand
from buttress.data.reading import Readable, read
from buttress.data.records import Record
from buttress.data.stage import Decision, Decisions, Removal
from buttress.errors import InputError
from buttress.training import need_training

if TYPE_CHECKING:
    from buttress.training.examples import ExampleReader
    from buttress.training.gradients import GradientProjector

MAX_TOKENS: Final = 512  # of an example


class InfluentialRecords:
    """Removes the records that make a behaviour of a model likelier, as training on them does.

    Args:
        weights: folder of the model that shows the behaviour, or of an adapter of it.
        behaviour: examples of the behaviour, as records: prompts with the answers that it gives.
        top: records that go, those with the highest influence; none that speaks against it.
        rank: directions of each layer's inputs and outputs.
        seed: of the directions.
    """

    def __init__(
        self, weights: Path, behaviour: Path, top: int = 20, rank: int = 8, seed: int = 0
    ) -> None:
        need_training("the stage influence")
        if not weights.is_dir():
            raise InputError("no such folder", file=str(weights), field="weights")
        if not behaviour.is_file():
            raise InputError("no such file", file=str(behaviour), field="behaviour")
        for name, value, most in (("top", top, 1 << 30), ("rank", rank, 64)):
            if not 1 <= value <= most:
                raise InputError(f"{value} is not usable", field=name, expected=f"1 to {most}")
        self._weights = weights
        self._behaviour = behaviour
        self._top = top
        self._model = (weights, rank, seed)

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``: 2 ``rank``² bytes a record and layer."""
        from buttress.training.gradient_index import unit_gradients

        reader, projector = _loaded(*self._model)
        rows, places = [], []
        for place, record in enumerate(records):
            try:
                examples = reader.examples([record.data]).examples
            except InputError:  # nothing to learn in it
                continue
            # One record at a time: its gradient does not depend on what else is read.
            directions, _ = unit_gradients(projector, [examples])
            rows.append(directions[0].astype(np.float16))
            places.append(place)
        shape = (0, projector.layers, projector.rank**2)
        features.save(
            folder,
            {
                "directions": np.stack(rows) if rows else np.zeros(shape, np.float16),
                "places": np.array(places, np.int64),
                "missing": np.array([len(records) - len(rows)]),
            },
        )

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        missing = int(features.joined(folders, "missing").sum())
        notes = [f"{missing} records have nothing to learn and stay"] if missing else []
        return Decisions(self._decisions(folders), notes)

    def _decisions(self, folders: Sequence[Path]) -> Iterator[Decision]:
        from buttress.training.gradient_index import influences

        _, projector = _loaded(*self._model)
        queries = np.stack([projector.gradients([one]).numpy()[0] for one in self._asked()])
        scores = influences(_Directions(folders), queries).mean(axis=0)
        places = features.joined(folders, "places")
        shards, _ = features.owners(folders, "places")
        order = np.argsort(-scores, kind="stable")[: self._top]
        for rank, row in enumerate(order.tolist(), 1):
            if scores[row] > 0:
                reason = f"influence {scores[row]:.3f} on {self._behaviour.name}, rank {rank}"
                yield Decision(int(shards[row]), int(places[row]), Removal("influential", reason))

    def _asked(self) -> list[Any]:
        reader, _ = _loaded(*self._model)
        records = [one.data for one in read(expand([self._behaviour])) if isinstance(one, Readable)]
        try:
            return reader.examples(records).examples
        except InputError as error:
            raise InputError(
                error.problem, file=str(self._behaviour), field="stage influence: behaviour",
                expected=error.expected,
            ) from None  # fmt: skip


class _Directions:
    """The gradients' directions of all shards, a shard at a time."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.size = sum(len(features.load(one, "places")) for one in folders)

    def chunks(self) -> Iterator[Any]:
        for folder in self._folders:
            if len(rows := features.load(folder, "directions")):
                yield np.asarray(rows, np.float32)


@lru_cache(maxsize=1)
def _loaded(weights: Path, rank: int, seed: int) -> tuple[ExampleReader, GradientProjector]:
    from buttress.training.examples import ExampleReader
    from buttress.training.gradients import GradientProjector
    from buttress.white_box.loading import load
    from buttress.white_box.token_statistics import positions

    model, tokenizer = load(weights, device="auto")
    most = min(MAX_TOKENS, positions(model) or MAX_TOKENS)
    return ExampleReader(tokenizer, most), GradientProjector(model, rank=rank, seed=seed)
