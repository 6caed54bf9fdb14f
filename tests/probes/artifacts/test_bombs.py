"""Files that expand without end are told, whatever they expand to; ordinary ones are not."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import rules, scan_bytes

MB = 1 << 20


def zeros(megabytes: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(bytes(MB)) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize("wbits", [31, 15])
def test_a_stream_of_nothing_is_a_bomb_although_nothing_is_recognised(
    tmp_path: Path, wbits: int
) -> None:
    assert "archive-bomb" in rules(scan_bytes(tmp_path, zeros(300, wbits)))


def test_a_stream_that_swells_a_little_is_none(tmp_path: Path) -> None:
    assert not scan_bytes(tmp_path, zeros(100, 31))


def test_a_large_stream_of_text_is_read_at_its_start_only(tmp_path: Path) -> None:
    text = b"".join(b"%d,%d\n" % (i, i * i) for i in range(1_000_000))
    assert not scan_bytes(tmp_path, gzip.compress(text, 1))


def test_many_entries_for_one_member(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(10 * MB))
    data = out.getvalue()
    at = data.index(b"PK\x01\x02")
    entry = data[at : data.index(b"PK\x05\x06")]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1000, 1000, len(entry) * 1000, at, 0)
    found = scan_bytes(tmp_path, data[:at] + entry * 1000 + end)
    assert {"archive-bomb", "archive-inconsistent"} <= set(rules(found))
    assert any("999 entries" in one.message for one in found)
