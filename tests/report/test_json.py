"""A document as JSON, whole and part by part."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.report.json import encode, encoded_parts
from tests.report.sample import sample


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": 'a\nb \u4e2d "quoted"', "empty": [], "none": None, "nothing": {}},
        {"rows": [{"a": [1, {"b": "x\n  y"}], "c": []}, [], {}, "text\n"], "last": {"d": [2]}},
    ],
    ids=["empty", "no rows", "rows"],
)
def test_the_parts_of_a_document_are_its_bytes(document: dict[str, Any]) -> None:
    assert b"".join(encoded_parts(document)) == encode(document)


def test_a_long_list_is_never_whole_as_text() -> None:
    document = sample()
    document["rows"] = [{"number": number} for number in range(1000)]
    parts = list(encoded_parts(document))
    assert b"".join(parts) == encode(document)
    assert sum(part.count(b'"number"') > 0 for part in parts) == 1000
