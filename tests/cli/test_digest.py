"""``buttress digest``: what was changed, lost or added is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import buttress


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"a" * 1000)
    (folder / "sub/b.bin").write_bytes(b"b" * 1000)
    (folder / "c.bin").write_bytes(b"c")
    return folder


def test_a_folder_is_as_its_manifest_says_until_it_changes(model: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "SHA256SUMS"
    written = buttress("digest", "write", str(model), str(manifest))
    assert written.returncode == 0
    assert "3 files" in written.stdout
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", str(manifest)], cwd=model, check=True)
    assert buttress("digest", "verify", str(model), str(manifest)).returncode == 0
    (model / "a.bin").write_bytes(b"A" + b"a" * 999)
    (model / "c.bin").unlink()
    (model / "d.bin").write_bytes(b"d")
    done = buttress("digest", "verify", str(model), str(manifest))
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "a.bin", "c.bin", "d.bin"
    ]  # fmt: skip


def test_mistakes_get_one_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no digest\n")
    for arguments in (
        ("write", str(tmp_path / "nowhere"), "m"),
        ("verify", str(model), str(tmp_path / "missing")),
        ("verify", str(model), str(tmp_path / "bad")),
    ):
        done = buttress("digest", *arguments)
        assert done.returncode == 2
        assert done.stderr.strip().count("\n") == 0
