"""Which asset of a system is asked."""

from __future__ import annotations

from buttress.errors import InputError
from buttress.system.model import Asset, System


def answering_asset(system: System, name: str | None, field: str = "--asset") -> Asset:
    """The asset of that name that answers questions, or the only one where none is named.

    Raises:
        InputError: no such asset, or several that answer and none named; names ``field``.
    """
    able = [asset for asset in system.assets if asset.is_target]
    chosen = [asset for asset in able if name in (None, asset.id)]
    if len(chosen) != 1:
        problem = f"'{name}' answers no questions" if name else f"{len(able)} assets answer"
        expected = "one of " + ", ".join(asset.id for asset in able) if able else "a model"
        raise InputError(problem, field=field, expected=expected)
    return chosen[0]
