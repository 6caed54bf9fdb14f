"""Shell text as rules see it, the values of variables, and names of images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.rules.subject import CONTINUED, Subject, at_line, scalar

_CONTINUATION: Final = re.compile(r"\\[ \t]*\n")
_COMMENT: Final = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)


def shell(text: str, line: int, **context: Any) -> Subject:
    """A script: comments blanked, escaped line ends marked."""
    text = _CONTINUATION.sub(CONTINUED, _COMMENT.sub("", text))
    return Subject("shell", text, at_line(line), context)


def scripts(
    document: YamlDocument, value: Any, path: FieldPath, **context: Any
) -> Iterator[Subject]:
    """A command given as text, as a list of commands, or as a list of words."""
    if isinstance(value, str):
        yield shell(value, document.text_line(path), **context)
    elif isinstance(value, list):
        words = [scalar(one) or "" for one in value]
        if words and (" " not in words[0] and "\n" not in words[0]):  # words of one command
            yield shell(f" {CONTINUED}".join(words), document.line((*path, 0)), **context)
            return
        for index, one in enumerate(value):
            yield from scripts(document, one, (*path, index), **context)


def variables(
    document: YamlDocument, value: Any, path: FieldPath, where: str, **context: Any
) -> Iterator[Subject]:
    """Environment variables given as a mapping, or as a list of ``NAME=VALUE`` or of mappings."""
    context["near"] = document.lines
    if isinstance(value, dict):
        for name, one in value.items():
            text = one.get("value") if isinstance(one, dict) else one
            if (found := scalar(text)) is not None:
                yield variable(name, found, document.line((*path, name)), where, **context)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            line = document.line((*path, index))
            if isinstance(one, str):
                name, _, text = one.partition("=")
                yield variable(name, text, line, where, **context)
            elif isinstance(one, dict) and "value" in one:
                called, text = str(one.get("name", "")), scalar(one["value"]) or ""
                yield variable(called, text, line, where, **context)


def variable(name: str, value: str, line: int, where: str, **context: Any) -> Subject:
    """An environment variable. As ``NAME=VALUE`` it is text; its context has both apart.

    ``context`` may have more: ``near``, the lines of the file, and ``service``, the service of a
    compose file that gets the variable, with its ``called``.
    """
    whole: Mapping[str, Any] = {**context, "name": name, "value": value, "where": where}
    return Subject("env", f"{name}={value}", at_line(line), whole)


def image(reference: str, line: int, where: str) -> Subject:
    """A reference of a container image."""
    return Subject("image", reference.strip(), at_line(line), {"where": where})


def tag_and_digest(reference: str) -> tuple[str, str, str]:
    """Name, tag and digest of an image; empty where they are not given."""
    name, _, digest = reference.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return head, tag, digest
    return name, "", digest
