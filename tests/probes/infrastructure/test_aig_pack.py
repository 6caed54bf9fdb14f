"""AI-Infra-Guard's rules as an installed pack: unchanged, and used without ``--rules``."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.packs import home
from buttress.packs.installed import installed
from buttress.packs.knowledge import OWN
from buttress.probes.infrastructure.aig.as_pack import ATTRIBUTION, write_pack
from buttress.probes.infrastructure.aig.files import MAX_BYTES, load, read_rules
from buttress.probes.infrastructure.aig.sources import ArchiveSource
from buttress.probes.infrastructure.probe import rules_of
from buttress.protocols.live import LiveContext
from buttress.workflows.survey import Surveyor
from buttress.workflows.survey_settings import SurveySettings
from tests.cli.command import buttress

FINGER = """\
info: {name: demo, author: x, severity: info, metadata: {type: web}}
http: [{method: GET, path: /demo-page, matchers: ['body="Demo"']}]
version: [{method: GET, path: /v, extractor: {part: body, group: '1', regex: 'v([0-9.]+)'}}]
"""
ADVISORY = 'info:\n  name: demo\n  cve: CVE-1\n  severity: HIGH\nrule: version < "2.0"\n'


def rules(folder: Path) -> Path:
    """A checkout with rules, its licence and its notice."""
    for part, text in (("fingerprints/demo.yaml", FINGER), ("vuln_en/demo/1.yaml", ADVISORY),
                       ("vuln/demo/1.yaml", ADVISORY.replace("CVE-1", "CVE-ZH"))):  # fmt: skip
        (folder / "data" / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / part).write_text(text, encoding="utf-8")
    (folder / "LICENSE").write_text("the licence")
    (folder / "NOTICE").write_text("the notice")
    return folder


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_from_the_command_to_a_survey_that_uses_them(tmp_path: Path, own_home: Path) -> None:
    folder = rules(tmp_path / "checkout")
    (folder / "data/fingerprints/bad.yaml").write_text("info: [")
    done = buttress("pack", "install", "--from", "ai-infra-guard", str(folder))
    assert done.returncode == 0, done.stderr
    assert "1 fingerprints and 1 advisories, unchanged" in done.stdout
    assert ATTRIBUTION in done.stdout
    assert "left out: fingerprints/bad.yaml" in done.stderr
    pack = own_home / "packs/ai-infra-guard"
    assert (pack / "LICENSE").read_text() == "the licence"
    assert (pack / "NOTICE").read_text() == "the notice"
    assert ATTRIBUTION in (pack / "README.md").read_text()
    with zipfile.ZipFile(pack / "rules.zip") as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    base = folder / "data"
    assert kept == {
        path.relative_to(base).as_posix(): path.read_bytes() for path in base.rglob("*.yaml")
    }
    listed = buttress("survey", "127.0.0.1:9", "--layer", "infrastructure", "--dry-run")
    assert "/demo-page" in listed.stdout
    written = buttress("survey", "127.0.0.1:9", "--rules-as-written", "--dry-run", "--layer",
                       "infrastructure")  # fmt: skip
    assert {line.rpartition("/")[2] for line in written.stdout.splitlines()} >= {"demo-page", "v"}
    again = buttress("pack", "install", "--from", "ai-infra-guard", str(folder))
    assert again.returncode == 2
    assert "--replace" in again.stderr


def test_the_pack_holds_the_same_rules_as_the_folder(tmp_path: Path, own_home: Path) -> None:
    folder = rules(tmp_path / "checkout")
    (tmp_path / "pack").mkdir()
    write_pack(folder, tmp_path / "pack")
    home.install(tmp_path / "pack", replace=False)
    packed = rules_of(LiveContext(knowledge=installed()))
    assert packed is not None
    plain = load(folder)
    assert packed.folder.fingerprints == plain.fingerprints
    assert packed.folder.advisories("demo") == plain.advisories("demo")
    assert packed.folder.title == "pack ai-infra-guard 0.0.0+" + packed.folder.title[-12:]
    named = rules_of(LiveContext(knowledge=installed(), rules=folder))
    assert named is not None
    assert named.folder.title == str(folder / "data")
    assert rules_of(LiveContext(knowledge=OWN)) is None
    assert own_home.is_dir()
    archive = ArchiveSource(own_home / "packs/ai-infra-guard/rules.zip")
    (chinese,) = read_rules([archive], "zh").advisories("demo")
    assert chinese.cve == "CVE-ZH"


def test_the_version_is_that_of_the_package_and_the_same_rules_make_the_same_pack(
    tmp_path: Path,
) -> None:
    site = tmp_path / "site-packages"
    rules(site / "aig_infra_scan")
    (site / "aig_infra_scan-1.4.0.dist-info/licenses").mkdir(parents=True)
    (site / "aig_infra_scan-1.4.0.dist-info/licenses/NOTICE").write_text("of the package")
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_pack(site / "aig_infra_scan", tmp_path / name)
        made.append({one.name: one.read_bytes() for one in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert b'"version": "1.4.0"' in made[0]["pack.yaml"]
    assert made[0]["NOTICE"] == b"of the package"


def test_a_file_that_is_too_large_is_left_out_and_told(tmp_path: Path) -> None:
    folder = rules(tmp_path / "checkout")
    (folder / "data/vuln_en/demo/2.yaml").write_text(ADVISORY + "#" * MAX_BYTES)
    (tmp_path / "pack").mkdir()
    made = write_pack(folder, tmp_path / "pack")
    assert [(one.file, one.what) for one in made.problems] == [
        ("vuln_en/demo/2.yaml", "more than 4 MiB")
    ]
    with zipfile.ZipFile(tmp_path / "pack/rules.zip") as archive:
        assert "vuln_en/demo/2.yaml" not in archive.namelist()


@pytest.mark.parametrize("kind", ["text", "empty", "bomb", "cut"])
def test_archives_that_are_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rules.zip"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "bomb":
            archive.writestr("fingerprints/a.yaml", b" " * (64 << 20))
        elif kind == "cut":
            archive.writestr("fingerprints/a.yaml", os.urandom(2_000))
    content = data.getvalue()
    path.write_bytes(b"no archive" if kind == "text" else content)
    if kind == "cut":
        path.write_bytes(content[:300] + bytes(1_000) + content[1_300:])
    with pytest.raises(InputError, match=r"rules\.zip"):
        read_rules([ArchiveSource(path)])


def test_as_written_needs_rules_from_somewhere(own_home: Path) -> None:
    assert not own_home.exists()
    with pytest.raises(InputError, match="pack install"):
        Surveyor(SurveySettings(targets=["127.0.0.1:9"], as_written=True))
