"""Attack templates as contents of packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from buttress.attacks.template_library import load


class _Templates:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        load(path)
        return ()


TEMPLATES: Final = _Templates()
