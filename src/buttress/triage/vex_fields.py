"""Fields of VEX documents: what is not there is nothing, what is wrong is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError

_MAX_STATEMENTS: Final = 100_000


def rows(value: Any) -> list[Any]:
    """A list, empty where it is none."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [one for one in rows(value) if isinstance(one, dict)]


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, empty where it is none."""
    return value if isinstance(value, dict) else {}


def required(data: Mapping[str, Any], name: str, path: Path) -> list[Any]:
    """The list of statements.

    Raises:
        InputError: there is none, or it is too long.
    """
    found = data.get(name)
    if not isinstance(found, list) or len(found) > _MAX_STATEMENTS:
        raise InputError(
            "not valid", file=str(path), field=name,
            expected=f"a list of at most {_MAX_STATEMENTS:,} entries",
        )  # fmt: skip
    return found


def unjustified(path: Path, field: str, expected: str) -> InputError:
    """The error of a statement that says ``not_affected`` and not why."""
    return InputError(
        "'not_affected' is said without a reason", file=str(path), field=field, expected=expected
    )


def time(row: Mapping[str, Any], path: Path, field: str, otherwise: datetime | None) -> datetime:
    """The time in the last part of ``field``; ``otherwise``, else 1970, where it is missing.

    Raises:
        InputError: it is no time.
    """
    given = row.get(field.rpartition(".")[2])
    if given is None:
        return otherwise or datetime.fromtimestamp(0, UTC)
    try:
        found = datetime.fromisoformat(str(given))
    except ValueError:
        raise InputError(
            f"'{str(given)[:40]}' is no time", file=str(path), field=field,
            expected="a time such as 2027-01-31T12:00:00Z",
        ) from None  # fmt: skip
    return found if found.tzinfo else found.replace(tzinfo=UTC)
