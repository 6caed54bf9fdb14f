"""``buttress bom`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import buttress
from tests.provenance import folders


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folders.model(tmp_path / "m", "license: cc-by-nc-4.0")
    done = buttress("bom", str(tmp_path))
    assert done.returncode == 0
    bill = json.loads(done.stdout)
    assert (bill["specVersion"], bill["metadata"]["timestamp"]) == (
        "1.6", "2023-11-14T22:13:20+00:00",
    )  # fmt: skip
    assert "low: The model m is under CC-BY-NC-4.0" in done.stderr
    assert "not legal advice" in done.stderr
    out = tmp_path / "bom.json"
    done = buttress(
        "bom", str(tmp_path), "--commercial", "--fail-on", "high", "-o", str(out), "--no-hashes"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "high: The model m" in done.stderr
    assert "hashes" not in out.read_text()
    assert buttress("bom", str(tmp_path), "--non-commercial", "--fail-on", "info").returncode == 0


def test_a_manifest_whose_purpose_says_the_use(tmp_path: Path) -> None:
    folders.model(tmp_path / "weights", "license: cc-by-nc-4.0")
    folders.data(tmp_path / "corpus", "license: mit")
    folders.write(
        tmp_path / "buttress.yaml",
        "name: Shop\npurpose: a commercial shop\nowner: the team\nassets:\n"
        "  - {kind: model, id: chat, path: weights}\n  - {kind: data, id: rows, path: corpus}\n"
        "  - {kind: model, id: far, endpoint: 'http://127.0.0.1:9/v1', model: owner/name}\n",
    )
    done = buttress("bom", str(tmp_path), "--fail-on", "high")
    assert done.returncode == 1
    bill = json.loads(done.stdout)
    assert bill["metadata"]["component"]["name"] == "Shop"
    parts = {one["name"]: one for one in bill["components"]}
    assert set(parts) == {"weights", "rows", "owner/name"}
    assert parts["rows"]["data"][0]["governance"] == {
        "owners": [{"organization": {"name": "the team"}}]
    }
    assert parts["owner/name"]["purl"] == "pkg:huggingface/owner/name"


def test_texts_that_can_not_be_written_are_escaped(tmp_path: Path) -> None:
    folders.model(tmp_path / "m", model_type="\ud800\x1b[2J", _name_or_path="o/\ud800n")
    done = buttress("bom", str(tmp_path))
    assert done.returncode == 0
    (part,) = json.loads(done.stdout)["components"]
    assert part["name"] == "o/\\ud800n"
    assert part["modelCard"]["modelParameters"]["architectureFamily"] == "\\ud800\\x1b[2J"
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no/such",), "no/such"),
        (("tests/cli",), "nothing that belongs"),
        (("{model}", "--assessment", "no/such.json"), "no/such.json"),
        (("{model}", "-o", "no/such/bom.json"), "no/such/bom.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    folder = folders.model(tmp_path / "m")
    done = buttress("bom", *(one.format(model=folder) for one in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("buttress: error: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
