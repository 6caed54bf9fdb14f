"""The kept index: the same answers as from the database, whatever happened to either."""

from __future__ import annotations

import io
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.probes.dependencies.osv import cache
from buttress.probes.dependencies.osv.database import Database, database
from buttress.probes.dependencies.osv.index import DamagedError, Reader, Writer
from buttress.probes.dependencies.osv.source import AdvisorySource
from tests.probes.dependencies.advisories import LEAKY, advisory

shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def zipped(path: Path, *records: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in records:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return path


def ids(found: Database, name: str = "leaky-models") -> list[str]:
    return [one.id for one in found.about("PyPI", name)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return zipped(tmp_path / "all.zip", LEAKY, advisory("X-1", "other", [{"introduced": "0"}]))


def forbidden(*_: object) -> Any:
    raise AssertionError("the database was read again")


def test_the_second_time_the_database_is_not_read(
    archive: Path, cache_of_the_test: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Database(archive)
    assert len(list(cache_of_the_test.iterdir())) == 1
    monkeypatch.setattr(AdvisorySource, "contents", forbidden)
    again = Database(archive)
    assert ids(again) == ids(first) == ["PYSEC-2026-1"]
    assert (again.advisories, again.unreadable, again.newest) == (2, 0, "2026-01-02")
    assert again.about("PyPI", "leaky-models")[0].severity() == ("high", "CVSS 3.1 7.5")


def test_a_changed_database_is_read_again(archive: Path) -> None:
    assert ids(database(archive), "new") == []
    size, times = archive.stat().st_size, archive.stat()
    fresh = advisory("Y-1", "new", [{"introduced": "0"}])
    zipped(archive, fresh, {**fresh, "id": "Y-2"})
    with open(archive, "ab") as file:  # of the same size and time as before
        file.write(b"\0" * max(0, size - archive.stat().st_size))
    os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert ids(database(archive), "new") == ["Y-1", "Y-2"]
    assert ids(database(archive)) == []


def test_a_large_folder_is_kept_and_a_small_one_is_not(
    tmp_path: Path, cache_of_the_test: Path
) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    for folder, count in ((few, 10), (many, 600)):
        folder.mkdir()
        for number in range(count):
            one = advisory(f"X-{number}", f"a{number}", [{"introduced": "0"}])
            (folder / f"{number}.json").write_text(json.dumps(one))
    assert ids(Database(few), "a7") == ["X-7"]
    assert not cache_of_the_test.exists()
    assert ids(Database(many), "a7") == ["X-7"]
    assert cache_of_the_test.exists()
    (many / "7.json").write_text(json.dumps(advisory("Z-7", "a7", [{"introduced": "0"}])))
    assert ids(Database(many), "a7") == ["Z-7"]


def test_nothing_can_be_kept(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "file"))
    assert ids(Database(archive)) == ["PYSEC-2026-1"]


def test_the_disk_is_full(archive: Path, cache_of_the_test: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert ids(Database(archive)) == ["PYSEC-2026-1"]
    assert list(cache_of_the_test.iterdir()) == []


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_the_index_of_another_user_is_not_believed(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(archive)
    kept = cache.opened(archive)
    assert kept is not None
    kept.close()
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((0o600, 0, 0, 1, 4321, *[0] * 5)))
    assert cache.opened(archive) is None


def test_many_at_once(archive: Path, cache_of_the_test: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ids(Database(archive)), range(32)))
    assert found == [["PYSEC-2026-1"]] * 32
    assert len(list(cache_of_the_test.iterdir())) == 1


def test_old_indexes_are_removed(tmp_path: Path, cache_of_the_test: Path) -> None:
    for number in range(12):
        Database(zipped(tmp_path / f"{number}.zip", LEAKY))
    assert len(list(cache_of_the_test.iterdir())) == 8


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=shared)
def test_a_damaged_index_is_made_again(
    archive: Path, cache_of_the_test: Path, data: st.DataObject
) -> None:
    Database(archive)
    (kept,) = cache_of_the_test.iterdir()
    content = bytearray(kept.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    kept.write_bytes(content)
    found = Database(archive)
    assert ids(found) == ["PYSEC-2026-1"]
    assert ids(found, "other") == ["X-1"]
    assert ids(found, "absent") == []


NAMES = st.text(min_size=1, max_size=6)
RECORDS = st.lists(st.tuples(st.integers(0, 99), st.sets(NAMES, max_size=3)), max_size=40)


@given(records=RECORDS, asked=NAMES)
@settings(max_examples=200, deadline=None)
def test_what_is_added_is_found_and_nothing_else(
    records: list[tuple[int, set[str]]], asked: str
) -> None:
    file = io.BytesIO()
    writer = Writer(file)
    for number, names in records:
        writer.add(number, [("PyPI", name) for name in sorted(names)])
    writer.finish({"identity": "x"})
    reader = Reader(file)
    assert reader.facts == {"identity": "x"}
    for name in {asked}.union(*(names for _, names in records)):
        assert reader.about("PyPI", name) == [number for number, names in records if name in names]
        assert reader.about("npm", name) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_no_index(data: bytes) -> None:
    with suppress(DamagedError):
        Reader(io.BytesIO(data)).about("PyPI", "a")
