"""Untrusted bytes in all formats: never an exception, always an Inspection."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.dependencies.probe import PROBE, RULES
from buttress.protocols.inspection import InspectionContext
from tests.probes.dependencies.advisories import LEAKY, write

quick = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
FILES = {
    "requirements.txt": "a==1\n-r b.txt\nleaky-models>=1,<2 --hash=sha256:00\ngit+https://x/y@z#egg=q\n",
    "pyproject.toml": "[project]\ndependencies = ['a==1']\n"
    "[tool.poetry.dependencies]\nb = {version = '^1'}\n",
    "uv.lock": '[[package]]\nname = "leaky-models"\nversion = "1.1"\n'
    'source = { registry = "http://x" }\n',
    "Pipfile.lock": '{"default": {"a": {"version": "==1", "hashes": ["x"]}}}',
    "package-lock.json": '{"packages": {"node_modules/a": {"version": "1", '
    '"resolved": "https://h/a/-/a-1.tgz"}}}',
    "environment.yml": "channels: [a]\ndependencies:\n- numpy=1.2\n- pip:\n  - a==1\n",
    "setup.cfg": "[options]\ninstall_requires =\n  a==1\n",
    "conda-lock.yml": "version: 1\npackage:\n- name: numpy\n  version: '1.2'\n  manager: pip\n",
    "Pipfile": "[packages]\na = '*'\nb = {version = '==1', extras = ['x']}\n",
    "setup.py": "from setuptools import setup\nsetup(install_requires=['a==1', 'leaky-models'])\n",
    "package.json": '{"dependencies": {"a": "^1.2.3", "b": "git+https://h/b.git"}}',
    "yarn.lock": '# yarn lockfile v1\n\n"a@^1.0.0", a@1:\n  version "1.0.1"\n  resolved "https://h/a"\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n"
    "    resolution: {integrity: x}\n",
    "install.sh": "set -e\npip install -q leaky-models==1.1 'a>=1' && npm install b@2\n",
    "x.ipynb": '{"nbformat": 4, "cells": [{"cell_type": "code", "source": '
    '["%pip install leaky-models==1.1\\n", "!pip install a"]}]}',
} | {one.file: one.text for rule in RULES.own.values() for one in rule.bad}
TOKENS = [
    b"==",
    b"[",
    b"{",
    b'"',
    b"\n",
    b"\\\n",
    b"@",
    b"://",
    b";",
    b"-r ",
    b"\xff",
    b"1" * 400,
    b"#egg=",
    b"&a *a",
]


def scan(folder: Path, name: str, data: bytes) -> None:
    database = write(folder / "osv", LEAKY)
    path = folder / "app" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    *findings, last = replace(PROBE, osv=database).inspect(InspectionContext.at("app", path))
    assert isinstance(last, Inspection)
    for one in findings:
        assert isinstance(one, Finding)
        assert 1 <= int(one.location.rpartition(":")[2]) <= data.count(b"\n") + 1


@quick
@given(name=st.sampled_from(sorted(FILES)), body=st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, body: bytes) -> None:
    scan(tmp_path, name, body)


@quick
@given(name=st.sampled_from(sorted(FILES)), seed=st.integers(0, 2**32))
def test_mutated_files(tmp_path: Path, name: str, seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(FILES[name].encode())
    for _ in range(source.randint(1, 5)):
        place = source.randrange(len(data) + 1)
        data[place : place + source.choice([0, 0, 1, 8])] = source.choice(
            [*TOKENS, source.randbytes(2)]
        )
    scan(tmp_path, name, bytes(data))


def test_nesting_and_length_are_bounded(tmp_path: Path) -> None:
    scan(tmp_path, "package-lock.json", b'{"dependencies": ' + b'{"a": {"dependencies": ' * 3_000)
    scan(tmp_path, "pyproject.toml", b"a = " + b"[" * 20_000)
    scan(tmp_path, "requirements.txt", b"a" * 1_000_000 + b"\n" + b"b" + b"[" * 100_000)
    scan(tmp_path, "requirements.txt", b"x \\\n" * 50_000)
    scan(tmp_path, "uv.lock", b"[[package]]\nname = 'a'\n" * 20_000)
