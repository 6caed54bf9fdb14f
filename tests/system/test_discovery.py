"""``buttress init`` finds what is there and writes a manifest that loads as it is."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from buttress.system import discovery
from buttress.system.model_templates import TEMPLATES
from buttress.targets.open import open_target
from buttress.workflows import manifest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "Kunden Bot"
    for name in ("app", "deploy", "data", "model", "adapter", ".git", "node_modules/x"):
        (root / name).mkdir(parents=True)
    (root / "app/main.py").write_text("print()")
    (root / "app/Dockerfile").write_text("FROM scratch")  # belongs to the source
    (root / "deploy/Dockerfile").write_text("FROM scratch")
    (root / "node_modules/x/index.js").write_text("")
    (root / "data/train.jsonl").write_text('{"text": "a"}\n')
    (root / "data/answers.jsonl").write_text(
        '{"prompt": "a", "response": "b", "expect": "refuse"}\n'
    )
    (root / "model/config.json").write_text("{}")
    (root / "model/model.safetensors").write_bytes(b"")
    (root / "adapter/adapter_config.json").write_text("{}")
    (root / "adapter/adapter_model.bin").write_bytes(b"")
    (root / "tiny.gguf").write_bytes(b"GGUF")
    return root


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": "served-model"}]}).encode()
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_parts_are_found_and_the_manifest_loads(project: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = discovery.look(project, ports=(server.server_port,))
    server.shutdown()
    server.server_close()
    (project / "buttress.yaml").write_text(discovery.write(found), encoding="utf-8")
    system = manifest.load(project)
    assert system.name == "kunden-bot"
    kinds = {(asset.kind, asset.location) for asset in system.assets}
    assert kinds == {
        ("model", "tiny.gguf"),
        ("model", "model"),
        ("model", "adapter"),
        ("model", "data/answers.jsonl"),
        ("model", f"http://127.0.0.1:{server.server_port}/v1"),
        ("data", "data"),
        ("source", "app"),
        ("infrastructure", "deploy"),
    }
    assert {a.location for a in system.assets if a.is_target} >= {"tiny.gguf", "model"}


def test_an_empty_folder_still_gets_a_manifest_that_loads(tmp_path: Path) -> None:
    found = discovery.look(tmp_path, ports=())
    (tmp_path / "buttress.yaml").write_text(discovery.write(found), encoding="utf-8")
    assert manifest.load(tmp_path).assets


def test_an_entry_to_fill_in_is_not_nothing() -> None:
    nothing = discovery.Found("bot")
    assert discovery.summary(nothing) == ["Found no assets."]
    assert discovery.summary(nothing, "http") == ["An entry for a model, http, is to be filled in."]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_entry_for_each_kind_of_model(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "answers.jsonl").write_text('{"prompt": "a", "response": "b"}\n')
    (tmp_path / "app.py").write_text("def answer(prompt):\n    return prompt\n")
    found = discovery.Found("bot")
    path = tmp_path / "buttress.yaml"
    path.write_text(discovery.write(found, kind), encoding="utf-8")
    system = manifest.load(path)
    assert [asset.is_target for asset in system.assets] == [True]
    if kind in {"weights", "inspect"}:  # what opening needs is in an extra
        return
    for name in ("OPENAI", "AZURE_OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", "key-of-a-test")
    if kind == "browser":
        pytest.importorskip("playwright")
    assert open_target(system.assets[0].settings, base=tmp_path).name
