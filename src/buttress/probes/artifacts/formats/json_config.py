"""JSON that loaders of models act upon: Hugging Face, PEFT, diffusers, Core ML and skops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.probes.artifacts.bounded_json import MAX_BYTES, JsonError, parse
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.formats import config_keys, tokenizer_json
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.source import Source

_KEYS: Final = (
    b"auto_map|auto_mapping|custom_pipelines|trust_remote_code|chat_template|weight_map|"
    b"base_model_name_or_path|peft_type|tokenizer_class|model_type|architectures|added_tokens|"
    b"_diffusers_version|itemInfoEntries|_target_|__loader__|_attn_implementation|"
    b"transformers_version|processor_class|image_processor_type|feature_extractor_type|"
    b"do_sample|pipeline_tag"
)
_MARK: Final = re.compile(b'"(?:' + _KEYS + b')"\\s*:')
_MODULES: Final = re.compile(rb'\[\s*\{\s*"(?:idx|name|path|type)"\s*:')
_OPENING: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_PIECE: Final = 1 << 20


def matches(source: Source, head: bytes) -> bool:
    """A text that begins an object or a list and has a key that loaders know, within 8 MB."""
    if not _OPENING.match(head) or not is_text(head):
        return False
    if _MODULES.match(head) and b'"type"' in head and b'"path"' in head:
        return True
    at, escaped, rest = 0, False, b""
    while at < MAX_BYTES:
        piece = source.read_at(at, _PIECE)
        if not piece:
            break
        if _MARK.search(rest + piece):
            return True
        escaped = escaped or b"\\u00" in piece
        rest, at = piece[-64:], at + len(piece)
    return escaped and at < MAX_BYTES and _spelled(source)


def _spelled(source: Source) -> bool:
    """Whether a key is among those known once its escapes are resolved."""
    try:
        value, _ = parse(source.read_at(0, MAX_BYTES))
    except JsonError:
        return False
    keys = {key.encode("utf-8", "replace") for key in value} if isinstance(value, dict) else set()
    return bool(keys & set(_KEYS.split(b"|")))


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Look at every key that makes a loader fetch, import or render something."""
    text = source.read_at(0, MAX_BYTES)
    if tokenizer_json.is_one(text):
        yield from tokenizer_json.inspect(source, scope)
        return
    try:
        value, twice = parse(text.removeprefix(b"\xef\xbb\xbf"))
    except JsonError as error:
        scope.leave_out(f"the configuration is not read: {error}")
        return
    for key in sorted(twice & {"auto_map", "chat_template", "_target_", "weight_map"}):
        message = (
            f"The key {key!r} is in the configuration twice; readers differ in which they use."
        )
        yield scope.issue("config-malformed", 0, message)
    yield from of_value(value, text, scope)


def of_value(value: Any, text: bytes, scope: Scope) -> Iterator[Issue]:
    """Issues of a parsed configuration."""
    told: set[str] = set()
    for issue in config_keys.issues(value, text, scope):
        if issue.message not in told and len(told) < 40:
            told.add(issue.message)
            yield issue
