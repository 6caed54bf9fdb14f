"""From Kubernetes manifests to the subjects of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.rules.shell import image, scripts, shell, variables
from buttress.rules.subject import Subject

# Where the template of pods lies in each kind of object.
_PODS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template", "spec"),
    ),
}
_OPERATORS: Final = {  # objects of operators that hold templates of pods, by where these lie
    "RayCluster": (
        ("spec", "headGroupSpec", "template", "spec"),
        ("spec", "workerGroupSpecs", "*", "template", "spec"),
    ),
    "RayService": (
        ("spec", "rayClusterConfig", "headGroupSpec", "template", "spec"),
        ("spec", "rayClusterConfig", "workerGroupSpecs", "*", "template", "spec"),
    ),
    "InferenceService": (("spec", "predictor"), ("spec", "transformer"), ("spec", "explainer")),
    "PyTorchJob": (("spec", "pytorchReplicaSpecs", "*", "template", "spec"),),
    "TFJob": (("spec", "tfReplicaSpecs", "*", "template", "spec"),),
    "MPIJob": (("spec", "mpiReplicaSpecs", "*", "template", "spec"),),
    "Notebook": (("spec", "template", "spec"),),
}

# Objects of Argo and Tekton whose steps are scripts or containers, at any depth.
_WORKFLOWS: Final = {
    "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow",
    "Task", "ClusterTask", "TaskRun", "Pipeline", "PipelineRun", "StepAction",
}  # fmt: skip
_SCRIPT: Final = re.compile(r"\.(?:sh|bash)$")
_MAX_DEPTH: Final = 40


def kubernetes(document: YamlDocument) -> Iterator[Subject]:
    """Subjects of a manifest: objects, pods, containers, images, variables, scripts."""
    data = document.data
    if not isinstance(data, dict):
        return
    items = data.get("items")
    if str(data.get("kind", "")).endswith("List") and isinstance(items, list):
        for index, one in enumerate(items):
            if isinstance(one, dict):
                yield from _object(document, one, ("items", index))
    elif "apiVersion" in data and "kind" in data:
        yield from _object(document, data, ())


def _object(document: YamlDocument, value: dict[str, Any], path: FieldPath) -> Iterator[Subject]:
    kind = str(value.get("kind", ""))
    yield _part(f"k8s.{kind}", document, value, path, near=document.lines)
    if kind == "ConfigMap":
        data = value.get("data")
        short = {
            name: one
            for name, one in (data.items() if isinstance(data, dict) else ())
            if isinstance(one, str) and "\n" not in one
        }
        yield from variables(document, short, (*path, "data"), "k8s")
        for name, one in data.items() if isinstance(data, dict) else ():
            if isinstance(one, str) and (_SCRIPT.search(str(name)) or one.startswith("#!")):
                yield shell(one, document.text_line((*path, "data", name)), where="script")
    elif kind in _WORKFLOWS:
        yield from _workflow(document, value.get("spec"), (*path, "spec"))
    steps = (_PODS[kind],) if kind in _PODS else _OPERATORS.get(kind, ())
    for step in steps:
        for place, pod in _find(value, step, path):
            yield from _pod(document, pod, place, kind)


def _workflow(document: YamlDocument, value: Any, path: FieldPath) -> Iterator[Subject]:
    """Scripts, and containers, of the steps of a workflow."""
    if len(path) > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _workflow(document, one, (*path, index))
    elif isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield from _container(document, value, path, {})
        for key, one in value.items():
            if key in ("source", "script") and isinstance(one, str):
                yield shell(one, document.text_line((*path, key)), where="script")
            else:
                yield from _workflow(document, one, (*path, key))


def _find(value: Any, steps: tuple[str, ...], path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if not steps:
        if isinstance(value, dict):
            yield path, value
    elif isinstance(value, list) and steps[0] == "*":
        for index, one in enumerate(value):
            yield from _find(one, steps[1:], (*path, index))
    elif isinstance(value, dict):
        for key in value if steps[0] == "*" else (steps[0],):
            if key in value:
                yield from _find(value[key], steps[1:], (*path, key))


def _pod(
    document: YamlDocument, pod: dict[str, Any], path: FieldPath, kind: str
) -> Iterator[Subject]:
    yield _part("k8s.pod", document, pod, path, object=kind)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        containers = pod.get(key)
        for index, one in enumerate(containers) if isinstance(containers, list) else ():
            if isinstance(one, dict):
                yield from _container(document, one, (*path, key, index), pod)


def _container(
    document: YamlDocument, one: dict[str, Any], path: FieldPath, pod: dict[str, Any]
) -> Iterator[Subject]:
    yield _part("k8s.container", document, one, path, pod=pod)
    if isinstance(one.get("image"), str):
        yield image(one["image"], document.line((*path, "image")), "k8s")
    yield from variables(document, one.get("env"), (*path, "env"), "k8s")
    for name in ("command", "args"):
        yield from scripts(document, one.get(name), (*path, name))


def _part(
    kind: str, document: YamlDocument, value: Any, path: FieldPath, **context: Any
) -> Subject:
    return Subject(kind, value, lambda below: document.line((*path, *below)), context)
