"""Prompts as contents of packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.prompts.public.rows import read_rows


class _Prompts:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        if not any(True for _ in read_rows(path)):
            raise InputError("no prompts", file=str(path), expected="at least one row")
        return ()


PROMPTS: Final = _Prompts()
