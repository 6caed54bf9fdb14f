"""Dockerfiles and the YAML of containers, clusters and pipelines; shell stands in all of them."""

from __future__ import annotations

from typing import Final

from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.probe import PROBE
from fuzz.harness import InvariantError, Run, Target, inspected

FILES: Final = {
    "dockerfile": "Dockerfile",
    "compose": "compose.yaml",
    "kubernetes": "manifest.yaml",
    "github-workflow": ".github/workflows/a.yml",
    "github-action": "action.yml",
    "gitlab": ".gitlab-ci.yml",
    "helm-values": "chart/values.yaml",
    "helm-template": "chart/templates/a.yaml",
    "script": "deploy.sh",
    "commands-yaml": "Taskfile.yml",
    "task-definition": "task.json",
}


def _file(name: str) -> Run:
    return lambda data: inspected(PROBE, name, data)


def _expressions(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    found = list(expressions(f"${{{{ {text} }}}}"))
    if not found or found[0].start != 0:
        raise InvariantError("the expression is not found where it begins")
    return found


TARGETS: Final = (
    *(Target(name, _file(file)) for name, file in FILES.items()),
    Target("github-expression", _expressions),
)
