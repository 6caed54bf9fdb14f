"""Kinds of contents of packs: each is registered, under its name, by whoever uses it.

The entry-point group is ``buttress.pack_contents``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from buttress import extension


class PackContents(Protocol):
    """A kind of contents."""

    def check(self, path: Path, pack: str, beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """Load a file with the very loader that will be used, and try the examples in it.

        Args:
            path: of the file.
            pack: name and version of its pack, for messages.
            beside: all files of the pack, by kind.

        Returns:
            The ids of its rules; they must begin with the pack's id.

        Raises:
            InputError: naming the file, and the rule and its example where there is one.
        """
        ...


@runtime_checkable
class ChecksOwnRules(Protocol):
    """A kind of which Buttress itself brings rules."""

    def check_own(self) -> int:
        """How many rules come with Buttress, all of which pass their examples.

        Raises:
            InputError: one does not.
        """
        ...


def kinds() -> tuple[str, ...]:
    """The names of all kinds."""
    return tuple(extension.names("pack_contents"))


def contents_of(kind: str) -> PackContents:
    """The kind of that name.

    Raises:
        InputError: there is none.
    """
    found: PackContents = extension.load("pack_contents", kind)
    return found
