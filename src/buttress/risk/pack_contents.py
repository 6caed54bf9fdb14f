"""Risks and policies as contents of packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from buttress.risk.catalogue import load_catalogue
from buttress.risk.policy import load_policy


class _Risks:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        load_catalogue(path)
        return ()


class _Policies:
    def check(self, path: Path, _pack: str, beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """A policy may name the risks of its own pack."""
        known = set(load_catalogue().risks)
        for other in beside.get("risks", ()):
            known |= set(load_catalogue(other).risks)
        load_policy(str(path), known)
        return ()


RISKS: Final = _Risks()
POLICIES: Final = _Policies()
