"""``auto_map``: classes that transformers takes from Python files beside the weights.

They are imported when the model is loaded with ``trust_remote_code``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.visible import shortened
from buttress.probes.artifacts.python_beside import reaches
from buttress.probes.artifacts.scope import Scope

_MAX_NAMES: Final = 50


def issues(value: Any, scope: Scope) -> Iterator[tuple[str, Severity | None, str]]:
    """Rule, severity and sentence for each file or repository that code is taken from."""
    if not isinstance(value, dict):
        return
    places: dict[str, str] = {}
    if len(value) > _MAX_NAMES:
        message = f"Of the auto_map only the first {_MAX_NAMES} entries were looked at."
        yield "content-not-searched", None, message
    for role, named in list(value.items())[:_MAX_NAMES]:
        for one in named if isinstance(named, list) else [named]:
            if isinstance(one, str) and one:
                module = one.rpartition(".")[0] or one
                places.setdefault(module, f"{role} ({one})")
    for module, what in places.items():
        repository, _, inner = module.rpartition("--")
        file = f"{inner}.py"
        if repository:
            message = (
                f"{shortened(what)} is taken from {shortened(file)} of another repository, "
                f"{shortened(repository)}, in whatever version that has."
            )
            yield "hf-remote-code", "high", message
        else:
            yield _beside(file, what, scope)


def _beside(file: str, what: str, scope: Scope) -> tuple[str, Severity | None, str]:
    message = f"{shortened(what)} is code: {shortened(file)} runs where trust_remote_code is set"
    path = _sibling(scope.file, file)
    if path is None:
        return "hf-remote-code", None, f"{message}."
    found = reaches(path, scope.names)
    if found is None:
        return "hf-remote-code", None, f"{message}; it is not there or is no Python."
    if found:
        return "hf-remote-code", "high", f"{message}, and it calls {', '.join(found)}."
    return "hf-remote-code", None, f"{message}."


def _sibling(file: Path | None, name: str) -> Path | None:
    if file is None or "/" in name or "\\" in name or "\0" in name:
        return None
    path = file.parent / name
    return None if path.is_symlink() else path
