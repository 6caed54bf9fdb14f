"""The index on disk: a projected gradient for each record, so that each question costs one pass.

A record's gradient is kept as a direction in half precision and a length. Records are appended in
chunks; what a kill cut off is made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.training.examples import TrainingExample
from buttress.training.gradients import GradientProjector

_DIRECTIONS: Final = "gradients.f16"
_STATE: Final = "index.json"
_CHUNK: Final = 32  # records
_READ: Final = 1024  # records
Floats = NDArray[np.float32]
Say = Callable[[str], None]


class GradientIndex:
    """Gradients of records in a folder, made by one model.

    Args:
        folder: where it is, or is to be.
        of: what it depends on: digests of weights and data, rank, seed …

    Raises:
        InputError: the folder holds an index of something else, or can't be used.
    """

    def __init__(self, folder: Path, of: Mapping[str, Any]) -> None:
        self._folder = folder
        self._state: dict[str, Any] = {"of": dict(of), "shape": None, "lengths": []}
        path = folder / _STATE
        if path.exists():
            try:
                state = orjson.loads(path.read_bytes())
                held, self._state = state["of"], state
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(f"no index: {error}", file=str(path), field="--index") from None
            for name, value in of.items():
                if held.get(name) != value:
                    raise InputError(
                        f"holds an index of other {name}", file=str(folder), field="--index",
                        expected="another folder",
                    )  # fmt: skip
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(folder), field="--index"
            ) from None

    @property
    def size(self) -> int:
        """Records in the index."""
        return len(self._state["lengths"])

    def extend(
        self,
        projector: GradientProjector,
        records: Sequence[Sequence[TrainingExample]],
        say: Say = lambda _: None,
    ) -> None:
        """Add what is missing of these records, each a list of examples; their gradients are added.

        Raises:
            InputError: a gradient is not finite.
        """
        shape = (projector.layers, projector.rank**2)
        self._state["shape"] = list(shape)
        size = shape[0] * shape[1] * 2
        with (self._folder / _DIRECTIONS).open("ab") as file:
            file.truncate(self.size * size)
            file.seek(0, os.SEEK_END)
            while self.size < len(records):
                chunk = records[self.size : self.size + _CHUNK]
                unit, lengths = unit_gradients(projector, chunk)
                file.write(unit.astype(np.float16).tobytes())
                file.flush()
                os.fsync(file.fileno())
                self._state["lengths"] += [float(one) for one in lengths]
                write_whole(self._folder / _STATE, orjson.dumps(self._state), "--index")
                say(f"gradients: {self.size} of {len(records)} records")

    def chunks(self) -> Iterator[Floats]:
        """Directions of the records in order, each chunk (records, layers, rank²)."""
        layers, numbers = self._state["shape"]
        held = np.memmap(self._folder / _DIRECTIONS, np.float16, "r")[
            : self.size * layers * numbers
        ].reshape(self.size, layers, numbers)
        for start in range(0, self.size, _READ):
            yield np.asarray(held[start : start + _READ], np.float32)


def unit_gradients(
    projector: GradientProjector, records: Sequence[Sequence[TrainingExample]]
) -> tuple[Floats, Floats]:
    """Direction of each record's gradient, (records, layers, rank²), and its length.

    Raises:
        InputError: a gradient is not finite.
    """
    rows = _of_records(projector, records)
    lengths = np.linalg.norm(rows.reshape(len(rows), -1), axis=1)
    if not np.isfinite(lengths).all():
        raise InputError("a gradient is not finite", field="WEIGHTS")
    return rows / np.maximum(lengths, 1e-30)[:, None, None], lengths


def _of_records(
    projector: GradientProjector, records: Sequence[Sequence[TrainingExample]]
) -> Floats:
    examples = [one for record in records for one in record]
    owners = [place for place, record in enumerate(records) for _ in record]
    found = projector.gradients(examples).numpy()
    weights = np.array([one.learned for one in examples], np.float32)
    rows = np.zeros((len(records), projector.layers, projector.rank**2), np.float32)
    np.add.at(rows, owners, found * weights[:, None, None])
    tokens = np.zeros(len(records), np.float32)
    np.add.at(tokens, owners, weights)
    return np.asarray(rows / np.maximum(tokens, 1)[:, None, None], np.float32)


class Directions(Protocol):
    """Directions of the gradients of records."""

    @property
    def size(self) -> int:
        """Records."""
        ...

    def chunks(self) -> Iterator[Floats]:
        """In order, each chunk (records, layers, rank²)."""
        ...


def influences(index: Directions, queries: Floats, *, damping: float = 10.0) -> Floats:
    """What training on each record does for each query, between -1 and 1: (queries, records).

    The cosine of both gradients after each layer's are whitened by their second moment over the
    records, with ``damping`` of its mean eigenvalue added: so no layer drowns the others. Positive:
    training on the record makes the query likelier. The cosine keeps long or odd records from
    leading every list (Barshan et al. 2020, "RelatIF").

    Args:
        index: of the records.
        queries: gradients, (queries, layers, rank²).
        damping: in mean eigenvalues, above 0.
    """
    moments: NDArray[np.float64] | None = None
    for chunk in index.chunks():
        found = np.einsum("nli,nlj->lij", chunk, chunk, dtype=np.float64)
        moments = found if moments is None else moments + found
    if moments is None:
        return np.zeros((len(queries), 0), np.float32)
    moments = moments / index.size
    numbers = moments.shape[1]
    mean = np.trace(moments, axis1=1, axis2=2) / numbers
    moments += (damping * mean + 1e-30)[:, None, None] * np.eye(numbers)
    whiten = np.linalg.inv(np.linalg.cholesky(moments)).astype(np.float32)
    wanted = _unit(np.einsum("lij,qlj->qli", whiten, queries))
    scores = [
        wanted.reshape(len(wanted), -1)
        @ _unit(np.einsum("lij,nlj->nli", whiten, chunk)).reshape(len(chunk), -1).T
        for chunk in index.chunks()
    ]
    return np.asarray(np.concatenate(scores, axis=1), np.float32)


def _unit(rows: Any) -> Any:
    lengths = np.linalg.norm(rows.reshape(len(rows), -1), axis=1)
    return rows / np.maximum(lengths, 1e-30)[:, None, None]
