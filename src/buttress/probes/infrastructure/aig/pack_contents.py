"""AI-Infra-Guard's rules as contents of a pack: an archive of its files, each byte unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from buttress.packs.knowledge import Knowledge
from buttress.probes.infrastructure.aig.files import RuleFolder, read_rules
from buttress.probes.infrastructure.aig.sources import ArchiveSource

KIND: Final = "ai-infra-guard-rules"


class PackedAigRules:
    """Implements ``packs.contents.PackContents``. The rules keep the ids of their project."""

    def check(self, path: Path, pack: str, beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """See ``PackContents``."""
        del beside
        read_rules([ArchiveSource(path, f"pack {pack}")], option=path.name)
        return ()


def read_packed(knowledge: Knowledge) -> RuleFolder:
    """The rules of all installed packs that hold some; there must be one.

    Raises:
        InputError: a pack has none that can be used.
    """
    files = knowledge.of_kind(KIND)
    return read_rules([ArchiveSource(one.path, f"pack {one.pack}") for one in files])


def has_packed(knowledge: Knowledge) -> bool:
    """Whether an installed pack holds such rules."""
    return bool(knowledge.of_kind(KIND))


def packed_names(knowledge: Knowledge) -> str:
    """Names and versions of the packs that hold such rules."""
    return ", ".join(one.pack for one in knowledge.of_kind(KIND))


RULES: Final = PackedAigRules()
