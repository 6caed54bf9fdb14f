"""From task definitions of Amazon ECS, of CloudFormation too, to the subjects of rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.rules.shell import image, scripts, variables
from buttress.rules.subject import Subject

_HOLDS: Final = re.compile(rb"[\"']?[cC]ontainerDefinitions[\"']?\s*:")
_MAX_DEPTH: Final = 40


def by_content(data: bytes) -> Callable[[YamlDocument], Iterator[Subject]] | None:
    """What reads a file in which task definitions stand; None where there are none."""
    return task_definitions if _HOLDS.search(data) else None


def task_definitions(document: YamlDocument) -> Iterator[Subject]:
    """Subjects of all task definitions of a document: their volumes and containers."""
    yield from _below(document, document.data, ())


def _below(document: YamlDocument, value: Any, path: FieldPath) -> Iterator[Subject]:
    if len(path) > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key in ("containerDefinitions", "ContainerDefinitions"):
            containers = value.get(key)
            for index, one in enumerate(containers) if isinstance(containers, list) else ():
                if isinstance(one, dict):
                    yield from _container(document, one, (*path, key, index))
        for key in ("volumes", "Volumes"):
            volumes = value.get(key)
            for index, one in enumerate(volumes) if isinstance(volumes, list) else ():
                if isinstance(one, dict):
                    yield _part("ecs.volume", document, _lower(one), (*path, key, index))
        for key, one in value.items():
            yield from _below(document, one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _below(document, one, (*path, index))


def _container(document: YamlDocument, one: dict[str, Any], path: FieldPath) -> Iterator[Subject]:
    lower = _lower(one)
    keys = {key.lower(): key for key in one if isinstance(key, str)}
    yield _part("ecs.container", document, lower, path)
    if isinstance(lower.get("image"), str):
        yield image(lower["image"], document.line((*path, keys["image"])), "ecs")
    given = lower.get("environment")
    if isinstance(given, list):
        plain = [_lower(item) if isinstance(item, dict) else item for item in given]
        yield from variables(document, plain, (*path, keys["environment"]), "ecs")
    for key in ("command", "entrypoint"):
        if key in keys:
            yield from scripts(document, lower[key], (*path, keys[key]), where="script")


def _lower(value: Any) -> Any:
    """Maps with keys in small letters: CloudFormation writes them with capitals."""
    if isinstance(value, dict):
        return {str(key).lower(): _lower(one) for key, one in value.items()}
    return value


def _part(kind: str, document: YamlDocument, value: Any, path: FieldPath) -> Subject:
    return Subject(kind, value, lambda _: document.line(path))
