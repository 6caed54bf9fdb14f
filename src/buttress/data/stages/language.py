"""``language``: records in other languages than those wanted are removed."""

from __future__ import annotations

from collections.abc import Sequence

from buttress.answers.language import UNKNOWN, language_of
from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal
from buttress.errors import InputError


class Languages:
    """Keeps records in some languages.

    Args:
        keep: ISO 639-1 codes.
        unknown: whether a text stays whose language can't be told, such as a short one.
    """

    def __init__(self, keep: list[str], unknown: bool = True) -> None:
        if not keep:
            raise InputError("empty", field="keep", expected="codes such as en, zh")
        self._keep = {one.lower() for one in keep}
        self._unknown = unknown

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: Record) -> Outcome:
        code = language_of(record.text)
        if code == UNKNOWN:
            return None if self._unknown else Removal("language-unknown", "language unknown")
        return None if code in self._keep else Removal("language", f"language '{code}'")
