"""What a card is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from buttress.report.card.references import CardReferences
from buttress.report.card.words import CardWords
from buttress.report.language import Language

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CardVersion:
    """An assessment: its document, the name of its file for references, its evidence.

    ``evidence_whole`` says that the evidence beside it was checked; False where there is none.
    ``oversight`` is the document of ``buttress oversee`` in the same folder, if there is one.
    """

    document: Document
    file: str
    evidence_whole: bool
    oversight: Document | None = None
    oversight_file: str = ""


@dataclass(slots=True)
class CardSource:
    """``versions`` are oldest first; the card is about the last one."""

    versions: Sequence[CardVersion]
    facts: Mapping[str, str]
    words: CardWords
    language: Language
    references: CardReferences = field(default_factory=CardReferences)

    @property
    def version(self) -> CardVersion:
        """The version that the card is about."""
        return self.versions[-1]

    @property
    def document(self) -> Document:
        """Its document."""
        return self.version.document

    def cite(self, pointer: str, figure: str, rests: str = "") -> str:
        """A reference to a place in the document of the card."""
        return self.references.cite(self.version.file, pointer, figure, rests)
