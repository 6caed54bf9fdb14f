"""What an export of suppressions states, in whichever format."""

from __future__ import annotations

from dataclasses import dataclass

from buttress.triage.suppressions import Suppression


@dataclass(frozen=True, slots=True)
class SuppressedVulnerability:
    """A suppression of one vulnerability, by all its ids, in a package of a file or the file."""

    ids: tuple[str, ...]
    file: str  # as ``FILE_URN`` and the path
    package: str  # a package URL, or empty
    entry: Suppression
