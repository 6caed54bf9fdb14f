"""Reads a manifest with all that Buttress and installed packs define."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.files.located_yaml import Located
from buttress.packs.resolve import resolve
from buttress.system import manifest
from buttress.system.known import KnownNames
from buttress.system.model import System
from buttress.targets.named import NAMED, is_url, names_target, settings_of


def load(path: Path) -> System:
    """The system that a manifest describes.

    Args:
        path: the file, or the folder that holds ``buttress.yaml``.

    Raises:
        InputError: naming file, line, field and what is expected there.
    """
    return manifest.load(path, KNOWN)


def load_or_target(path: Path | None, name: str, field: str) -> System:
    """The system of a manifest; without one named or in this folder, that of the target ``name``.

    Raises:
        InputError: as ``load``; neither a manifest nor a target, which names ``field``.
    """
    if path is not None or Path(manifest.FILE_NAME).exists():
        return load(path or Path())
    if not names_target(name):
        problem = f"'{name}' is no target, and this folder has no {manifest.FILE_NAME}"
        raise InputError(problem, field=field, expected=f"{NAMED}; or a manifest")
    return of_target(name)


def of_weights(folder: Path, max_tokens: int) -> System:
    """A system whose one model is a folder of weights, with answers of so many tokens at most."""
    return _of_model(str(folder), {"weights": str(folder.resolve()), "max_tokens": max_tokens})


def of_target(name: str) -> System:
    """A system whose one model is a target that is named in one word, as ``targets.named`` has it.

    Raises:
        InputError: the file of a script is none, or the URL is not usable.
    """
    settings = settings_of(name)
    if not is_url(name) and not name.startswith("package:"):
        settings = {kind: str(Path(place).resolve()) for kind, place in settings.items()}
    return _of_model(name, settings)


def _of_model(name: str, settings: Mapping[str, Any]) -> System:
    data = {
        "name": Path(name).resolve().name or "model",
        "assets": [{"id": "model", "kind": "model", **settings}],
    }
    return manifest.parse(Located(name, data), Path().resolve(), KNOWN)


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
