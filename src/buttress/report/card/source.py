"""What a card is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from buttress.report.card.references import CardReferences
from buttress.report.card.words import CardWords
from buttress.report.language import Language
from buttress.report.markdown import code

Document = Mapping[str, Any]


class NotToldError(KeyError):
    """A document lacks a field, as those of earlier versions may."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class _Told(dict[str, Any]):
    def __missing__(self, field: str) -> Any:
        raise NotToldError(field)


def told(value: Any) -> Any:
    """Plain data in which a field that is not there raises ``NotToldError``."""
    if isinstance(value, Mapping):
        return _Told({name: told(one) for name, one in value.items()})
    return [told(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class CardPart:
    """A document of another command, and the name of its file for references."""

    document: Document
    file: str


@dataclass(frozen=True, slots=True)
class CardVersion:
    """A folder: its assessment, the name of that file for references, its evidence.

    ``document`` is None, and ``file`` the folder's name, where nothing was assessed.
    ``evidence_whole`` says that the evidence in the folder was checked; False where there is none.
    ``parts`` are the documents of other commands in the folder, by the names of their schemas.
    """

    document: Document | None
    file: str
    evidence_whole: bool
    parts: Mapping[str, CardPart] = field(default_factory=dict)


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
    def assessed(self) -> bool:
        """Whether it holds an assessment."""
        return self.version.document is not None

    @property
    def document(self) -> Document:
        """Its assessment; only where there is one."""
        assert self.version.document is not None
        return self.version.document

    def cite_part(self, name: str, pointer: str, rests: str = "") -> str:
        """A reference to a place in the document of another command."""
        return self.references.cite(self.version.parts[name].file, pointer, name, rests)

    def cite(self, pointer: str, figure: str, rests: str = "") -> str:
        """A reference to a place in the document of the card."""
        return self.references.cite(self.version.file, pointer, figure, rests)


def untold(source: CardSource, file: str, missing: NotToldError) -> str:
    """The honest blank in place of a figure whose field is not in ``file``."""
    return source.words.say("untold", file=code(file), field=code(missing.field))
