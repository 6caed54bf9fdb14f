"""Packs as a user meets them: ``buttress pack``, and what scans and assessments make of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from buttress.cli.main import main
from tests.cli.command import buttress
from tests.packs.making import KEY, SECRETS, make


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home/packs"


def test_from_new_to_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        assert main(["pack", *arguments]) == 0
        return capsys.readouterr().out

    folder = str(tmp_path / "mine")
    assert buttress("pack", "new", folder).returncode == 0
    assert "mine 0.1.0: 13 files, all valid; not signed." in said("verify", folder)
    assert said("install", folder).startswith("Installed mine 0.1.0 in ")
    assert said("list").startswith("mine 0.1.0  Rules of our own  (1 secret")
    assert "all valid" in said("verify", "mine")
    assert main(["pack", "install", folder]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert said("remove", "mine") == "Removed mine.\n"
    assert "No packs in" in said("list")


def test_a_scan_uses_the_rules_of_installed_packs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.py").write_text(f"key = '{KEY}'\n")
    (tree / "bad.bin").write_bytes(b"\x00bad")
    known = (
        "fingerprints:\n  - {sha256: '" + hashlib.sha256(b"\x00bad").hexdigest()
        + "', bytes: 4, title: A bad file}\n"
    )  # fmt: skip
    pack = make(tmp_path / "p", {"s.yaml": ("secret-rules", SECRETS),
                                 "f.yaml": ("fingerprints", known)})  # fmt: skip
    before = json.loads(buttress("scan", str(tree), "--json").stdout)
    assert "acme-token" not in {one["rule"] for one in before["findings"]}
    assert buttress("pack", "install", str(pack)).returncode == 0
    after = json.loads(buttress("scan", str(tree), "--json").stdout)
    found = {one["rule"]: one for one in after["findings"]}
    assert found["acme-token"]["location"] == "a.py:1"
    assert KEY not in json.dumps(after)
    assert found["known-bad-file"]["severity"] == "critical"


def test_a_pack_that_was_tampered_with_stops_the_scan(tmp_path: Path, own_home: Path) -> None:
    assert buttress("pack", "install", str(make(tmp_path / "p"))).returncode == 0
    (own_home / "acme/rules/secrets.yaml").write_text("rules: []\n")
    for arguments in (("scan", str(tmp_path / "p")), ("pack", "list")):
        done = buttress(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "pack 'acme' does not load" in done.stderr


def test_a_manifest_names_the_policy_and_the_risks_of_a_pack(tmp_path: Path) -> None:
    assert main(["pack", "new", str(tmp_path / "mine")]) == 0
    assert main(["pack", "install", str(tmp_path / "mine")]) == 0
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.py").write_text("a = 1\n")
    (tmp_path / "buttress.yaml").write_text(
        "name: x\nassets: [{kind: source, path: app}]\npolicy: pack:mine/policy\n"
        "risks: pack:mine/risks\n"
    )
    done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode in (0, 3), done.stderr
    assert "mine-exposed-token" in (tmp_path / "out/assessment.json").read_text()
    (tmp_path / "buttress.yaml").write_text(
        "name: x\nassets: [{kind: source, path: app}]\npolicy: pack:mine/nonsense\n"
    )
    done = buttress("assess", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pack 'mine' has no 'nonsense' that is policy" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("verify", "no-such"), ("install", "no-such"), ("remove", "no-such"), ("seal", "no-such"),
     ("new", ".")],
)  # fmt: skip
def test_bad_input_is_one_line(arguments: tuple[str, ...]) -> None:
    done = buttress("pack", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
