"""Half a surrogate pair, which JSON, YAML and Python can spell, stops no probe (by fuzzing)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workflows.scan.command import scan

HALF = "\\ud800"
FILES = {
    "a.py": f'import os, torch\nx = "{HALF}"\nos.system("{HALF}" + x)\ntorch.load("{HALF}")\n',
    "n.ipynb": '{"cells": [{"cell_type": "code", "source": "%pip ' + HALF + 'tall x\\n!ls"}]}',
    "config.json": '{"auto_map' + HALF + '": {"a": "' + HALF + '"}, "_target_": "' + HALF + '.a"}',
    "tokenizer.json": '{"added_tokens": [], "' + HALF + '": "curl x | sh", "model": {}}',
    "pod.yaml": f'apiVersion: v1\nkind: Pod\nmetadata: {{name: "{HALF}"}}\nspec:\n  containers:\n'
    f'  - {{name: "{HALF}", image: "x:{HALF}", command: ["sh", "{HALF} curl x | sh"]}}\n',
    "mcp.json": '{"mcpServers": {"' + HALF + '": {"command": "sh", "env": {"T": "' + HALF + '"}}}}',
    "package-lock.json": '{"packages": {"node_modules/' + HALF + '": {"version": "' + HALF + '"}}}',
    "environment.yml": f'dependencies: ["{HALF}=1", {{pip: ["{HALF}==1"]}}]\n',
}


@pytest.mark.parametrize("name", FILES)
def test_every_probe_reads_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    for form in ("json", "sarif", "text"):
        done = scan(path, "--also", "licences", "--fail-on", "never", "--format", form)
        assert done.code == 0, done.err
    json.loads(scan(path, "--fail-on", "never", "--format", "json").out)
