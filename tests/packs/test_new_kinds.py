"""Each kind of rule that probes take from packs: from ``pack new`` to a scan and to tampering."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buttress.cli.main import main
from buttress.files.folder import files
from buttress.packs import home
from buttress.probes.artifacts import parallel
from buttress.probes.artifacts.pack.pickle_examples import assemble
from buttress.probes.artifacts.pickles.added import Added, Told
from buttress.probes.artifacts.pickles.judge import NameLists
from tests.cli.command import buttress
from tests.packs.making import make

Rows = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home/packs"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One file for each kind of rule."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name, described in {
        "allowed.pkl": {"new": "ourlib.models.Forest", "state": {"dict": [["trees", 7]]}},
        "gadget.pkl": {"import": "ourlib.plugins.load"},
        "reviewed.pkl": {"call": "ourlib.tools.run", "args": ["x"]},
    }.items():
        (folder / name).write_bytes(assemble(described))
    (folder / "Dockerfile").write_text(f"FROM ghcr.io/a/b@sha256:{'a' * 64}\nUSER 1000\n")
    (folder / "tools.json").write_text(
        '{"tools": [{"name": "x", "description": "Deletes any account.", "inputSchema": {}}]}'
    )
    return folder


def scan(tree: Path, probe: str) -> Rows:
    """Findings by file."""
    done = buttress("scan", str(tree), "--only", probe, "--json")
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)["findings"]
    return {one["location"].partition("@")[0].partition(":")[0]: one for one in found}


def _infrastructure(found: Rows) -> None:
    assert found["Dockerfile"]["rule"] == "mine-foreign-registry"
    assert found["Dockerfile"]["severity"] == "medium"


def _agents(found: Rows) -> None:
    assert (found["tools.json"]["rule"], found["tools.json"]["severity"]) == (
        "mine-admin-tool", "high",
    )  # fmt: skip


def _allowed(found: Rows) -> None:
    one = found["allowed.pkl"]
    assert (one["rule"], one["severity"]) == ("pickle-allowed-by-pack", "info")
    assert "as pack mine 0.1.0 says" in one["message"]
    assert found["gadget.pkl"]["rule"] == "pickle-unknown-import"


def _dangerous(found: Rows) -> None:
    one = found["gadget.pkl"]
    assert (one["rule"], one["severity"]) == ("pickle-dangerous-import", "critical")
    assert "it runs a command (pack mine 0.1.0)" in one["message"]
    assert found["allowed.pkl"]["rule"] == "pickle-unknown-import"


def _good(found: Rows) -> None:
    one = found["reviewed.pkl"]
    assert (one["rule"], one["severity"]) == ("pickle-unknown-import", "info")
    assert one["message"].startswith("Accepted by digest, pack mine 0.1.0: the example of")
    assert "It was high: The pickle imports ourlib.tools.run" in one["message"]
    assert found["gadget.pkl"]["severity"] == "medium"


@pytest.mark.parametrize(
    ("kind", "path", "probe", "effect"),
    [
        ("infrastructure-rules", "rules/infrastructure.yaml", "infrastructure", _infrastructure),
        ("agent-rules", "rules/agents.yaml", "agent-config", _agents),
        ("pickle-allowlist", "pickles/allowed.yaml", "model-files", _allowed),
        ("pickle-danger", "pickles/dangerous.yaml", "model-files", _dangerous),
        ("known-good", "known-good.yaml", "model-files", _good),
    ],
)
def test_from_new_to_tampered(
    tmp_path: Path,
    own_home: Path,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    kind: str,
    path: str,
    probe: str,
    effect: Callable[[Rows], None],
) -> None:
    folder = tmp_path / "mine"
    assert main(["pack", "new", str(folder)]) == 0
    manifest = folder / "pack.yaml"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(x for x in lines if "{kind" not in x or f"{kind}," in x))
    for file in folder.rglob("*.*"):
        if file.relative_to(folder).as_posix() not in (path, "pack.yaml", "README.md"):
            file.unlink()
    (folder / path).write_text("# Ours.\n" + (folder / path).read_text())
    assert main(["pack", "verify", str(folder)]) == 2
    assert main(["pack", "seal", str(folder)]) == 0
    assert main(["pack", "verify", str(folder)]) == 0
    assert main(["pack", "install", str(folder)]) == 0
    assert "1 digest changed" in (said := capsys.readouterr().out)
    assert "mine 0.1.0: 1 file, all valid; not signed." in said
    effect(scan(tree, probe))
    installed = own_home / "mine" / path
    installed.write_text(installed.read_text().replace("# Ours", "# Theirs"))
    done = buttress("scan", str(tree), "--only", probe)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pack 'mine' does not load" in done.stderr


def test_a_suppression_may_name_a_rule_of_a_pack(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    assert main(["pack", "new", str(fresh), "--id", "mine"]) == 0
    rules = (fresh / "rules/infrastructure.yaml").read_text()
    pack = make(tmp_path / "p", {"i.yaml": ("infrastructure-rules", rules)}, id="mine")
    home.install(pack, replace=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".buttress-ignore.yaml").write_text(
        "version: 1\nsuppressions: [{rule: mine-foreign-registry, path: '**', status: accepted,\n"
        "reason: our mirror, expires: 2999-01-01}]\n"
    )
    assert "Dockerfile" not in scan(tree, "infrastructure")


def test_the_workers_have_the_names_too(tree: Path) -> None:
    added = Added(
        {("ourlib.models", "Forest"): Told("plain", "mine 1")},
        {"ourlib.tools.run": Told("runs", "mine 1")},
        {"ourlib.plugins": Told("loads", "mine 1")},
    )
    alone = dict(parallel.reports(files(tree, []), names=NameLists(added), workers=1))
    shared = dict(parallel.reports(files(tree, []), names=NameLists(added), workers=2, alone=0))
    assert shared == alone
    rules = {path.name: [one.rule for one in report.issues] for path, report in shared.items()}
    assert rules["allowed.pkl"] == ["pickle-allowed-by-pack"]
    assert rules["gadget.pkl"] == rules["reviewed.pkl"] == ["pickle-dangerous-import"]
    assert Added.of_plain(added.plain()) == added
