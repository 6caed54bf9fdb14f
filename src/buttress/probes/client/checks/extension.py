"""Checks of manifests of browser extensions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.rules.subject import Check, Subject, SubjectMatch

_EVERYWHERE: Final = re.compile(r"<all_urls>|(?:\*|https?|wss?)://\*/.*")
_DIRECTIVE: Final = re.compile(r"(?:script-src|default-src)(?:-elem)?\s+([^;]*)")
_REMOTE: Final = re.compile(
    r"(?i)(?:https?:(?:\s|$)|https?://(?!localhost|127\.)[^\s;]+|\*(?:\s|$))"
)
_POLICY: Final = "content_security_policy"


def _list(data: Any, *path: str) -> list[Any]:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []


def _everywhere(subject: Subject) -> Iterator[SubjectMatch]:
    """The first place where the manifest asks for all sites."""
    places: list[FieldPath] = [("host_permissions",), ("permissions",)]
    for index, script in enumerate(_list(subject.value, "content_scripts")):
        for text in _list(script, "matches"):
            if isinstance(text, str) and _EVERYWHERE.fullmatch(text):
                yield SubjectMatch(subject.line(("content_scripts", index, "matches")), text)
                return
    for path in places:
        for text in _list(subject.value, str(path[0])):
            if isinstance(text, str) and _EVERYWHERE.fullmatch(text):
                yield SubjectMatch(subject.line(path), text)
                return


def _connectable(subject: Subject) -> Iterator[SubjectMatch]:
    path = ("externally_connectable", "matches")
    for text in _list(subject.value, *path):
        if isinstance(text, str) and _EVERYWHERE.fullmatch(text):
            yield SubjectMatch(subject.line(path), text)
            return


def _policies(subject: Subject) -> Iterator[tuple[FieldPath, str]]:
    policy = subject.value.get(_POLICY)
    if isinstance(policy, str):
        yield (_POLICY,), policy
    elif isinstance(policy, dict):
        for key, text in policy.items():
            if isinstance(text, str) and key != "sandbox":
                yield (_POLICY, key), text


def _policy_eval(subject: Subject) -> Iterator[SubjectMatch]:
    for path, text in _policies(subject):
        if any("'unsafe-eval'" in one for one in _DIRECTIVE.findall(text)):
            yield SubjectMatch(subject.line(path), "'unsafe-eval'")


def _policy_remote(subject: Subject) -> Iterator[SubjectMatch]:
    for path, text in _policies(subject):
        for sources in _DIRECTIVE.findall(text):
            if match := _REMOTE.search(sources):
                yield SubjectMatch(subject.line(path), match.group().strip())
                break


CHECKS: Final[dict[str, Check]] = {
    "extension-everywhere": _everywhere,
    "extension-connectable": _connectable,
    "extension-policy-eval": _policy_eval,
    "extension-policy-remote": _policy_remote,
}
