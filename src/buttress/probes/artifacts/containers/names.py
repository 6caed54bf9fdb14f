"""Names of archive members that would lead out of the folder that they are unpacked to."""

from __future__ import annotations

import re
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:")


def leads_out(name: str) -> bool:
    """Whether unpacking under this name may write elsewhere: absolute, a drive, or ``..``."""
    parts = name.replace("\\", "/").split("/")
    depth = 0
    for part in parts[:-1] if parts[-1] != ".." else parts:
        depth += -1 if part == ".." else int(part not in ("", "."))
        if depth < 0:
            return True
    return name.startswith(("/", "\\")) or bool(_DRIVE.match(name))
