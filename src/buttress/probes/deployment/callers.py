"""Workflows of a repository that start or call another one or an action, and what they hand it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_documents import MAX_BYTES, documents
from buttress.probes.deployment.untrusted import ExpressionScope, UntrustedValue, sources
from buttress.rules.subject import scalar

_MAX_CALLERS: Final = 200  # workflows of one repository that are looked at
_MAX_DEPTH: Final = 4  # workflows that call one another
_LOCAL: Final = re.compile(r"^\./(.+?)/?$")
# Events that only people of the project bring about.
MEMBERS: Final = {
    "push",
    "schedule",
    "workflow_dispatch",
    "release",
    "merge_group",
    "create",
    "delete",
    "deployment",
    "repository_dispatch",
    "branch_protection_rule",
    "registry_package",
    "page_build",
    "milestone",
}


def triggers(workflow: Any) -> frozenset[str]:
    """The events that start a workflow."""
    given = workflow.get("on") if isinstance(workflow, dict) else None
    if isinstance(given, str):
        return frozenset({given})
    return frozenset(str(one) for one in given) if isinstance(given, (list, dict)) else frozenset()


def started_by(path: Path, data: Any, depth: int = 0) -> frozenset[str]:
    """The events that start the workflow at ``path``, or those which call it or end before it.

    ``workflow_call`` stays where no caller is seen, and ``workflow_run`` where one of the workflows
    that it waits for is not seen or may be started by others than people of the project.
    """
    found, place = set(triggers(data)), path.absolute()
    if place.parent.name != "workflows" or depth > _MAX_DEPTH:
        return frozenset(found)
    if "workflow_call" in found:
        own = f".github/workflows/{place.name}"
        callers = [
            started_by(caller, workflow, depth + 1)
            for caller, workflow in _others(place, place.name.encode())
            if any(_uses(part, own) for part in _parts(workflow))
        ]
        if callers:
            found.discard("workflow_call")
            found.update(*callers)
    if "workflow_run" in found:
        before = _before(place, data, depth)
        if before and before <= MEMBERS:
            found.discard("workflow_run")
            found |= before
    return frozenset(found)


def waits_for(path: Path, data: Any) -> frozenset[str]:
    """The events that start the workflows for which the one at ``path`` waits, if all are seen."""
    place = path.absolute()
    if "workflow_run" not in triggers(data) or place.parent.name != "workflows":
        return frozenset()
    return _before(place, data, 0)


def _before(place: Path, data: Any, depth: int) -> frozenset[str]:
    """What starts the workflows that ``workflow_run`` waits for; nothing where one is not seen."""
    given = data["on"].get("workflow_run") if isinstance(data["on"], dict) else None
    names = given.get("workflows") if isinstance(given, dict) else None
    found: set[str] = set()
    for name in names if isinstance(names, list) else [names]:
        named = [
            started_by(other, workflow, depth + 1)
            for other, workflow in _others(place, str(name).encode())
            if isinstance(workflow, dict) and workflow.get("name") == name
        ]
        if not named:
            return frozenset()
        found.update(*named)
    return frozenset(found)


def _others(place: Path, name: bytes) -> Iterator[tuple[Path, Any]]:
    """The other workflows of a folder whose text has ``name``."""
    for path, text in _workflows(place.parent, place, name):
        yield from ((path, document.data) for document in documents(text, []))


def _parts(workflow: Any) -> Iterator[dict[str, Any]]:
    """The jobs of a workflow."""
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
            yield job


def given_by_callers(path: Path, data: Any) -> dict[str, UntrustedValue]:
    """Inputs of the workflow or action at ``path`` that its callers fill with strangers' text.

    Callers are the workflows beside it in ``.github``, and itself: ``data`` is what it holds.
    """
    place = path.absolute()
    root = next((one.parent for one in place.parents if one.name == ".github"), None)
    if root is None:
        return {}
    is_action = place.name in ("action.yml", "action.yaml")
    own = (place.parent if is_action else place).relative_to(root).as_posix()
    name = (place.parent if is_action else place).name.encode()
    found: dict[str, UntrustedValue] = {}
    callers = [data]
    for other, text in _workflows(root / ".github" / "workflows", place, name):
        for document in documents(text, []):
            if started_by(other, document.data) - MEMBERS:
                callers.append(document.data)
    for inputs, scope in (call for caller in callers for call in _calls(caller, own)):
        for key, value in inputs.items():
            for _, source in sources(scalar(value) or "", scope):
                found.setdefault(str(key).lower(), source)
    return found


def _workflows(folder: Path, own: Path, name: bytes) -> Iterator[tuple[Path, str]]:
    """The other workflows that name it, with their texts."""
    try:
        paths = sorted(folder.glob("*.y*ml"))[:_MAX_CALLERS]
    except OSError:
        return
    for path in paths:
        try:
            if path == own or path.is_symlink() or path.stat().st_size > MAX_BYTES:
                continue
            data = path.read_bytes()
        except OSError:
            continue
        if name in data:
            yield path, data.decode("utf-8", "replace")


def _calls(workflow: Any, own: str) -> Iterator[tuple[dict[str, Any], ExpressionScope]]:
    """The inputs of each job or step that uses the file ``own``, and where they stand."""
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if not isinstance(job, dict):
            continue
        if _uses(job, own) and isinstance(job.get("with"), dict):
            yield job["with"], ExpressionScope(workflow, job)
        given = job.get("steps")
        steps = given if isinstance(given, list) else []
        for index, step in enumerate(steps):
            if isinstance(step, dict) and _uses(step, own) and isinstance(step.get("with"), dict):
                yield step["with"], ExpressionScope(workflow, job, tuple(steps[:index]), step)


def _uses(part: dict[str, Any], own: str) -> bool:
    match = _LOCAL.match(str(part.get("uses", "")))
    return match is not None and match[1] == own
