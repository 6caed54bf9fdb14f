from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.targets.llamacpp import LlamaCppTarget
from buttress.targets.open import open_target
from buttress.targets.replay import ReplayTarget
from buttress.targets.scripted import ScriptedTarget


async def test_the_target_is_chosen_by_key(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"prompt": "a", "response": "b", "expect": "refuse"}\n')
    (tmp_path / "s.yaml").write_text("default: hi\n")
    (tmp_path / "m.gguf").write_bytes(b"GGUF....")
    assert isinstance(open_target({"replay": "r.jsonl"}, base=tmp_path), ReplayTarget)
    assert isinstance(open_target({"script": "s.yaml"}, base=tmp_path), ScriptedTarget)
    local = open_target({"weights": "m.gguf", "parallel": 3}, base=tmp_path)
    assert isinstance(local, LlamaCppTarget)
    assert local.concurrency == 3
    await local.aclose()
    absolute = open_target({"replay": str(tmp_path / "r.jsonl")}, base=Path("/nowhere"))
    assert isinstance(absolute, ReplayTarget)
    remote = open_target(
        {"endpoint": "http://host/v1", "model": "m", "headers": None}, base=tmp_path
    )
    assert remote.identity == "endpoint:http://host/v1/chat/completions#m"


def test_the_weights_of_a_package_are_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, files in {"buttress_one": ["a/m.gguf"], "buttress_two": ["m.gguf", "n.gguf"]}.items():
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"GGUF....")
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("buttress-one", "buttress_one"):  # as it is installed, and as it is imported
        target = open_target({"weights": f"package:{name}"}, base=tmp_path)
    assert target.name == "m.gguf"
    assert "buttress_one" not in sys.modules
    with pytest.raises(InputError, match="holds 2 GGUF files"):
        open_target({"weights": "package:buttress_two"}, base=tmp_path)
    for name in ("buttress_none", "buttress_one.a", "", "../x"):
        with pytest.raises(InputError, match="no installed package"):
            open_target({"weights": f"package:{name}"}, base=tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no target; expected one of endpoint, http, python, weights, replay"),
        ({"endpoint": "http://h", "replay": "r"}, "several targets: endpoint, replay"),
        ({"weights": "none.gguf"}, "no such file or folder"),
        ({"weights": "."}, "is neither"),
        ({"weights": "text.gguf"}, "not a GGUF file"),
        ({"replay": "none.jsonl"}, "no such file"),
        ({"script": "none.yaml"}, "no such file"),
        ({"script": "text.gguf", "modell": 1}, "modell: unknown setting"),
    ],
)
def test_bad_settings(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    (tmp_path / "text.gguf").write_text("text")
    with pytest.raises(InputError) as caught:
        open_target(settings, base=tmp_path)
    assert said in str(caught.value)
