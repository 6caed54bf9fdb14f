"""Features of shards on disk, as NumPy files: written whole, read by memory map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def save(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Write each array as ``NAME.npy``."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path, name: str) -> Array:
    """An array, mapped where it has members."""
    path = folder / f"{name}.npy"
    array: Array = (
        np.load(path, allow_pickle=False)
        if path.stat().st_size < 4096
        else np.load(path, mmap_mode="r", allow_pickle=False)
    )
    return array


def joined(folders: Sequence[Path], name: str) -> Array:
    """The arrays of all folders, one after the other, in memory."""
    return np.concatenate([np.asarray(load(folder, name)) for folder in folders])


def owners(folders: Sequence[Path], name: str) -> tuple[Array, Array]:
    """Shard and place in it of each row of ``joined``."""
    counts = [len(load(folder, name)) for folder in folders]
    shard = np.repeat(np.arange(len(folders)), counts)
    place = np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0, int)
    return shard, place


def write_texts(folder: Path, name: str, texts: Sequence[str]) -> None:
    """Write short texts, one a line; line breaks in them become spaces."""
    lines = (" ".join(text.split("\n")) for text in texts)
    (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class Texts:
    """Reads back what ``write_texts`` wrote, one shard at a time."""

    def __init__(self, folders: Sequence[Path], name: str) -> None:
        self._folders = folders
        self._name = name
        self._shard = -1
        self._lines: list[str] = []

    def __call__(self, shard: int, place: int) -> str:
        """The text at ``place`` of a shard."""
        if shard != self._shard:
            path = self._folders[shard] / f"{self._name}.txt"
            self._lines = path.read_text(encoding="utf-8").split("\n")
            self._shard = shard
        return self._lines[place]
