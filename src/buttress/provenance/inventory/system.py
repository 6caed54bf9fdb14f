"""The parts of a whole system, asset by asset."""

from __future__ import annotations

import re
from typing import Final

from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.inventory.gather import gather
from buttress.provenance.licences.judging import Role
from buttress.system.model import Asset, System

_NOT: Final = re.compile(
    r"(?i)\bnon-?\s?commercial|\bnot\s+commercial|\bresearch\s+only|非商业|非商用|不作商用|仅供研究"
)
_YES: Final = re.compile(r"(?i)\bcommercial|商业|商用")


def of_system(system: System) -> Inventory:
    """All parts of all assets; models that answer elsewhere are external."""
    whole = Inventory()
    for asset in system.assets:
        if not asset.paths:
            whole.add(_elsewhere(asset))
        for path in asset.paths:
            part = gather(path, kind=asset.kind, asset=asset.id, name=asset.id)
            if not part.components:
                part.skipped.append("nothing that belongs into a bill of materials was recognised")
            offset = len(whole.components)
            whole.components += part.components
            whole.uses += [(left + offset, right + offset) for left, right in part.uses]
            whole.skipped += [f"{asset.id}: {note}" for note in part.skipped]
            whole.files += part.files
    return whole


def _elsewhere(asset: Asset) -> Component:
    name = str(asset.settings.get("model") or asset.settings.get("inspect") or asset.location)
    return Component(
        _ROLES.get(asset.kind, "code"),
        name,
        asset=asset.id,
        external=True,
        description=asset.description,
    )


_ROLES: Final[dict[str, Role]] = {"model": "model", "data": "data"}


def commercial(purpose: str) -> bool | None:
    """Whether a purpose says in so many words that the use is, or is not, commercial."""
    if _NOT.search(purpose):
        return False
    return True if _YES.search(purpose) else None
