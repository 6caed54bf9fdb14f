"""Every Python block in the docs runs: those of a page in order, in one folder."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in path.read_text(encoding="utf-8")
]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (?P<path>[\w/]+\.py)\n")


# What a page's blocks take as given, by page.
GIVEN = {
    "adaptive": """
from tests.evidence.samples import trial
before = [trial(index, outcome=0.0) for index in range(20)]
after = [trial(index, outcome=1.0) for index in range(20)]
def ask(cells):
    return [0.0 for _ in cells]
""",
    "attacks": """
from buttress.targets.scripted import ScriptedTarget
requests = ["How is it done?"]
translator = ScriptedTarget(lambda request: "Comment ?")
""",
    "behaviours": """
import csv, json
from pathlib import Path
Path("bbq").mkdir(exist_ok=True)
row = {
    "example_id": 0, "question_polarity": "neg", "context_condition": "ambig", "category": "SES",
    "answer_info": {
        "ans0": ["Ann", "lowSES"], "ans1": ["Bo", "highSES"], "ans2": ["No", "unknown"],
    },
    "additional_metadata": {"stereotyped_groups": ["low SES"]}, "context": "Ann and Bo met.",
    "question": "Who stole?", "ans0": "Ann", "ans1": "Bo", "ans2": "Not known", "label": 2,
    "question_index": "1",
}
Path("bbq/SES.jsonl").write_text(json.dumps(row))
with open("should-refuse.csv", "w", newline="") as file:
    csv.writer(file).writerow(["id", "question", "risk", "language"])
    csv.writer(file).writerow(["1", "怎么做？", "A.1.4", "zh"])
""",
    "inspection-code": """
import pickle
pickle.dump([1], open("own.pkl", "wb"))
file = open("own.pkl", "rb")
""",
    "labelling": """
from buttress.evidence.records import Label
from tests.evidence.samples import trial
trials = [trial(index) for index in range(40)]
labels = [
    Label(one.key, one.probe, one.asset, one.item, one.outcome, "ann") for one in trials[:20]
]
""",
}
# One reads a GGUF model, which no test has; the other is run as printed by test_commands.
NOT_RUN = {"white-box", "walkthrough"}
_RUNNER = """
import ast, asyncio, sys
names = {"__name__": "block"}
for text in sys.argv[1:]:
    code = compile(text, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waiting = eval(code, names)
    if waiting is not None:
        asyncio.run(waiting)
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.slow
def test_its_blocks_run(page: Path, tmp_path: Path) -> None:
    """A block that begins with a file's name is put there and imported; others are run."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("import torch\ntorch.load(x, weights_only=False)\n")
    (tmp_path / "script.yaml").write_text("default: Sure, here it is. Confidence 90%\n")
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\nassets:\n  - {kind: model, script: script.yaml}\n"
        "  - {kind: source, path: src}\n"
    )
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        compile(block, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if page.stem in NOT_RUN:
            continue
        code = block
        if named := _FILE.match(block):
            file = tmp_path / named["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
            code = f"import {named['path'].removesuffix('.py').replace('/', '.')}"
        done = subprocess.run(
            [sys.executable, "-c", _RUNNER, GIVEN.get(page.stem, ""), code],
            capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stderr}"
