"""Folders of a project are no packages of the index; scripts, tox and pre-commit name packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.evidence.findings import Finding
from buttress.probes.dependencies.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.dependencies.dependency import Parser
from buttress.provenance.dependencies.formats import locks, npm, projects, tools

LOCK = '[[{table}]]\nname = "a"\nversion = "1"\n{source}\n'
PIPENV = {"default": {"a": {"path": "./libs/a", "version": "==1"}}}
PROJECT = '[project]\nname = "A"\ndependencies = ["{wanted}"]\n{rest}\n'


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *(
            (
                locks.toml_lock,
                LOCK.format(table="package", source=f'source = {{ {key} = "a" }}'),
            )
            for key in ("directory", "path", "editable", "virtual")
        ),
        (locks.toml_lock, LOCK.format(table="package", source='path = "./libs/a"')),
        (locks.toml_lock, LOCK.format(table="packages", source='directory = { path = "a" }')),
        (locks.toml_lock, LOCK.format(table="packages", source='archive = { path = "a.whl" }')),
        (locks.pipfile_lock, json.dumps(PIPENV)),
        (
            projects.pyproject,
            PROJECT.format(wanted="b", rest="[tool.uv.sources]\nb = { workspace = true }"),
        ),
        (
            projects.pyproject,
            PROJECT.format(wanted="b>=1", rest='[tool.uv.sources]\nb = { path = "libs/b" }'),
        ),
        (projects.pyproject, PROJECT.format(wanted="a[test]", rest="")),
        (npm.parse, json.dumps({"dependencies": {"a": {"version": "file:libs/a"}}})),
    ],
)
def test_folders_of_the_project_are_left_out(parse: Parser, text: str) -> None:
    assert parse(text).dependencies == []


def test_an_alias_of_npm_is_the_package_that_it_stands_for() -> None:
    one = {
        "version": "npm:left-lib@1.2.0",
        "resolved": "https://x.net/left-lib/-/left-lib-1.2.0.tgz",
    }
    parsed = npm.parse(json.dumps({"lockfileVersion": 1, "dependencies": {"nice": one}}))
    (found,) = parsed.dependencies
    assert (found.name, found.version) == ("left-lib", "1.2.0")
    assert parsed.issues == []


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        ("kit>=0.4.0,<0.6", "vulnerable-range"),
        ("kit<0.6", "vulnerable-range"),
        ("kit==0.5.*", "vulnerable-range"),
        ("kit~=0.4.2", "vulnerable-range"),
        ("kit>=0.4", "range-allows-vulnerable"),
        ("kit>=0.7", ""),
        ("kit>=0.6.2,<1", ""),
        ("kit", ""),
    ],
)
def test_ranges_of_python_below_a_fix(tmp_path: Path, wanted: str, rule: str) -> None:
    events = [{"introduced": "0"}, {"fixed": "0.6.2"}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": "kit"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    advisory = {"id": "T-1", "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "a.json").write_text(json.dumps(advisory))
    place = tmp_path / "requirements.txt"
    place.write_text(f"{wanted}\n")
    probe = PROBE.with_options(osv=str(tmp_path / "osv"))
    rules = {
        one.rule
        for one in probe.inspect(InspectionContext.at("a", place))
        if isinstance(one, Finding)
    }
    assert rules & {"vulnerable-range", "range-allows-vulnerable"} == ({rule} if rule else set())


def test_metadata_of_scripts() -> None:
    text = (
        '#!/usr/bin/env python\n# /// script\n# requires-python = ">=3.11"\n'
        '# dependencies = [\n#   "rich==13.0",\n# ]\n# ///\nimport rich\n'
    )
    (found,) = tools.script(text).dependencies
    assert (found.name, found.version, found.line) == ("rich", "13.0", 5)


def test_environments_of_tox() -> None:
    text = "[testenv]\ndeps =\n  pytest>=8  # tests\n  py311: rich==13.0\n  -rdev.txt\n"
    parsed = tools.tox(text)
    assert [(one.name, one.line) for one in parsed.dependencies] == [("pytest", 3), ("rich", 4)]
    assert parsed.includes == ["dev.txt"]


def test_hooks_of_pre_commit() -> None:
    text = (
        "repos:\n- repo: https://x.net/a\n  rev: v1\n  hooks:\n  - id: mypy\n"
        "    additional_dependencies:\n    - types-yaml==1.0\n"
    )
    (found,) = tools.pre_commit(text).dependencies
    assert (found.name, found.line) == ("types-yaml", 7)


def test_only_scripts_among_python_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import rich\n")
    (tmp_path / "b.py").write_text('# /// script\n# dependencies = ["rich"]\n# ///\n')
    *found, last = PROBE.inspect(InspectionContext.at("a", tmp_path))
    assert last.files == 1  # type: ignore[union-attr]
    assert {one.location for one in found if isinstance(one, Finding)} <= {"b.py:2"}


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (tools.tox_toml, '[env_run_base]\ndeps = ["left-lib==1.2.0"]\n'),
        (tools.tox_toml, '[env.docs]\ndeps = ["left-lib==1.2.0", "{[x]y}"]\n'),
        (tools.in_pyproject, '[tool.tox.env_run_base]\ndeps = ["left-lib==1.2.0"]\n'),
        (
            tools.in_pyproject,
            '[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ndeps = left-lib==1.2.0\n"""\n',
        ),
        (
            tools.in_pyproject,
            '[tool.hatch.envs.test]\nextra-dependencies = ["left-lib==1.2.0"]\n',
        ),
        (
            npm.bun,
            '{\n "packages": {\n  "nice": ["left-lib@1.2.0", "", {"a": "x,]"}, "sha512-x",],\n'
            '  "own": ["own@workspace:packages/own"],\n },\n}\n',
        ),
    ],
)
def test_environments_and_locks_of_other_tools(parse: Parser, text: str) -> None:
    (found,) = parse(text).dependencies
    assert (found.name, found.version) == ("left-lib", "1.2.0")
    assert "left-lib" in text.split("\n")[found.line - 1]
