"""Where packs and trusted keys lie.

It imports next to nothing, because each examination of a model file asks whether there is a pack.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from buttress.files.identifiers import KEBAB_CASE

ID: Final = KEBAB_CASE
MAX_ID: Final = 60


def home() -> Path:
    """The folder of packs: ``$BUTTRESS_HOME/packs``, else the user's data folder."""
    return _root() / "packs"


def keys() -> Path:
    """The folder of public keys by which packs may be signed, ``trusted-keys`` beside ``packs``."""
    return _root() / "trusted-keys"


def ids() -> list[str]:
    """Ids of the packs that are installed, whether they load or not."""
    try:
        found = list(home().iterdir())
    except OSError:
        return []
    return sorted(one.name for one in found if ID.fullmatch(one.name) and one.is_dir())


def _root() -> Path:
    if own := os.environ.get("BUTTRESS_HOME"):
        return Path(own).expanduser()
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "buttress"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "buttress"
