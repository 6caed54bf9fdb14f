"""Which asset of a system is asked."""

from __future__ import annotations

from dataclasses import replace

from buttress.errors import InputError
from buttress.files.shown_url import without_keys
from buttress.system.model import Asset, System
from buttress.targets.named import NAMED, names_target
from buttress.workflows import manifest


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


def asset_or_target(system: System, name: str, field: str) -> Asset:
    """The asset of that id that answers questions, or the target that the name is one of.

    An id goes before a file of that name. The asset of a target has its name as id, so that two
    names are two models.

    Raises:
        InputError: neither; names ``field``.
    """
    ids = {asset.id for asset in system.assets if asset.is_target}
    if name in ids:
        return answering_asset(system, name, field)
    if not names_target(name):
        expected = "one of " + "".join(f"{one}, " for one in sorted(ids)) + NAMED
        raise InputError(f"'{name}' answers no questions", field=field, expected=expected)
    (asset,) = manifest.of_target(name).assets
    return replace(asset, id=without_keys(name), file=None)
