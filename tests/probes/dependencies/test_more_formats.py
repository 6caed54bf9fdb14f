"""Locks of other tools, scripts, and commands that install."""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.provenance.dependencies.dependency import FormatError
from buttress.provenance.dependencies.formats import parser
from tests.probes.dependencies.test_formats import brief, read

COMMIT = "0123456789abcdef0123456789abcdef01234567"
YARN_1 = f"""# yarn lockfile v1


"@a/b@^1.0.0", "@a/b@^1.2.0":
  version "1.2.3"
  resolved "https://npm.shop.net/@a/b/-/b-1.2.3.tgz#{COMMIT}"
  integrity sha512-x

left@^1:
  version "1.0.0"
  resolved "https://npm.shop.net/left/-/left-1.0.0.tgz#{COMMIT}"
  dependencies:
    version "^9"

"other@npm:real@2":
  version "2.0.0"
  resolved "https://npm.shop.net/real/-/real-2.0.0.tgz"

"own@git+https://git.shop.net/own.git#main":
  version "0.1.0"
  resolved "git+https://git.shop.net/own.git#{COMMIT}"
"""
YARN_4 = """__metadata:
  version: 8

"@a/b@npm:^1.0.0, @a/b@npm:^1.2.0":
  version: 1.2.3
  resolution: "@a/b@npm:1.2.3"
  checksum: 10c0/aa
  languageName: node

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
"""
PNPM_9 = f"""lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      a:
        specifier: ^1

packages:

  '@a/b@1.2.3':
    resolution: {{integrity: sha512-x}}
    engines: {{node: '>=10'}}

  c@2.0.0-beta.1:
    resolution: {{integrity: sha512-y}}

  own@https://codeload.shop.net/o/own/tar.gz/{COMMIT}:
    resolution: {{tarball: https://codeload.shop.net/o/own/tar.gz/{COMMIT}}}
    version: 1.0.0

snapshots:

  '@a/b@1.2.3(c@2.0.0)': {{}}
"""
PNPM_5 = """lockfileVersion: 5.4
packages:

  /@a/b/1.2.3_react@17.0.0:
    resolution: {integrity: sha512-x}

  /c/2.0.0:
    resolution: {tarball: http://npm.shop.net/c.tgz}
"""
CONDA_LOCK = """version: 1
metadata:
  channels:
  - url: conda-forge
    used_env_vars: []
package:
- name: pytorch
  version: 2.1.0
  manager: conda
  platform: linux-64
  dependencies:
    numpy: '>=1.2'
  url: https://channel.shop.net/linux-64/pytorch-2.1.0-py311_0.conda
  hash:
    md5: aa
    sha256: bb
  category: main
- name: transformers
  version: 4.40.0
  manager: pip
  url: https://files.shop.net/transformers-4.40.0-py3-none-any.whl
  hash:
    sha256: cc
"""
PIXI = """version: 6
environments:
  default:
    channels:
    - url: https://channel.shop.net/
    packages:
      linux-64:
      - conda: https://channel.shop.net/linux-64/numpy-1.26.4-py311h_0.conda
packages:
- conda: https://channel.shop.net/linux-64/numpy-1.26.4-py311h_0.conda
  sha256: aa
  md5: bb
- pypi: https://files.shop.net/a-1.0-py3-none-any.whl
  name: a
  version: '1.0'
  sha256: cc
"""
EXPLICIT = """# platform: linux-64
@EXPLICIT
https://channel.shop.net/linux-64/_libgcc_mutex-0.1-main.conda#d7c89558ba9fa0495403155b64376d81
http://channel.shop.net/linux-64/numpy-base-1.26.4-py311h_0.tar.bz2
"""
SETUP = """from setuptools import setup
BASE = ["numpy==1.26.4", 'torch>=2']
extras = {"dev": ["pytest"], "all": BASE + ["scipy"]}
setup(name="x", install_requires=BASE + [
    "transformers[torch]<5",
], extras_require=extras, tests_require=read("t.txt"))
"""
PIPFILE = """[[source]]
url = "http://index.shop.net/simple"
verify_ssl = false
name = "s"

[packages]
numpy = "==1.26.4"
torch = "*"
own = {git = "https://git.shop.net/own.git", ref = "main"}
here = {path = ".", editable = true}

[dev-packages]
pytest = {version = ">=8", extras = ["x"]}

[requires]
python_version = "3.11"
"""
MANIFEST = """{
  "name": "x",
  "dependencies": {
    "express": "^4.18.0",
    "openai": "4.1.0",
    "alias": "npm:real@~2.1",
    "here": "workspace:*",
    "own": "github:shop/own#main",
    "file": "https://files.shop.net/f.tgz"
  },
  "devDependencies": {"vite": "latest"}
}
"""
DOCKERFILE = r"""FROM python:3.11
# pip install commented
RUN pip install --no-cache-dir torch==2.0.1 'transformers>=4,<5' -r requirements.txt \
    # why
    numpy && apt-get install -y curl
RUN ["pip", "install", "uvicorn[standard]==0.30.0"]
RUN uv pip install --index-url https://i.net/simple "vllm" $EXTRA ./own git+https://g.net/x
RUN conda install -c pytorch -y pytorch=2.1.0 && npm install -g @a/b@1.2.3 mcp-remote
RUN echo "you may pip install nothing"
"""
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["!pip install told\n"]},
            {
                "cell_type": "code",
                "source": ["!pip install -q peft==0.1.0\n", "%pip install trl\n", "x = 1\n"],
                "outputs": [{"text": ["pip install output\n"]}],
            },
            {"cell_type": "code", "source": "%%bash\npip install einops\n", "outputs": []},
        ],
        "metadata": {"kernelspec": {"language": "python"}},
    },
    indent=1,
)
FILES = {
    "yarn.lock": YARN_1, "pnpm-lock.yaml": PNPM_9, "conda-lock.yml": CONDA_LOCK,
    "pixi.lock": PIXI, "explicit.txt": EXPLICIT, "setup.py": SETUP, "Pipfile": PIPFILE,
    "package.json": MANIFEST, "Dockerfile": DOCKERFILE, "train.ipynb": NOTEBOOK,
}  # fmt: skip


def rules(name: str, text: str) -> list[tuple[str, int]]:
    parse = parser("app", name)
    assert parse is not None
    return [(one.rule, one.line) for one in parse(text).issues]


def test_locks_of_yarn() -> None:
    found = read("yarn.lock", YARN_1)
    assert brief(found) == [
        ("@a/b", "1.2.3", 4), ("left", "1.0.0", 9), ("real", "2.0.0", 15), ("own", "", 19),
    ]  # fmt: skip
    assert [one.hashed for one in found] == [True, False, False, None]
    assert found[3].address == f"git+https://git.shop.net/own.git@{COMMIT}"
    assert brief(read("yarn.lock", YARN_4)) == [("@a/b", "1.2.3", 4)]


def test_a_lock_of_yarn_with_another_package_or_host() -> None:
    swapped = YARN_1.replace("/left/-/left-1.0.0.tgz", "/evil/-/evil-1.0.0.tgz")
    assert rules("yarn.lock", YARN_1) == []
    assert rules("yarn.lock", swapped) == [("lock-other-package", 9)]
    aliased = (
        '# yarn lockfile v1\n\n"left@*", "left@npm:@acme/left@6.0.0":\n  version "6.0.0"\n'
        '  resolved "https://npm.shop.net/@acme/left/-/left-6.0.0.tgz"\n'
        "  integrity sha512-YMMxTUQV==\n"
    )
    assert rules("yarn.lock", aliased) == []
    foreign = YARN_1.replace("https://npm.shop.net/left/", "https://evil.net/left/")
    assert rules("yarn.lock", foreign) == [("lock-foreign-host", 9)]


def test_locks_of_pnpm() -> None:
    found = read("pnpm-lock.yaml", PNPM_9)
    assert brief(found) == [("@a/b", "1.2.3", 12), ("c", "2.0.0-beta.1", 16), ("own", "", 19)]
    assert found[2].address.endswith(f"@{COMMIT}")
    old = read("pnpm-lock.yaml", PNPM_5)
    assert brief(old) == [("@a/b", "1.2.3", 4), ("c", "2.0.0", 7)]
    assert [one.hashed for one in old] == [True, False]
    assert rules("pnpm-lock.yaml", PNPM_5) == [("index-plain-http", 7)]


def test_locks_of_conda() -> None:
    found = read("conda-lock.yml", CONDA_LOCK)
    assert brief(found) == [("torch", "2.1.0", 7), ("transformers", "4.40.0", 18)]
    assert [(one.conda, one.hashed) for one in found] == [(True, True), (False, True)]
    pixi = read("pixi.lock", PIXI)
    assert {one[:2] for one in brief(pixi)} == {("numpy", "1.26.4"), ("a", "1.0")}
    explicit = read("conda-linux-64.lock", EXPLICIT)
    assert brief(explicit) == [("_libgcc_mutex", "0.1", 3), ("numpy-base", "1.26.4", 4)]
    assert [one.hashed for one in explicit] == [True, False]
    assert rules("explicit.txt", EXPLICIT) == [("index-plain-http", 4)]


def test_setup_scripts_are_read_and_not_run() -> None:
    assert brief(read("setup.py", SETUP)) == [
        ("numpy", "1.26.4", 2), ("torch", ">=2", 2), ("transformers", "<5", 5),
        ("pytest", "", 3), ("numpy", "1.26.4", 2), ("torch", ">=2", 2), ("scipy", "", 3),
    ]  # fmt: skip
    parse = parser("app", "setup.py")
    assert parse is not None
    assert parse(SETUP).notes == ["tests_require is computed, in part or whole"]
    assert parse("raise SystemExit\nsetup(install_requires=['a'])").dependencies[0].name == "a"


def test_names_that_expand_without_end_are_bounded() -> None:
    doubled = "\n".join(f"a{one} = a{one - 1} + a{one - 1}" for one in range(1, 60))
    read("setup.py", f"a0 = ['x']\n{doubled}\nsetup(install_requires=a59)\n")
    read("setup.py", "a = a + a\nsetup(install_requires=a)\n")


def test_pipfiles() -> None:
    assert brief(read("Pipfile", PIPFILE)) == [
        ("numpy", "1.26.4", 7), ("torch", "", 8), ("own", "", 9), ("pytest", ">=8", 13),
    ]  # fmt: skip
    assert rules("Pipfile", PIPFILE) == [("index-plain-http", 2), ("index-trusted-host", 2)]


def test_manifests_of_npm() -> None:
    found = read("package.json", MANIFEST)
    assert brief(found) == [
        ("express", "^4.18.0", 4), ("openai", "4.1.0", 5), ("real", "~2.1", 6), ("own", "", 8),
        ("file", "", 9), ("vite", "latest", 11),
    ]  # fmt: skip
    assert found[3].address == "git+https://github.com/shop/own@main"
    assert found[0].allows("4.99.0")
    assert not found[0].allows("5.0.0")


def test_commands_that_install() -> None:
    assert brief(read("Dockerfile", DOCKERFILE)) == [
        ("torch", "2.0.1", 3), ("transformers", "<5,>=4", 3), ("numpy", "", 3),
        ("uvicorn", "0.30.0", 6), ("vllm", "", 7), ("torch", "2.1.0", 8), ("@a/b", "1.2.3", 8),
        ("mcp-remote", "", 8),
    ]  # fmt: skip
    workflow = "steps:\n  - run: pip install torch==2.0\n  - run: 'pip install \"scipy<2\"'\n"
    assert brief(read("ci.yml", workflow, "workflows")) == [
        ("torch", "2.0", 2), ("scipy", "<2", 3),
    ]  # fmt: skip


def test_cells_that_install() -> None:
    found = read("train.ipynb", NOTEBOOK)
    lines = NOTEBOOK.split("\n")
    assert [one.name for one in found] == ["peft", "trl", "einops"]
    assert all(f"install {one.name}" in lines[one.line - 1] or "-q peft" in lines[one.line - 1]
               for one in found)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["Dockerfile.gpu", "Containerfile", "x.dockerfile", "run.sh", "conda-linux-64.lock",
     ".gitlab-ci.yml", "pylock.dev.toml", "spec-file.txt"],
)  # fmt: skip
def test_names_that_are_known(name: str) -> None:
    assert parser("a", name)


@pytest.mark.parametrize("name", ["notes.txt", "x.lock", "a.yaml", "Dockerfiles", "setup.pyc", ""])
def test_names_that_are_not(name: str) -> None:
    assert parser("a", name) is None


quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(name=st.sampled_from(sorted(FILES)), body=st.text(max_size=300), seed=st.integers(0, 2**32))
def test_any_text_and_mutated_files(name: str, body: str, seed: int) -> None:
    source, text = random.Random(seed), FILES[name]
    for _ in range(source.randint(1, 5)):
        place = source.randrange(len(text) + 1)
        piece = source.choice(["\n", ":", '"', "@", "\\\n", "'", " ", "- ", body[:3], "&&"])
        text = text[:place] + piece + text[place + source.choice([0, 1, 9]) :]
    parse = parser("app", name)
    assert parse is not None
    for one in (body, text):
        try:
            found = parse(one)
        except FormatError:
            continue
        for dependency in found.dependencies:
            assert dependency.name
            assert 1 <= dependency.line <= one.count("\n") + 1


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("piece", ["- a: ", '"a@1":\n', "pip install ", "[[", "  a@1:\n", "\\\n"])
def test_long_files_take_no_long_time(name: str, piece: str) -> None:
    parse = parser("app", name)
    assert parse is not None
    with suppress(FormatError):
        parse(piece * (1_000_000 // len(piece)))
