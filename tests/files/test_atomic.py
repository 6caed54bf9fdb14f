from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.files.atomic import atomic_file, atomic_path, write_whole


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a"]


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", b"")
        with atomic_file(tmp_path / "b", mode=0o600) as file:
            file.write(b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, InputError("no")])
def test_an_error_while_writing_leaves_the_old_file_alone(
    tmp_path: Path, error: type[BaseException] | BaseException
) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises((InputError, KeyboardInterrupt)):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_the_file_is_synced_before_it_replaces_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        calls.append(f"{kind} {os.fstat(handle).st_size}" if kind == "file" else kind)
        fsync(handle)

    def replaced(source: Path, target: Path) -> None:
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(tmp_path / "a", b"12345")
    assert calls == ["file 5", "replace", "folder"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_stream_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, b"text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_whole(Path("/dev/null"), b"text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_writer_that_takes_a_path_has_the_same_guarantees(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a") as part:
        part.write_text("new")
        assert not (tmp_path / "a").exists()
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(("place", "why"), [("missing/a", "No such file"), (".", "is a folder")])
def test_what_is_not_writable_is_told_in_one_line(tmp_path: Path, place: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        write_whole(tmp_path / place, b"", "--out", expected="a new file")
    assert str(tmp_path / place) in str(caught.value)
    assert str(caught.value).endswith("expected a new file")
    assert "--out" in str(caught.value)
