"""``sources``: records of refused sources, or under licences that are not allowed, are removed."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal
from buttress.errors import InputError


class SourceRules:
    """Checks where a record comes from.

    Args:
        deny: patterns of sources that are refused (``*`` and ``?``; case ignored).
        allow: patterns of sources that are allowed; all where empty.
        licences: licences that are allowed, compared without case; all where empty.
        licence_field: the field that names a record's licence. Where ``licences`` is given, a
            record without one is removed.
    """

    def __init__(
        self,
        deny: list[str] | None = None,
        allow: list[str] | None = None,
        licences: list[str] | None = None,
        licence_field: str = "license",
    ) -> None:
        self._deny = [one.lower() for one in deny or ()]
        self._allow = [one.lower() for one in allow or ()]
        self._licences = {one.lower() for one in licences or ()}
        self._field = licence_field
        if not (self._deny or self._allow or self._licences):
            raise InputError("no rule", field="deny", expected="deny, allow or licences")

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: Record) -> Outcome:
        source = record.source.lower()
        if pattern := next((one for one in self._deny if fnmatch.fnmatchcase(source, one)), ""):
            return Removal("source-denied", f"source matches '{pattern}'")
        if self._allow and not any(fnmatch.fnmatchcase(source, one) for one in self._allow):
            return Removal("source-not-allowed", "source matches no allowed pattern")
        if self._licences:
            licence = record.data.get(self._field)
            if not isinstance(licence, str) or not licence:
                return Removal("licence-missing", f"no licence in field '{self._field}'")
            if licence.lower() not in self._licences:
                return Removal("licence-not-allowed", f"licence '{licence[:80]}'")
        return None
