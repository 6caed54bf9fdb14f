"""A mistake of an inspector in one file is told, and the other files are inspected all the same."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from buttress import extension
from buttress.evidence.findings import Inspection
from buttress.protocols.inspection import InspectionContext

# The probe, a function of it to break, a file, and what is found in it.
CASES = {
    "secrets": ("buttress.probes.source.secrets", "_scan", "a.env", "K='sk_live_{}'\n"),
    "unsafe-code": (
        "buttress.probes.source.code.linking", "module_of", "a.py",
        "import torch\ntorch.load(x, weights_only=False)\n",
    ),
    "dependencies": (
        "buttress.probes.dependencies.probe", "_issues", "requirements.txt", "reqeusts==1\n",
    ),
    "infrastructure": (
        "buttress.probes.deployment.probe", "subjects", "Dockerfile", "FROM python:latest\n",
    ),
    "agent-config": (
        "buttress.probes.agents.probe", "_json", "mcp.json",
        '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}}}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("probe", CASES)
def test_the_rest_is_inspected(probe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, file, text = CASES[probe]
    for folder in ("broken", "whole"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(text.replace("{}", "4eC39HqLyjWD" + "arjtT1zdp7dc"))
    owner = importlib.import_module(module)
    own = getattr(owner, name)

    def breaking(*given: Any) -> Any:
        where = [getattr(one, "location", one) for one in given]
        if any(isinstance(one, str) and one.startswith("broken") for one in where):
            raise TypeError("a mistake")
        return own(*given)

    monkeypatch.setattr(owner, name, breaking)
    inspector = extension.load("probes", probe)
    with pytest.raises(TypeError):
        list(inspector.inspect(InspectionContext.at("a", tmp_path)))
    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    *findings, last = inspector.inspect(InspectionContext.at("a", tmp_path))
    seen = [one for one in findings if not one.rule.endswith("-not-searched")]
    assert {one.location.partition("/")[0] for one in seen} == {"whole"}
    assert isinstance(last, Inspection)
    (note,) = [one for one in last.skipped if "inspector itself failed" in one]
    assert note.startswith(f"broken/{file}: ")
    assert "TypeError" in note
