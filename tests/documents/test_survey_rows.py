"""Rows of what was sent are made when they are read, and written as any list."""

from __future__ import annotations

import orjson

from buttress.documents.survey import SentRows
from buttress.live.sent import Sent
from buttress.protocols.live import LiveRequest
from buttress.report.json import encode, encoded_parts


def test_rows_are_written_as_a_list() -> None:
    first, second = LiveRequest("GET", "/a"), LiveRequest("GET", "/b")
    sent = [
        Sent(one, "http://h:1", 1.0, 0.5, 200, 3, path=one.path) for one in (first, second, first)
    ]
    numbers = {second: 0}
    rows = SentRows(sent, numbers)
    assert [one["request"] for one in rows] == [1, 0, 1]
    assert [one["url"] for one in rows[1:]] == ["http://h:1/b", "http://h:1/a"]
    assert numbers == {second: 0, first: 1}
    plain = {"hosts": [{"sent": list(rows)}], "sent": list(rows), "limits": []}
    made = {"hosts": [{"sent": rows}], "sent": rows, "limits": []}
    assert encode(made) == encode(plain) == b"".join(encoded_parts(made))
    assert orjson.loads(encode(made)) == plain
