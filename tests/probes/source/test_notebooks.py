"""Secrets in notebooks: the cell, the line in the file, and whatever is no notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.findings import Finding
from buttress.probes.source.secrets import PROBE
from buttress.protocols.inspection import InspectionContext
from tests.probes.source.samples import key, sample

STRIPE = sample("sk_live_{base62:24}", 0)
OTHER = sample("ghp_{crc62:30}", 0)


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code(*lines: str, outputs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": outputs or [], "source": list(lines)}


def inspect(tmp_path: Path, content: str) -> list[Finding]:
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf-8")
    *findings, _ = PROBE.inspect(InspectionContext.at("app", path))
    return findings  # type: ignore[return-value]


def line_of(content: str, text: str, nth: int = 0) -> int:
    return [number for number, line in enumerate(content.split("\n"), 1) if text in line][nth]


@pytest.mark.parametrize("indent", [1, None])
def test_cell_and_line(tmp_path: Path, indent: int | None) -> None:
    cells = (code("x = 1\n"), code("import y\n", f"key = '{STRIPE}'\n"), code(f"'{STRIPE}'"))
    content = json.dumps(notebook(*cells), indent=indent)
    findings = inspect(tmp_path, content)
    assert ["in cell 2" in findings[0].message, "in cell 3" in findings[1].message] == [True, True]
    expected = [line_of(content, STRIPE, nth if indent else 0) for nth in (0, 1)]
    assert [one.location for one in findings] == [f"a.ipynb:{line}" for line in expected]


def test_outputs_and_metadata_are_read_and_images_are_not(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": [f"{STRIPE}\n"]},
        {"output_type": "display_data", "data": {"image/png": OTHER, "text/plain": "<Figure>"}},
    ]
    content = notebook(code("print(key)", outputs=outputs))
    content["metadata"] = {"colab": {"api_key": sample("{base62:32}", 1)}}
    findings = inspect(tmp_path, json.dumps(content, indent=1))
    assert [one.rule for one in findings] == ["stripe-key", "secret-literal"]
    assert "cell" not in findings[1].message


def test_quotes_that_are_escaped_in_the_file(tmp_path: Path) -> None:
    content = json.dumps(
        notebook(code('SESSION_SECRET = "' + sample("{base62:32}", 5) + '"\n')), indent=1
    )
    (finding,) = inspect(tmp_path, content)
    assert finding.rule == "secret-literal"
    assert finding.location == f"a.ipynb:{line_of(content, 'SESSION_SECRET')}"


def test_a_private_key_over_several_lines(tmp_path: Path) -> None:
    lines = [f"{line}\n" for line in key("private-key").split("\n")]
    content = json.dumps(notebook(code('pem = """\n', *lines, '"""\n')), indent=1)
    (finding,) = inspect(tmp_path, content)
    assert finding.location == f"a.ipynb:{line_of(content, '-----BEGIN')}"


def test_allow_comments_in_cells(tmp_path: Path) -> None:
    cell = code("# buttress: allow secret revoked long ago\n", f"key = '{STRIPE}'\n")
    assert inspect(tmp_path, json.dumps(notebook(cell), indent=1)) == []


@pytest.mark.parametrize(
    "content",
    [
        f"not json {STRIPE}",
        f'["{STRIPE}"]',
        "[" * 100_000 + STRIPE,
        '{"cells": [' + "[]," * 400_001 + f'"{STRIPE}"]}}',
        '{"cells": "' + STRIPE + '"}',
        '{"cells": [{"source": ["\\ud800", "' + STRIPE + '"]}]}',
        '{"cells": [{"source": "\\u0073k_live_' + STRIPE.partition("live_")[2] + '"}]}',
    ],
    ids=["text", "list", "deep", "many", "string", "surrogate", "escaped"],
)
def test_whatever_is_no_proper_notebook_is_read_too(tmp_path: Path, content: str) -> None:
    assert [one.rule for one in inspect(tmp_path, content)] == ["stripe-key"]
