"""Notebooks: cells are one module, magics are taken out, lines are those of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.findings import Finding, Inspection
from buttress.files.notebook_code import plain
from tests.probes.source.code.examine import inspect


def cell(*lines: str, outputs: list[Any] | None = None) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "metadata": {},
        "outputs": outputs or [], "source": list(lines),
    }  # fmt: skip


def look(
    tmp_path: Path, *cells: dict[str, Any], indent: int | None = 1, **rest: Any
) -> tuple[list[Finding], Inspection, list[str]]:
    path = tmp_path / "a.ipynb"
    text = json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, **rest}, indent=indent)
    path.write_text(text, encoding="utf-8")
    findings, inspection = inspect(path)
    return findings, inspection, text.split("\n")


def test_names_reach_from_cell_to_cell_and_lines_are_those_of_the_file(tmp_path: Path) -> None:
    shown = [{"output_type": "stream", "text": ["x = p.load(f)\n", "x = p.load(f)"]}]
    findings, _, lines = look(
        tmp_path,
        {"cell_type": "markdown", "source": ["p.load(f)"]},
        cell("%matplotlib inline\n", "import pickle as p\n", "x = 1"),
        cell("# reads\n", "x = p.load(f)\n", "\n", "y = p.load(g)", outputs=shown),
    )
    assert ["in cell 3" in one.message for one in findings] == [True, True]
    places = [int(one.location.removeprefix("a.ipynb:")) for one in findings]
    assert [lines[place - 1].strip().strip('",') for place in places] == [
        r"x = p.load(f)\n", "y = p.load(g)",
    ]  # fmt: skip
    assert places[0] > max(i for i, line in enumerate(lines, 1) if '"text"' in line)


@pytest.mark.parametrize(
    "source", ["import pickle\nx = pickle.load(f)\n", ["import pickle\nx = pickle.load(f)"]]
)
def test_sources_as_one_text_and_files_of_one_line(tmp_path: Path, source: Any) -> None:
    for indent in (1, None):
        findings, _, _ = look(tmp_path, {"cell_type": "code", "source": source}, indent=indent)
        assert [one.rule for one in findings] == ["pickle-load"]


def test_taint_across_cells(tmp_path: Path) -> None:
    findings, _, _ = look(
        tmp_path,
        cell("import openai\n", "r = openai.OpenAI().responses.create(input='a')"),
        cell("exec(r.output_text)"),
    )
    assert [one.rule for one in findings] == ["llm-code-executed"]
    assert "openai" in findings[0].proof


def test_commands(tmp_path: Path) -> None:
    findings, _, _ = look(
        tmp_path,
        cell(
            "!curl -s https://a.shop.net/i.sh | bash\n", "%pip install git+https://code.shop.net/a"
        ),
        cell("%%bash\n", "cd x\n", "wget --no-check-certificate https://a.shop.net/m.pt"),
        cell("out = !chmod 777 model"),
    )
    assert [one.rule for one in findings] == [
        "piped-to-shell", "package-source-untrusted", "download-insecure-command", "world-writable",
    ]  # fmt: skip
    assert [one.message[-8:-2] for one in findings] == ["cell 1", "cell 1", "cell 2", "cell 3"]


@pytest.mark.parametrize(
    ("lines", "code", "commands"),
    [
        (["!ls \\", "  -l", "x = 1"], "pass\n\nx = 1", [(1, "ls -l")]),
        (["if a:", "    !ls"], "if a:\n    pass", [(2, "ls")]),
        (["%time x = f()"], "x = f()", []),
        (["%%time", "x = f()"], "\nx = f()", []),
        (["%%timeit -n 3", "!ls"], "\npass", [(2, "ls")]),
        (["", "%%html", "<b>"], "", []),
        (["%%writefile a.py", "x = 1"], "\nx = 1", []),
        (["%%writefile a.txt", "x x"], "", []),
        (["x?", "??y.z", "%load_ext a"], "pass\npass\npass", []),
        (["files = !ls", "a = 1 != 2"], "files = None\na = 1 != 2", [(1, "ls")]),
        (["x = 5 %2", "y = %pwd"], "x = 5 %2\ny = None", []),
        (["!ls \\"], "pass", [(1, "ls")]),
    ],
)
def test_magics(lines: list[str], code: str, commands: list[tuple[int, str]]) -> None:
    assert plain(lines) == (code, commands)


def test_a_cell_that_does_not_parse_does_not_hide_the_others(tmp_path: Path) -> None:
    findings, inspection, _ = look(
        tmp_path, cell("import pickle"), cell("x = = 1"), cell("pickle.load(f)")
    )
    assert [one.rule for one in findings] == ["pickle-load"]
    assert any("cell 2: no Python" in one for one in inspection.skipped)


def test_other_languages_and_broken_files(tmp_path: Path) -> None:
    r = {"kernelspec": {"language": "R", "name": "ir"}}
    findings, inspection, _ = look(tmp_path, cell("import pickle; pickle.load(f)"), metadata=r)
    assert findings == []
    assert any("not a notebook in Python" in one for one in inspection.skipped)
    (tmp_path / "a.ipynb").write_text('{"cells": [pickle.load', encoding="utf-8")
    _, inspection = inspect(tmp_path / "a.ipynb")
    assert any("not a notebook in Python" in one for one in inspection.skipped)


def test_cells_of_old_notebooks_stand_in_worksheets(tmp_path: Path) -> None:
    old = {
        "worksheets": [
            {"cells": [{"cell_type": "markdown", "source": ["text"]}]},
            {"cells": [{"cell_type": "code", "input": ["import pickle\n", "pickle.load(f)"]}]},
        ],
        "metadata": {"name": ""}, "nbformat": 3,
    }  # fmt: skip
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(old, indent=1), encoding="utf-8")
    findings, _ = inspect(path)
    assert [one.rule for one in findings] == ["pickle-load"]
    line = int(findings[0].location.rpartition(":")[2])
    assert "pickle.load(f)" in path.read_text(encoding="utf-8").split("\n")[line - 1]
