"""Chat templates in files of their own (chat_template.jinja, additional_chat_templates)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, FileSource
from buttress.probes.artifacts.encodings.text import decoded, is_text
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.jinja_template import MAX_TEMPLATE, reaching, suspicious
from buttress.probes.artifacts.scope import Scope

_READ: Final = (1 << 20) + 1
_MARKUP: Final = re.compile(rb"\{[{%#]")
_OBJECT: Final = re.compile(rb"\s*[\[{]\s*[\"\[{]?\"")
_NAME: Final = re.compile(r"chat_template.*\.(?:jinja2?|j2)\Z")
_WAYS: Final = (b"__", b"attr", b"popen", rb"\x5f", rb"\u005f", b"range")
_PROSE: Final = re.compile(rb"^#{1,6} |^```", re.M)  # text about templates, with examples
_WORDS: Final = (b"add_generation_prompt", b"bos_token", b"eos_token", b"message.role")


def matches(source: ByteSource, head: bytes) -> bool:
    """Jinja in a text: by the words of chat templates, or the name that loaders look for.

    The one format whose name counts: transformers renders the file of that name, whatever it says.
    """
    if not is_text(head):
        return False
    if isinstance(source, FileSource) and _NAME.search(source.name):
        return True
    if _OBJECT.match(head) or not _MARKUP.search(head):
        return False
    text = source.read_at(0, _READ)
    return _is_chat(text) or any(way in text for way in _WAYS)


def _is_chat(text: bytes) -> bool:
    return b"messages" in text and any(word in text for word in _WORDS)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Parse it; nothing is rendered."""
    text = source.read_at(0, _READ)
    named = isinstance(source, FileSource) and _NAME.search(source.name)
    if named or _is_chat(text):
        if reason := suspicious(decoded(text)):
            yield scope.issue("template-code", 0, f"The chat template {reason}.")
    elif _PROSE.search(text) is None and (reason := reaching(decoded(text))):
        message = f"The template {reason}."
        if len(decoded(text)) > MAX_TEMPLATE:  # as pages of programs can be
            yield scope.issue("template-code", 0, message, severity="medium")
        else:
            yield scope.issue("template-code", 0, message)
