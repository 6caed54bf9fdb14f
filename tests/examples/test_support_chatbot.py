"""The demo's system: a scan finds what its README says is planted, and nothing else."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import buttress

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/support-chatbot"
IGNORED = [
    line.strip("/")
    for line in (EXAMPLE / ".gitignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def _kept(folder: str, names: list[str]) -> list[str]:
    """What shutil is to leave out: whatever is not in the repository."""
    inside = Path(folder).relative_to(EXAMPLE)
    return [name for name in names if _is_ignored((inside / name).as_posix())]


def _is_ignored(path: str) -> bool:
    parts = path.split("/")
    heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    return any(fnmatch.fnmatch(head, one) for head in (*heads, *parts) for one in IGNORED)


def _plant(folder: Path) -> Path:
    shutil.copytree(EXAMPLE, folder, ignore=_kept)
    subprocess.run([sys.executable, str(folder / "plant.py")], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _plant(tmp_path_factory.mktemp("demo") / "support-chatbot")


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _table(title: str) -> list[list[str]]:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {title}")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_a_scan_finds_every_planted_defect_and_nothing_else(planted: Path) -> None:
    done = buttress("scan", str(planted), "--json")
    assert done.returncode == 1, done.stderr
    found = Counter(
        (re.sub(r"(:\d+|[@!].*)$", "", one["location"]), one["rule"], one["severity"])
        for one in json.loads(done.stdout)["findings"]
    )
    rows = [*_table("Planted"), *_table("Weak in the source")]
    told = Counter((file.partition(",")[0], rule, severity) for _, file, rule, severity in rows)
    assert found == told
    assert len({row[0] for row in rows}) == len(rows)


def test_what_is_planted_is_the_same_each_time_and_not_in_the_repository(
    planted: Path, tmp_path: Path
) -> None:
    again = _plant(tmp_path / "again")
    assert _files(again) == _files(planted)
    kept = {name for name in _files(EXAMPLE) if not _is_ignored(name)}
    written = set(_files(planted)) - kept
    assert len(written) == 11
    assert all(_is_ignored(name) for name in written)
    assert {row[1] for row in _table("Planted")} <= written


def test_files_that_the_readme_names_are_there(planted: Path) -> None:
    for title in ("Planted", "Weak in the source", "Harmless", "Weak, and seen by no probe"):
        column = 1 if title in ("Planted", "Weak in the source") else 0
        for row in _table(title):
            assert (planted / row[column].partition(",")[0]).is_file()


def test_the_good_weights_are_what_the_libraries_take(planted: Path) -> None:
    torch = pytest.importorskip("torch")
    load = pytest.importorskip("safetensors.numpy").load_file
    # Our own file, and weights_only takes nothing but tensors.
    checkpoint = torch.load(planted / "weights/reranker.pt", weights_only=True)
    tensors = load(planted / "weights/reranker.safetensors")
    assert checkpoint.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(checkpoint[name].numpy(), tensor)


def test_the_service_s_own_parts_work(planted: Path) -> None:
    code = (
        "from pathlib import Path\nfrom retrieval import Index\n"
        "found = Index(Path('knowledge')).search('How long may I return a product?')\n"
        "print(found[0].source)\n"
        "from tools import Tools\n"
        "tools = Tools(':memory:')\n"
        "tools.database.execute('CREATE TABLE orders (number, status)')\n"
        "tools.database.execute(\"INSERT INTO orders VALUES ('7', 'sent')\")\n"
        'print(tools.call(\'{"tool": "order_status", "arguments": {"order": "7"}}\'))\n'
        "print(tools.call('Hello!'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=planted / "app",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["returns", "sent", "None"]
