"""What packs may hold about model files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.probes.artifacts.pack import fingerprints, known_good, pickle_names


@dataclass(frozen=True, slots=True)
class _PickleNames:
    kind: str

    def check(self, path: Path, pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        pickle_names.try_examples(path, self.kind, pack)
        return ()


class _Fingerprints:
    def check(self, path: Path, _pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        fingerprints.load(path)
        return ()


class _KnownGood:
    def check(self, path: Path, pack: str, _beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        known_good.load(path, pack)
        return ()


ALLOWLIST: Final = _PickleNames("pickle-allowlist")
DANGER: Final = _PickleNames("pickle-danger")
FINGERPRINTS: Final = _Fingerprints()
KNOWN_GOOD: Final = _KnownGood()
