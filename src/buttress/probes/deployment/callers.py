"""Workflows of a repository that call another one or an action, and what they hand it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_documents import MAX_BYTES, documents
from buttress.probes.deployment.untrusted import ExpressionScope, UntrustedValue, sources
from buttress.rules.subject import scalar

_MAX_CALLERS: Final = 200  # workflows of one repository that are looked at
_LOCAL: Final = re.compile(r"^\./(.+?)/?$")


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
    for text in _workflows(root / ".github" / "workflows", place, name):
        callers += [document.data for document in documents(text, [])]
    for inputs, scope in (call for caller in callers for call in _calls(caller, own)):
        for key, value in inputs.items():
            for _, source in sources(scalar(value) or "", scope):
                found.setdefault(str(key).lower(), source)
    return found


def _workflows(folder: Path, own: Path, name: bytes) -> Iterator[str]:
    """Texts of the other workflows that name it."""
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
            yield data.decode("utf-8", "replace")


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
