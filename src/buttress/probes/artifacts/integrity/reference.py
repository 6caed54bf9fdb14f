"""Tensors against those of a folder that is known to be good."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.folder import files
from buttress.probes.artifacts.integrity.tensors import Tensor, tensors
from buttress.probes.artifacts.integrity.values import Values, measure

_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class ReferenceTensor:
    """A tensor of the reference and where it is."""

    path: Path
    tensor: Tensor


class ReferenceWeights:
    """The tensors of a folder by name; their bytes are read only for those that are compared."""

    def __init__(self, folder: Path) -> None:
        """Read the headers.

        Raises:
            InputError: there are no tensors, or a file can't be read.
        """
        self._known: dict[str, ReferenceTensor] = {}
        self._seen: set[str] = set()
        for path in files(folder, []):
            try:
                found = tensors(path) or []
            except OSError as error:
                raise InputError(error.strerror or str(error), file=str(path)) from None
            self._known |= {one.name: ReferenceTensor(path, one) for one in found}
        if not self._known:
            raise InputError(
                "it has no tensors", file=str(folder),
                expected="a folder with safetensors, GGUF, NumPy or PyTorch files",
            )  # fmt: skip

    def differences(self, tensor: Tensor, values: Values) -> Iterator[str]:
        """What differs in one tensor, as ends of sentences."""
        known = self._known.get(tensor.name)
        self._seen.add(tensor.name)
        if known is None:
            yield "is not in the reference"
        elif (known.tensor.dtype, known.tensor.shape) != (tensor.dtype, tensor.shape):
            was = f"{known.tensor.dtype or 'other'} {list(known.tensor.shape)}"
            yield f"has {tensor.dtype or 'other'} {list(tensor.shape)}, in the reference {was}"
        elif self._digest(known) != values.digest:
            yield "has other values than in the reference"

    def missing(self) -> list[str]:
        """Names that were not asked about."""
        return sorted(self._known.keys() - self._seen)

    @staticmethod
    def _digest(known: ReferenceTensor) -> str:
        descriptor = os.open(known.path, os.O_RDONLY)
        try:
            return measure(descriptor, known.tensor).digest
        finally:
            os.close(descriptor)
