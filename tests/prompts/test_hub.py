"""Sets from the hub: a hub of the test's own on loopback, and what is told when there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from buttress.errors import MissingExtraError
from buttress.prompts.public import load_public

COMMIT = "a" * 40
REPOSITORY = "LibrAI/do-not-answer"
FILES = {
    "README.md": b"# about\n",
    "data/train-00000-of-00001.csv": b"question,types_of_harm\nDo it?,Adult Content\nAnd that?,\n",
}
ASK = """
import sys
from buttress.errors import ButtressError
from buttress.prompts.public import load_public
try:
    for prompt in load_public(sys.argv[1], None):
        print(prompt.category, prompt.text, sep="|")
except ButtressError as error:
    sys.exit(str(error))
"""


class _Hub(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        head: dict[str, str] = {}
        status = 200
        if path.startswith(f"/api/datasets/{REPOSITORY}/tree/"):
            data = json.dumps(
                [
                    {"type": "file", "path": name, "size": len(file), "oid": str(len(file)) * 20}
                    for name, file in FILES.items()
                ]
            ).encode()
        elif path.startswith(f"/api/datasets/{REPOSITORY}"):
            siblings = [{"rfilename": name} for name in FILES]
            data = json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()
        elif (name := path.partition(f"/{COMMIT}/")[2]) in FILES:
            data = FILES[name]
            head = {"ETag": f'"{len(data)}"', "X-Repo-Commit": COMMIT}
        else:
            status, data = 401, b""
            head = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Accept the terms first"}
        self.send_response(status)
        for key, value in head.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(name: str, endpoint: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", ASK, name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


def test_a_set_is_taken_from_the_hub_and_kept(hub: str, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    done = ask("do-not-answer", hub, tmp_path)
    assert done.stdout.splitlines() == ["adult-content|Do it?", "uncategorised|And that?"]
    again = ask("do-not-answer", "http://127.0.0.1:9", tmp_path)
    assert again.stdout == done.stdout, "the hub's cache serves when the hub is gone"


def test_what_the_hub_refuses_is_told_in_one_line(hub: str, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    for endpoint in (hub, "http://127.0.0.1:9"):
        done = ask("advbench", endpoint, tmp_path)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "'walledai/AdvBench' can't be had from the hub" in done.stderr
        assert "CSV with the columns goal and target" in done.stderr


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"\.\[hub\]"):
        load_public("advbench", None)
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert "hub" in project["project"]["optional-dependencies"]
