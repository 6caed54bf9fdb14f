"""Writes a new pack with a file of each kind, every rule with its examples."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from buttress import __version__
from buttress.errors import InputError
from buttress.packs.seal import seal
from buttress.packs.where import ID, MAX_ID

_NAME: Final = "PACK-ID"  # in the texts
_VERSION: Final = "BUTTRESS-VERSION"


def scaffold(folder: Path, name: str) -> list[str]:
    """Write a pack with the id ``name`` into a new or empty folder.

    Returns:
        The paths of its files.

    Raises:
        InputError: not an id; the folder holds something; not writable.
    """
    if not ID.fullmatch(name) or len(name) > MAX_ID:
        raise InputError(f"'{name[:80]}' is no id", field="--id", expected="a-z, 0-9 and -")
    made = []
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError("is not empty", file=str(folder), expected="a new folder")
        for path, text in sorted(_texts()):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                text.replace(_NAME, name).replace(_VERSION, __version__), encoding="utf-8"
            )
            made.append(path)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(folder), expected="a folder to write in"
        ) from None
    seal(folder)
    return made


def _texts() -> list[tuple[str, str]]:
    """The files of the new pack; names in the package have ``__`` for ``/``."""
    home = resources.files("buttress.packs").joinpath("new")
    return [
        (file.name.replace("__", "/"), file.read_text(encoding="utf-8"))
        for file in home.iterdir()
        if file.is_file()
    ]
