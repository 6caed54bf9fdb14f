"""A scan with all probes lists each folder once and opens a file once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

COUNT = """
import contextlib, io, json, os, sys
root = os.path.realpath(sys.argv[1])
counts = {"open": {}, "os.scandir": {}, "os.listdir": {}}
def hook(event, arguments):
    if event in counts and arguments and isinstance(arguments[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path == root or path.startswith(root + os.sep):
            counts[event][path] = counts[event].get(path, 0) + 1
if hasattr(os, "sched_setaffinity"):  # one core: all is done in this process, and counted
    os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[:1]))
from buttress.cli.main import main
sys.addaudithook(hook)
with contextlib.redirect_stdout(io.StringIO()):
    main(["scan", *sys.argv[1:], "--fail-on", "never"])
print(json.dumps(counts))
"""


def tree(root: Path) -> int:
    """A project of some folders; gives the number of its files."""
    texts = {
        "pyproject.toml": "[project]\nname = 'x'\ndependencies = ['requests==2.0']\n",
        "requirements.txt": "flask==0.5\n",
        "Dockerfile": "FROM python:latest\n",
        "README.md": "# Title\n",
        "run": "#!/usr/bin/env python\nimport app\n",
        ".github/workflows/ci.yml": "on: push\njobs: {a: {steps: [{run: make}]}}\n",
        "mcp.json": '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}}}',
        "big.txt": "word " * 40_000,
    }
    for number in range(60):
        texts[f"app/part{number % 6}/module{number}.py"] = (
            f"import pickle\nfrom app.part{(number + 1) % 6} import module{(number + 1) % 60}\n"
            f"def load(path):\n    return pickle.load(open(path, 'rb'))\n"
        )
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for number in range(20):
        path = root / f"models/{number % 2}/w{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\\x80\\x04]\\x94." + bytes(200_000 * (number % 4 == 0)))
    return len(texts) + 20


def test_each_folder_is_listed_once_and_each_file_opened_once(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    files = tree(root)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    folders = {str(path) for path in [root, *root.rglob("*")] if path.is_dir()}
    listed = counts["os.scandir"]
    assert set(listed) == {str(Path(one).resolve()) for one in folders}
    assert set(listed.values()) == {1}
    assert not counts["os.listdir"]
    opened = sum(counts["open"].values())
    assert files <= opened <= 1.3 * files, counts["open"]
