"""``unicode``: characters that carry hidden text are taken out, and texts brought to one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from buttress.data.edits import Edit
from buttress.data.records import Record
from buttress.data.stage import Outcome, RecordChange

# Tags (but not in flags), runs of variation selectors, zero widths between letters of an alphabet
# that needs none, controls of direction, and controls that no text has.
_HIDDEN: Final = re.compile(
    "(?<!\U0001f3f4)(?<![\U000e0000-\U000e007f])[\U000e0000-\U000e007f]+"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    "|[\u200b\u2060-\u2064\u180e\ufeff]+"
    "|[\u200c\u200d]{2,}|(?<=[A-Za-z])[\u200c\u200d]+(?=[A-Za-z])"
    "|[\u202a\u202b\u202d\u202e\u2066-\u2068]+"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]+"
)


class InvisibleCharacters:
    """Removes invisible characters; other stages then see what a reader sees.

    Args:
        form: Unicode normal form to bring texts to (Unicode Annex 15), or "none".
    """

    def __init__(self, form: Literal["none", "NFC", "NFKC"] = "none") -> None:
        self._form = form

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: Record) -> Outcome:
        edits = [
            edit
            for place, slot in enumerate(record.slots)
            for edit in self._edits(place, slot.text)
        ]
        return RecordChange(tuple(edits)) if edits else None

    def _edits(self, place: int, text: str) -> Iterator[Edit]:
        if text.isascii() and text.isprintable():
            return
        if self._form != "none":
            normal = unicodedata.normalize(self._form, _HIDDEN.sub("", text))
            if normal != text:
                yield Edit(place, 0, len(text), normal, self._form)
            return
        for match in _HIDDEN.finditer(text):
            yield Edit(place, *match.span(), "", "INVISIBLE")
