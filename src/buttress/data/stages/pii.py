"""``pii``: personal data is replaced by placeholders or by keyed pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import os
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal

from buttress.data.edits import Edit
from buttress.data.records import Record
from buttress.data.stage import Outcome, RecordChange
from buttress.errors import InputError
from buttress.rules.personal.detectors import KINDS, Span, find_all
from buttress.rules.personal.names import find_names
from buttress.rules.personal.names import opened as names_model
from buttress.rules.personal.redaction import PlaceholderNumbers

KEY: Final = "BUTTRESS_PSEUDONYM_KEY"
_SHORTEST_KEY: Final = 16


class PersonalData:
    """Replaces personal data.

    Args:
        types: kinds to replace; all but SECRET, which is the stage ``secrets``, where empty.
        mode: "placeholder" writes ``[EMAIL_1]``, numbered within a record; "pseudonym" writes
            ``[EMAIL_3f9c…]``, the same for a value in the whole corpus, by HMAC-SHA256 with the key
            in the environment variable BUTTRESS_PSEUDONYM_KEY.
        names: a model that finds names of persons as well (NAME): an installed spaCy model, or the
            folder of a spaCy or an ONNX model.
    """

    def __init__(
        self,
        types: list[str] | None = None,
        mode: Literal["placeholder", "pseudonym"] = "placeholder",
        names: str = "",
    ) -> None:
        chosen = [one.upper() for one in types or KINDS if types or one != "SECRET"]
        for name in chosen:
            if name not in KINDS:
                raise InputError(
                    f"unknown type '{name}'", field="types", expected="of " + ", ".join(KINDS)
                )
        self._kinds = tuple(chosen)
        self._mode = mode
        self._names = names
        if names:
            names_model(names)  # told before anything is read
        if mode == "pseudonym" and len(os.environ.get(KEY, "")) < _SHORTEST_KEY:
            raise InputError(
                "no key for pseudonyms", field=KEY,
                expected=f"an environment variable of {_SHORTEST_KEY} characters or more",
            )  # fmt: skip

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        texts = [slot.text for record in records for slot in record.slots]
        spans = find_all(texts, self._kinds)
        if self._names:  # of two that overlap, that with check digits or a pattern
            both = zip(spans, find_names(self._names, texts), strict=True)
            spans = (_merged(data, names) for data, names in both)
        return [self._outcome(list(islice(spans, len(one.slots)))) for one in records]

    def _outcome(self, spans: Sequence[Sequence[Span]]) -> Outcome:
        name = PlaceholderNumbers() if self._mode == "placeholder" else _pseudonym
        edits = [
            Edit(place, span.start, span.end, name(span), span.kind)
            for place, found in enumerate(spans)
            for span in found
        ]
        return RecordChange(tuple(edits)) if edits else None


def _merged(spans: Sequence[Span], names: Sequence[Span]) -> list[Span]:
    """Both by place, without names that overlap one of ``spans``; each is by place and disjoint."""
    starts = [one.start for one in spans]
    free = [
        one
        for one in names
        if not (before := bisect_left(starts, one.end)) or spans[before - 1].end <= one.start
    ]
    return sorted([*spans, *free], key=lambda one: one.start)


def _pseudonym(span: Span) -> str:
    message = f"{span.kind}\0{span.value.lower()}".encode()
    code = hmac.new(os.environ[KEY].encode(), message, hashlib.sha256).hexdigest()[:12]
    return f"[{span.kind}_{code}]"


class Credentials(PersonalData):
    """``secrets``: credentials, by the rules of ``buttress scan``, as ``[SECRET_1]``."""

    def __init__(self) -> None:
        super().__init__(["SECRET"])
