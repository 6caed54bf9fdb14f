"""Digest manifests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.probes.artifacts import digests
from buttress.probes.artifacts.issue import RULES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "model"
    (inside / "deep").mkdir(parents=True)
    for name in ("a.bin", "deep/b.bin", "new\nline", "back\\slash", "ümlaut \udcff", "*star"):
        (inside / name).write_bytes(name.encode("utf-8", "surrogateescape") * 1000)
    (inside / "empty").write_bytes(b"")
    (inside / "large").write_bytes(bytes(9_000_001))
    return inside


def test_what_is_written_is_verified(folder: Path) -> None:
    manifest = folder / "SHA256SUMS"
    assert digests.write(folder, manifest) == 8
    assert digests.read(manifest)["large"] == hashlib.sha256(bytes(9_000_001)).hexdigest()
    assert list(digests.verify(folder, manifest)) == []
    digests.write(folder, manifest)  # the manifest is not in itself
    assert list(digests.verify(folder, manifest)) == []


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
def test_other_tools_read_it(folder: Path) -> None:
    manifest = folder.parent / "sums"
    digests.write(folder, manifest)
    done = subprocess.run(
        ["sha256sum", "-c", str(manifest)], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    theirs = subprocess.run(
        ["sha256sum", *sorted(os.listdir(os.fsencode(folder)))[:3]],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    other = folder.parent / "theirs"
    other.write_bytes(theirs.stdout)
    assert digests.read(other).items() <= digests.read(manifest).items()


def test_changes(folder: Path) -> None:
    manifest = folder.parent / "sums"
    digests.write(folder, manifest)
    with (folder / "large").open("r+b") as file:
        file.seek(5_000_000)
        file.write(b"x")
    (folder / "deep/b.bin").unlink()
    (folder / "deep/extra.py").write_text("import os")
    (folder / "link").symlink_to(folder / "a.bin")
    found = [(name, issue.rule) for name, issue in digests.verify(folder, manifest)]
    assert found == [
        ("deep/b.bin", "digest-missing"),
        ("deep/extra.py", "digest-added"),
        ("large", "digest-changed"),
    ]
    assert all(rule in RULES.own for _, rule in found)


def test_one_file(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(b"abc")
    digests.write(path, tmp_path / "sums")
    assert list(digests.verify(path, tmp_path / "sums")) == []


@pytest.mark.parametrize(
    "text", ["hello\n", "ab  x\n", f"{'0' * 64}x\n", f"{'0' * 64}  a\n{'1' * 64}  a\n", "\0\n"]
)
def test_wrong_manifests(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sums"
    path.write_text(text)
    with pytest.raises(InputError, match="sums:"):
        digests.read(path)
    with pytest.raises(InputError):
        digests.read(tmp_path / "missing")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300), head=st.sampled_from([b"", b"0" * 64 + b"  "]))
def test_any_bytes(tmp_path: Path, data: bytes, head: bytes) -> None:
    path = tmp_path / "sums"
    path.write_bytes(head + data)
    with contextlib.suppress(InputError):
        assert all(len(one) == 64 for one in digests.read(path).values())
