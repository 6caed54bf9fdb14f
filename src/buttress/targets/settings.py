"""Checks of the settings that a target is created with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError

TIMEOUT_S: Final = 180.0  # for an answer, where the manifest does not say timeout_s


def whole(value: Any, field: str, low: int, high: int) -> int:
    """``value`` as an integer in [low, high].

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(
            f"{value!r} is not usable", field=field, expected=f"a whole number, {low} to {high}"
        )
    return value


def seconds(value: Any, field: str) -> float:
    """``value`` as a positive number of seconds.

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise InputError(f"{value!r} is not usable", field=field, expected="seconds, above 0")
    return float(value)


def unknown(given: dict[str, Any], valid: tuple[str, ...]) -> None:
    """Refuse settings that the target doesn't have.

    Raises:
        InputError: there are some; the message lists the valid ones.
    """
    if given:
        raise InputError(
            "unknown setting", field=sorted(given)[0], expected="one of " + ", ".join(valid)
        )


def existing(value: Any, field: str, *, folder: bool = False) -> Path:
    """``value`` as a path that exists.

    Raises:
        InputError: no such file or folder.
    """
    if not isinstance(value, str | Path) or not str(value):
        raise InputError(f"{value!r} is not a path", field=field, expected="a path")
    path = Path(value)
    try:
        found = path.is_dir() if folder else path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        kind = "folder" if folder else "file"
        raise InputError(f"no such {kind}", file=str(path), field=field)
    return path
