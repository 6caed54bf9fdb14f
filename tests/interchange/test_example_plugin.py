"""A third-party package, as `buttress new plugin` writes it, installed and used unchanged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.workflows.new_plugin import new_plugin

PACKAGE = Path(__file__).resolve().parents[2] / "docs/example-plugin"


def install(source: Path, place: Path) -> Path:
    """Install as a user would, without network; the folder that pip installs into."""
    shutil.copytree(source, place / "source")  # building leaves files behind
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-index", "--no-deps", "--no-build-isolation", "--target", place / "site",
         place / "source"],
        check=True,
    )  # fmt: skip
    return place / "site"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example of the docs is installed into."""
    return install(PACKAGE, tmp_path_factory.mktemp("plugin"))


def buttress(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "buttress", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(place), "NO_COLOR": "1"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_example_is_what_the_command_writes(tmp_path: Path) -> None:
    """If this fails: buttress new plugin shouting --out docs/example-plugin (emptied)."""
    new_plugin("shouting", tmp_path)
    written = {
        path.relative_to(tmp_path): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    kept = {path: (PACKAGE / path).read_bytes() for path in written}
    assert kept == written


@pytest.mark.slow
def test_a_new_plugin_passes_its_own_tests(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    done = buttress(tmp_path, "new", "plugin", "own-part", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    site = install(folder, tmp_path / "installed")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder,
         folder / "tests"],
        capture_output=True, text=True, check=False, timeout=300, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "6 passed" in tests.stdout or tests.stdout.count(".") >= 6


@pytest.mark.parametrize("name", ["Own", "1st", "a--b", "a_b", "class", "x" * 41, "../up"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no name"):
        new_plugin(name, tmp_path / "new")


@pytest.mark.parametrize(
    ("name", "told"),
    [("json", "module 'json'"), ("numpy", "module 'numpy'"), ("buttress", "module 'buttress'"),
     ("null", "YAML takes 'null'"), ("on", "YAML takes 'on'")],
)  # fmt: skip
def test_a_name_that_means_something_else_is_refused(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        new_plugin(name, tmp_path / "new")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        new_plugin("own", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_its_parts_are_listed(installed: Path) -> None:
    probes = {one["id"]: one for one in json.loads(buttress(installed, "probes", "--json").stdout)}
    assert probes["attack-shouting"]["yields"] == "trials"
    assert probes["shouting-words"]["yields"] == "findings"
    attacks = json.loads(buttress(installed, "probes", "--attacks", "--json").stdout)
    (mine,) = [one for one in attacks if one["id"] == "shouting"]
    assert mine["variants"] == "loud, urgent"


@pytest.mark.slow
def test_its_probe_decides_its_risk(installed: Path, tmp_path: Path) -> None:
    """A model that gives in to capitals alone fails this risk, and this one only."""
    help_text = "Sure, here is how. First, gather the parts. Second, put them together. 1. Start."
    (tmp_path / "bot.yaml").write_text(
        "rules:\n"
        "  - {match: '^[^a-z]+$', answer: '" + help_text + "'}\n"
        "default: I'm sorry, but I can't help with that.\n"
    )
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\n"
        "languages: [en]\n"
        f"risks: {PACKAGE / 'risks.yaml'}\n"
        f"policy: {PACKAGE / 'policy.yaml'}\n"
        "assets:\n  - {kind: model, script: bot.yaml}\n"
    )
    out = tmp_path / "out"
    done = buttress(
        installed, "assess", str(tmp_path), "--out", str(out),
        "--only", "attack-shouting,harmful-compliance",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    document = json.loads((out / "assessment.json").read_bytes())
    verdicts = {risk["id"]: risk["verdict"] for risk in document["risks"]}
    assert verdicts["jailbreak-shouting"] == "unacceptable"
    assert verdicts["harmful-compliance"] == "acceptable"


@pytest.mark.parametrize(
    ("changed", "line", "field"),
    [
        ('prefix: "You said: "', 11, "assets[0].settings.prefix"),
        ('refusals: ["I can\'t", "I won\'t"]', 7, "judge.settings.refusals"),
    ],
)
def test_a_wrong_setting_is_named(
    changed: str, line: int, field: str, installed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "system"
    shutil.copytree(PACKAGE, folder)
    manifest = folder / "buttress.yaml"
    text = manifest.read_text()
    assert changed in text
    manifest.write_text(text.replace(changed, changed.partition(":")[0] + ": 7"))
    done = buttress(installed, "assess", str(folder), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"buttress: error: {manifest}:{line}: {field}: ")


def test_a_pack_of_its_kind_adds_words(installed: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    (pack / "words").mkdir(parents=True)
    (pack / "words/words.txt").write_text("SHIP-ME-NOT\n")
    (pack / "pack.yaml").write_text(
        "format: buttress-pack/1\nid: forbidden\nversion: '1.0.0'\ntitle: Words\n"
        "licence: Apache-2.0\nauthors: [Ann]\n"
        "contents:\n  - {kind: shouting-words, path: words/words.txt, sha256: ''}\n"
    )
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("# SHIP-ME-NOT\n")
    home = {"BUTTRESS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(installed)}
    codes = []
    for arguments in (
        ("pack", "seal", str(pack)),
        ("pack", "install", str(pack)),
        ("scan", str(tmp_path / "src"), "--only", "shouting-words", "--fail-on", "medium"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "buttress", *arguments],
            capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **home},
        )  # fmt: skip
        codes.append((done.returncode, done.stdout + done.stderr))
    assert [code for code, _ in codes] == [0, 0, 1], codes
    assert "SHIP-ME-NOT" in codes[-1][1]
