"""Reads a manifest with all that Buttress and installed packs define."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from buttress.files.located_yaml import Located
from buttress.packs.resolve import resolve
from buttress.system import manifest
from buttress.system.known import KnownNames
from buttress.system.model import System


def load(path: Path) -> System:
    """The system that a manifest describes.

    Args:
        path: the file, or the folder that holds ``buttress.yaml``.

    Raises:
        InputError: naming file, line, field and what is expected there.
    """
    return manifest.load(path, KNOWN)


def of_weights(folder: Path, max_tokens: int) -> System:
    """A system whose one model is a folder of weights, with answers of so many tokens at most."""
    model = {
        "id": "model", "kind": "model", "weights": str(folder.resolve()), "max_tokens": max_tokens,
    }  # fmt: skip
    data = {"name": folder.resolve().name or "model", "assets": [model]}
    return manifest.parse(Located(str(folder), data), folder.resolve(), KNOWN)


def _categories() -> Collection[str]:
    from buttress.prompts.pack import load_categories

    return load_categories()


def _prompt_sets() -> Collection[str]:
    from buttress.prompts.public import known_sets

    return known_sets()


def _unpublished_sets() -> Collection[str]:
    from buttress.probes.behaviour.gbt_bank import PROMPT_SETS

    return PROMPT_SETS


KNOWN: Final = KnownNames(_categories, _prompt_sets, _unpublished_sets, resolve)
