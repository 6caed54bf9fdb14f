"""YAML that loaders of models act upon: NeMo and Hydra, MLflow, HyperPyYAML, Python tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.encodings.text import decoded, is_text
from buttress.probes.artifacts.encodings.yaml_leaves import MAX_BYTES, Leaf, YamlError, leaves
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.named_code import verdict
from buttress.probes.artifacts.scope import Scope, printable
from buttress.probes.artifacts.source import Source

_MARK: Final = re.compile(
    rb"^[ \t-]*(?:[\w.\"'-]+[ \t]*:[ \t]*)?(?:!!?python/|!<tag:yaml\.org,2002:python/|"
    rb"!(?:new|apply|name|module|include):)"
    rb"|^[ \t-]*[\"']?_target_[\"']?[ \t]*:|[{,][ \t]*[\"']?_target_[\"']?[ \t]*:"
    rb"|^[\"']?flavors[\"']?[ \t]*:|^[ \t-]*trust_remote_code[ \t]*:[ \t]*[\"']?[Tt]rue",
    re.M,
)
_PYTHON_TAGS: Final = ("tag:yaml.org,2002:python/", "!python/", "!!python/")
_HARMLESS_TAGS: Final = (
    "tuple", "none", "bool", "str", "unicode", "int", "long", "float", "complex", "list", "dict",
    "bytes",
)  # fmt: skip
_HYPER: Final = ("!new:", "!apply:", "!name:", "!module:")
_MAX_TOLD: Final = 40


def matches(source: Source, head: bytes) -> bool:
    """A text with a line that only such a configuration has."""
    if not is_text(head) or head[:1] in b"<" or head.lstrip()[:1] == b"{":
        return False
    return _MARK.search(source.read_at(0, MAX_BYTES)) is not None


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Look at every key and tag that makes a loader import something."""
    raw = source.read_at(0, MAX_BYTES + 1)
    try:
        found = list(leaves(decoded(raw)))
    except YamlError as error:
        scope.leave_out(f"the configuration is not read: {error}")
        return
    told: set[str] = set()
    mlflow = any(leaf.path[:1] == ("flavors",) for leaf in found)
    for leaf in found:
        for issue in (*_leaf(leaf, scope), *(_mlflow(leaf, scope) if mlflow else ())):
            if issue.message not in told and len(told) < _MAX_TOLD:
                told.add(issue.message)
                yield issue


def _leaf(leaf: Leaf, scope: Scope) -> Iterator[Issue]:
    for prefix in _PYTHON_TAGS:
        if leaf.tag.startswith(prefix):
            yield from _python_tag(leaf, leaf.tag.removeprefix(prefix), scope)
            return
    for prefix in _HYPER:
        if leaf.tag.startswith(prefix) and (found := verdict(leaf.tag.removeprefix(prefix))):
            message = f"The configuration {found[1]}."
            yield scope.issue("config-target", leaf.offset, message, severity=found[0])
    if leaf.path[-1:] == ("_target_",) and leaf.value and (found := verdict(leaf.value)):
        message = f"The configuration {found[1]}."
        yield scope.issue("config-target", leaf.offset, message, severity=found[0])
    if leaf.path[-1:] == ("trust_remote_code",) and (leaf.value or "").lower() == "true":
        message = "The configuration sets trust_remote_code, so that code beside the weights runs."
        yield scope.issue("hf-remote-code", leaf.offset, message)


def _python_tag(leaf: Leaf, rest: str, scope: Scope) -> Iterator[Issue]:
    kind, _, name = rest.partition(":")
    if kind in _HARMLESS_TAGS:
        return
    found = verdict(name) if name else None
    what = f"{kind} {printable(name)}".strip()
    message = f"An unsafe loader of YAML would make the Python {what}"
    if found and found[0] == "critical":
        yield scope.issue("yaml-python-tag", leaf.offset, f"{message}, which runs code.")
    else:
        yield scope.issue("yaml-python-tag", leaf.offset, f"{message}.", severity="high")


def _mlflow(leaf: Leaf, scope: Scope) -> Iterator[Issue]:
    """The MLmodel file: what ``mlflow.pyfunc.load_model`` imports and unpickles."""
    key, value = leaf.path[-1] if leaf.path else "", leaf.value or ""
    if leaf.path[:1] != ("flavors",) or not value or value == "null":
        return
    shown = printable(value)
    if key == "loader_module":
        if (found := verdict(f"{value}.load")) and found[0] != "critical":
            message = f"MLflow imports {shown} to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message)
        elif found:
            message = f"MLflow imports {shown}, which runs code, to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message, severity="critical")
    elif key in ("code", "model_code_path", "code_paths") and "conda" not in value:
        message = (
            f"MLflow puts the folder {shown} of the model on Python's path and runs code from it."
        )
        yield scope.issue("mlflow-code", leaf.offset, message)
    elif key in ("python_model", "pickled_model", "model_path", "data", "serialized_model"):
        if leads_out(value) or "://" in value:
            message = f"MLflow loads {shown}, which lies outside the folder."
            yield scope.issue("config-path", leaf.offset, message)
        elif value.endswith((".pkl", ".pickle", ".cloudpickle")):
            message = f"MLflow unpickles {shown} to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message, severity="low")
