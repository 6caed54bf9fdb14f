"""Formats of files: what they name, on which lines, fixed how."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.dependencies.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from buttress.provenance.dependencies.dependency import Dependency
from buttress.provenance.dependencies.formats import parser
from buttress.provenance.dependencies.formats.projects import poetry_specifier


def read(name: str, text: str, folder: str = "app") -> list[Dependency]:
    parse = parser(folder, name)
    assert parse is not None
    return parse(text).dependencies


def brief(found: list[Dependency]) -> list[tuple[str, str, int]]:
    return [(one.name, one.version or one.specifier, one.line) for one in found]


def inspect(path: Path) -> tuple[list[Finding], Inspection]:
    *findings, inspection = PROBE.inspect(InspectionContext.at("app", path))
    return findings, inspection  # type: ignore[return-value]


def test_it_is_an_inspection_probe() -> None:
    assert isinstance(PROBE, InspectionProbe)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("a", "requirements.txt"), ("a", "requirements-dev.txt"), ("a", "dev-requirements.in"),
     ("requirements", "base.txt"), ("a", "constraints.txt"), ("a", "environment.yml"),
     ("a", "Pipfile.lock"), ("a", "pylock.toml"), ("a", "npm-shrinkwrap.json")],
)  # fmt: skip
def test_names_that_are_known(folder: str, name: str) -> None:
    assert parser(folder, name)


def test_names_that_are_not() -> None:
    assert not parser("a", "notes.txt")
    assert not parser("a", "requirements.md")


def test_requirements() -> None:
    text = (
        "# comment\nnumpy==2.1.0 ; python_version > '3.8'  # why\n"
        "torch[cuda]>=2.0,<3 \\\n    --hash=sha256:" + "0" * 64 + "\n"
        "-e git+https://github.com/a/b.git@main#egg=b\n"
        "c @ https://files.net/c-1.0-py3-none-any.whl\n"
        "https://files.net/d-2.0.tar.gz\n./local\nwildcard==1.*\n"
    )
    found = read("requirements.txt", text)
    assert brief(found) == [
        ("numpy", "2.1.0", 2), ("torch", "<3,>=2.0", 3), ("b", "", 5), ("c", "1.0", 6),
        ("d", "2.0", 7),
        ("wildcard", "==1.*", 9),
    ]  # fmt: skip
    assert [one.hashed for one in found[:2]] == [False, True]


def test_pyproject_of_all_kinds() -> None:
    text = """[build-system]
requires = ["setuptools>=77"]
[project]
dependencies = ["numpy==2.1.0", 'torch>=2']
[project.optional-dependencies]
x = ["a==1"]
[dependency-groups]
dev = ["b==2", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.11"
c = "^1.2.3"
d = {git = "https://git.net/d.git", rev = "main"}
e = [{version = "~2.1"}]
[tool.uv.sources]
f = {git = "https://git.net/f"}
"""
    assert brief(read("pyproject.toml", text)) == [
        ("setuptools", ">=77", 2), ("numpy", "2.1.0", 4), ("torch", ">=2", 4), ("a", "1", 6),
        ("b", "2", 8), ("c", "<2,>=1.2.3", 11), ("d", "", 12),
        ("e", "<2.2,>=2.1", 13), ("f", "", 15),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [("^1.2.3", "<2,>=1.2.3"), ("^0.2.3", "<0.3,>=0.2.3"), ("^0.0.3", "<0.0.4,>=0.0.3"),
     ("^0", "<1,>=0"), ("~1", "<2,>=1"), ("~1.2.3", "<1.3,>=1.2.3"), ("1.2", "==1.2"), ("*", ""),
     (">=1, <2", "<2,>=1"), ("^1 || ^2", ""), ("latest!", None)],
)  # fmt: skip
def test_constraints_of_poetry(given: str, meant: str | None) -> None:
    assert poetry_specifier(given) == meant


def test_locks_of_python() -> None:
    poetry = (
        '[[package]]\nname = "a"\nversion = "1.0"\nfiles = [{file = "a.whl", hash = "sha256:0"}]\n'
    )
    uv = (
        'version = 1\n[[package]]\nname = "me"\nversion = "0"\nsource = { editable = "." }\n'
        '[[package]]\nname = "b"\nversion = "2.0"\n'
        f'source = {{ git = "https://g.net/b?rev=x#{"a" * 40}" }}\n'
    )
    pipfile = (
        '{"default": {"c": {"version": "==3.0",\n "hashes": []}}, '
        '"develop": {"d": {"git": "https://g.net/d", "ref": "x"}}}'
    )
    (a,) = read("poetry.lock", poetry)
    assert (a.version, a.hashed, a.line, a.locked) == ("1.0", True, 2, True)
    (b,) = read("uv.lock", uv)
    assert (b.name, b.line, b.address.endswith("@" + "a" * 40)) == ("b", 7, True)
    c, d = read("Pipfile.lock", pipfile)
    assert (c.version, c.hashed, d.address) == ("3.0", False, "git+https://g.net/d@x")


def test_locks_of_npm_old_and_new() -> None:
    old = (
        '{"dependencies": {\n"a": {"version": "1.0.0", "dependencies": {\n'
        '"b": {"version": "2.0.0"}}}}}'
    )
    new = (
        '{"packages": {"": {},\n"node_modules/a": {"version": "1.0.0"},\n'
        '"node_modules/l": {"link": true}}}'
    )
    assert brief(read("package-lock.json", old)) == [("a", "1.0.0", 2), ("b", "2.0.0", 3)]
    assert brief(read("package-lock.json", new)) == [("a", "1.0.0", 2)]


def test_conda_and_pip_in_it() -> None:
    text = ("channels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pytorch=2.1.0=cuda\n"
            "  - conda-forge::scipy=1.2\n  - numpy>=1.2\n"
            "  - pip:\n    - transformers==4.0\n")  # fmt: skip
    assert brief(read("environment.yml", text)) == [
        ("torch", "2.1.0", 4), ("scipy", "==1.2.*", 5), ("numpy", ">=1.2", 6),
        ("transformers", "4.0", 8),
    ]  # fmt: skip


def test_setup_cfg() -> None:
    text = "[options]\ninstall_requires =\n    a==1\n    b>=2\n[options.extras_require]\nx = c\n"
    assert brief(read("setup.cfg", text)) == [("a", "1", 3), ("b", ">=2", 4), ("c", "", 6)]


def test_includes_beyond_two_hundred_are_told(tmp_path: Path) -> None:
    for number in range(203):
        (tmp_path / f"{number}.list").write_text(f"-r {number + 1}.list\n")
    (tmp_path / "203.list").write_text("deepseekai\n")
    (tmp_path / "requirements.txt").write_text("-r 0.list\n")
    findings, inspection = inspect(tmp_path)
    (found,) = findings
    assert (found.rule, found.location) == ("dependencies-not-searched", "200.list:1")
    assert any("200 files that others include were read" in one for one in inspection.skipped)


def test_includes_are_followed_inside_the_asset_only(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("deepseeek\n")
    app = tmp_path / "app"
    app.mkdir()
    (app / "requirements.txt").write_text("-r more/base.list\n-r ../outside.txt\n-c gone.txt\n")
    (app / "more").mkdir()
    (app / "more/base.list").write_text("-r ../requirements.txt\ndeepseekai\n")
    findings, inspection = inspect(app)
    assert [(one.rule, one.location) for one in findings] == [
        ("malicious-package", "more/base.list:2")
    ]
    told = "\n".join(inspection.skipped)
    assert "outside the asset" in told
    assert "does not exist" in told


def test_what_is_broken_or_not_known_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / "requirements.txt").write_text("numpy==2.1.0\n!!!\n")
    _, inspection = inspect(tmp_path)
    told = "\n".join(inspection.skipped)
    for what in ("it is not TOML", "1 lines are no requirements", "not known offline",
                 "no database of advisories was given"):  # fmt: skip
        assert what in told


def test_credentials_of_indexes_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "--extra-index-url https://me:hunter2lane@a.net/simple\na==1\n"
    )
    (one,) = inspect(tmp_path)[0]
    assert one.rule == "index-extra"
    assert "hunter2lane" not in one.message


def test_findings_are_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "numpy\nscipy>=1\ntransformres==1\n--trusted-host a\n"
    )
    assert inspect(tmp_path)[0] == inspect(tmp_path)[0]
