"""Dockerfiles and the YAML of containers, clusters and pipelines; shell stands in all of them."""

from __future__ import annotations

from typing import Final

from buttress.probes.deployment.probe import PROBE
from fuzz.harness import Run, Target, inspected

FILES: Final = {
    "dockerfile": "Dockerfile",
    "compose": "compose.yaml",
    "kubernetes": "manifest.yaml",
    "github-workflow": ".github/workflows/a.yml",
    "github-action": "action.yml",
    "gitlab": ".gitlab-ci.yml",
}


def _file(name: str) -> Run:
    return lambda data: inspected(PROBE, name, data)


TARGETS: Final = tuple(Target(name, _file(file)) for name, file in FILES.items())
