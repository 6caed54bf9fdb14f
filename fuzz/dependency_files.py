"""Files that name dependencies, and advisories about them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any, Final, get_args

from buttress.probes.dependencies.osv.advisory import Advisory
from buttress.probes.dependencies.osv.cvss import base_score
from buttress.probes.dependencies.osv.database import Database
from buttress.probes.dependencies.probe import PROBE
from buttress.provenance.dependencies.npm_ranges import satisfies
from buttress.provenance.dependencies.versions import Ecosystem, key
from fuzz.harness import InvariantError, Run, Target, inspected, placed, private

FILES: Final = {
    "requirements": "requirements.txt",
    "pyproject": "pyproject.toml",
    "setup-cfg": "setup.cfg",
    "toml-lock": "uv.lock",
    "pipfile-lock": "Pipfile.lock",
    "npm-lock": "package-lock.json",
    "conda": "environment.yml",
    "conda-lock": "conda-lock.yml",
    "pipfile": "Pipfile",
    "setup-script": "setup.py",
    "npm-manifest": "package.json",
    "yarn-lock": "yarn.lock",
    "pnpm-lock": "pnpm-lock.yaml",
    "install-commands": "install.sh",
    "notebook-commands": "x.ipynb",
    "script-metadata": "script.py",
    "tox": "tox.ini",
    "tox-toml": "tox.toml",
    "bun-lock": "bun.lock",
    "pre-commit": ".pre-commit-config.yaml",
}
ADVISORY: Final[dict[str, Any]] = {
    "id": "TEST-1",
    "modified": "2026-01-02T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "a"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.2"}]}],
        },
        {
            "package": {"ecosystem": "npm", "name": "a"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        },
    ],
}
ECOSYSTEMS: Final[tuple[Ecosystem, ...]] = get_args(Ecosystem)
_VERSIONS: Final = ("0", "1.0", "1.1", "2!1.0", "1.0rc1", "1.0.post1", "2026.1", "x")


@cache
def _probe(_process: str) -> Any:
    """With one advisory, so that all that is found is looked up as well."""
    return replace(PROBE, osv=placed("osv/TEST-1.json", json.dumps(ADVISORY).encode()).parent)


def _file(name: str) -> Run:
    return lambda data: inspected(_probe(private().name), f"app/{name}", data)


def _advisory(data: bytes) -> object:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    told: list[object] = []
    for ecosystem in ECOSYSTEMS:
        one = Advisory(value, ecosystem, "a")
        told += (one.affects(version) for version in _VERSIONS)
        told += (
            sorted(one.known_versions()),
            sorted(one.fixes()),
            one.severity(),
            one.weaknesses(),
        )
        told += (one.malicious, one.aliases)
    return told


def _database(data: bytes) -> object:
    """As a file of a folder, and as an archive."""
    path = placed("database/all.zip" if data.startswith(b"PK") else "database/1.json", data)
    try:
        found = Database(path if data.startswith(b"PK") else path.parent)
        return found.advisories, found.newest, found.unreadable
    finally:
        path.unlink()


def _version(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return [repr(key(text, "PyPI")), repr(key(text, "npm"))]


def _cvss(data: bytes) -> object:
    score = base_score(data.decode("utf-8", "replace"))
    if score is not None and not 0 <= score <= 10:
        raise InvariantError(f"a score of {score}")
    return score


def _npm_range(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return [satisfies(version, text) for version in ("0.0.0", "1.2.3", "2.0.0-rc.1", "x")]


TARGETS: Final = (
    *(Target(name, _file(file)) for name, file in FILES.items()),
    Target("osv-advisory", _advisory),
    Target("osv-database", _database),
    Target("version", _version),
    Target("cvss", _cvss),
    Target("npm-range", _npm_range),
)
