"""From names like ``pack:acme/strict`` to files of installed packs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.packs import home

PREFIX: Final = "pack:"


def resolve(name: str, kinds: tuple[str, ...] = ()) -> Path:
    """The file that ``pack:ID/NAME`` names: by its path in the pack, or that without its suffix.

    Args:
        name: with ``pack:`` in front.
        kinds: the kinds that will do; all where empty.

    Raises:
        InputError: not of that form; no such pack or file; several files of that name.
    """
    pack, mark, inside = name.removeprefix(PREFIX).partition("/")
    if not name.startswith(PREFIX) or not mark or not inside:
        raise InputError(f"'{name[:80]}' names nothing", expected="pack:ID/NAME")
    found = home.load(pack)
    able = [item for item in found.manifest.contents if not kinds or item.kind in kinds]
    spellings: tuple[Callable[[str], str], ...] = (str, _without_suffix, _last)
    for spelt in spellings:
        hits = [item for item in able if spelt(item.path) == inside]
        if len(hits) == 1:
            return found.folder / hits[0].path
        if hits:
            break
    names = ", ".join(f"pack:{pack}/{item.path}" for item in able)
    problem = f"pack '{pack}' has no '{inside[:80]}'"
    if kinds:
        problem += " that is " + " or ".join(kinds)
    raise InputError(problem, expected=f"one of {names}" if names else "another pack")


def _without_suffix(path: str) -> str:
    head, mark, last = path.rpartition("/")
    return head + mark + last.rpartition(".")[0]


def _last(path: str) -> str:
    return _without_suffix(path).rpartition("/")[2]
