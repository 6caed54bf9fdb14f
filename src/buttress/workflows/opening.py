"""Opening the target that an asset of a manifest describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from buttress.errors import InputError
from buttress.system.model import Asset, System
from buttress.targets.base import Target
from buttress.targets.open import open_target


class TargetOpener(Protocol):
    """What opens a target from its settings: in this process, or in replicas elsewhere."""

    def __call__(self, settings: Mapping[str, Any], *, base: Path) -> Target:
        """See ``targets.open.open_target``."""
        ...


def open_asset(asset: Asset, *, base: Path, opener: TargetOpener = open_target) -> Target:
    """The asset's target; relative paths are taken from ``base``.

    Raises:
        InputError: a setting is not usable; it names file, line and asset.
        MissingExtraError: it needs a package that is not installed.
    """
    try:
        return opener(asset.settings, base=base)
    except InputError as error:
        if error.file is not None or asset.file is None:
            raise
        field = f"assets.{asset.id}" + (f".{error.field}" if error.field else "")
        raise InputError(
            error.problem, file=asset.file, line=asset.line, field=field, expected=error.expected
        ) from None


@contextmanager
def naming_field(system: System, name: str) -> Iterator[None]:
    """Errors of settings that show when they are used name file, line and field of the manifest.

    Raises:
        InputError: one of these.
    """
    try:
        yield
    except InputError as error:
        if error.file is not None or system.file is None:
            raise
        field = error.field or name
        if field.partition(".")[0] != name:
            field = f"{name}.{field}"
        line = system.lines.get(name)
        raise InputError(
            error.problem, file=system.file, line=line, field=field, expected=error.expected
        ) from None
