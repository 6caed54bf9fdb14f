"""From values and templates of Helm charts to the subjects of rules, without rendering them.

What a value does depends on the template; read are names that charts use as Kubernetes does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.rules.shell import image, scripts, variables
from buttress.rules.subject import Subject, scalar

_VALUES: Final = re.compile(r"^(?:.*[._-])?values(?:[._-].*)?\.ya?ml$")
_SECURITY: Final = re.compile(r"(?i)^(?:pod|container|.*)securitycontext$")
_VOLUMES: Final = re.compile(r"(?i)^(?:.*)volumes$")
_ENVIRONMENT: Final = re.compile(r"(?i)^(?:extra_?)?env(?:ironment)?(?:_?vars?)?$")
_OF_POD: Final = ("hostNetwork", "hostPID", "hostIPC")
_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LINES_OF_ACTIONS: Final = re.compile(
    r"^[ \t]*(?:\{\{(?:[^}]|\}(?!\}))*\}\}[ \t]*)+$", re.MULTILINE
)
_PLACE: Final = "$TEMPLATE"
_MAX_DEPTH: Final = 60


def is_values(path: Path) -> bool:
    """Whether a file of that name holds the values of a chart."""
    return bool(_VALUES.match(path.name.lower()))


def without_actions(text: str) -> str:
    """A template with its actions taken out or replaced by ``$TEMPLATE``; lines stay what they are.

    All branches of a condition stand in the result.
    """
    text = _LINES_OF_ACTIONS.sub(lambda match: "\n" * match[0].count("\n"), text)
    return _ACTION.sub(lambda match: _PLACE + "\n" * match[0].count("\n"), text)


def values(document: YamlDocument, chart: str) -> Iterator[Subject]:
    """Subjects of a chart's values: security contexts, volumes, images, variables, commands."""
    yield from _values(document, document.data, (), chart)


def _values(document: YamlDocument, value: Any, path: FieldPath, chart: str) -> Iterator[Subject]:
    if len(path) > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _values(document, one, (*path, index), chart)
    if not isinstance(value, dict):
        return
    host = {key: value[key] for key in _OF_POD if key in value}
    if host:
        yield Subject("helm.pod", host, lambda below: document.line((*path, *below)))
    for name, one in value.items():
        place = (*path, name)
        if _SECURITY.match(str(name)) and isinstance(one, dict):
            yield _part("helm.container", document, {"securityContext": one}, place)
        elif _VOLUMES.match(str(name)) and isinstance(one, list):
            yield _part("helm.pod", document, {"volumes": one}, place)
        elif _ENVIRONMENT.match(str(name)):
            yield from variables(document, one, place, "k8s")
        elif name in ("command", "args"):
            yield from scripts(document, one, place)
        elif name == "image" and (reference := _image(one)):
            yield image(reference, document.line(place), "k8s")
        elif name == "service" and isinstance(one, dict) and "type" in one:
            of = str(path[-1]) if path else chart
            yield _part("k8s.Service", document, {"spec": one, "metadata": {"name": of}}, place)
        else:
            yield from _values(document, one, place, chart)


def _part(kind: str, document: YamlDocument, value: Any, place: FieldPath) -> Subject:
    """A subject whose first key stands for the one at ``place``."""
    return Subject(kind, value, lambda below: document.line((*place, *below[1:])), {"pod": {}})


def _image(value: Any) -> str:
    """The image that a value names; without a tag it is the chart that has the last word."""
    if isinstance(value, str):
        return value if ":" in value.rpartition("/")[2] else ""
    if not isinstance(value, dict) or not isinstance(value.get("repository"), str):
        return ""
    tag, digest = (scalar(value.get(key)) or "" for key in ("tag", "digest"))
    if not tag:
        return ""
    registry = scalar(value.get("registry")) or ""
    name = f"{registry}/{value['repository']}" if registry else value["repository"]
    return f"{name}:{tag}" + (f"@{digest}" if digest else "")
