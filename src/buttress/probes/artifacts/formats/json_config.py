"""JSON that loaders of models act upon: Hugging Face, PEFT, diffusers, Core ML and skops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource, FileSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.code_text import in_values, possible
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.formats import config_keys, tokenizer_json
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_KEYS: Final = (
    b"auto_map|auto_mapping|custom_pipelines|trust_remote_code|chat_template|weight_map|"
    b"base_model_name_or_path|peft_type|tokenizer_class|model_type|architectures|added_tokens|"
    b"_diffusers_version|_class_name|itemInfoEntries|_target_|__loader__|_attn_implementation|"
    b"transformers_version|processor_class|image_processor_type|feature_extractor_type|"
    b"do_sample|pipeline_tag"
)
_MARK: Final = re.compile(b'"(?:' + _KEYS + b')"\\s*:')
# A value that names something dangerous, under any key, or a way out of a template.
_NAMED: Final = re.compile(
    rb'"(?:os|posix|nt|subprocess|builtins|pickle|shutil|importlib|runpy|ctypes|sys|socket|pty|'
    rb'marshal|code)(?:\.[a-z_]+)?"'
)
_CODE_READ: Final = 1 << 20  # larger ones are data, not configurations
_MODULES: Final = re.compile(rb'\[\s*\{\s*"(?:idx|name|path|type)"\s*:')
_OPENING: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_NAME: Final = re.compile(
    r"(?:[\w-]+_)?config\.json|config_[\w.-]+\.json|model_index\.json|[\w-]*index\.json|"
    r"modules\.json|special_tokens_map\.json"
)
_PIECE: Final = 1 << 20
_OF_MODELS: Final = frozenset(
    ("model_type", "architectures", "_class_name", "auto_map", "tokenizer_class", "_name_or_path")
)
_MAX_TOLD: Final = 40


def matches(source: ByteSource, head: bytes) -> bool:
    """A text that begins an object or a list and has a key that loaders know, within 8 MB."""
    if not _OPENING.match(head) or not is_text(head):
        return False
    if _MODULES.match(head) and b'"type"' in head and b'"path"' in head:
        return True
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _tells(source):
        return True
    named = isinstance(source, FileSource) and _NAME.fullmatch(source.name) is not None
    if named and source.size > MAX_BYTES:
        return True  # a loader reads it whole; that is told
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


def _tells(source: ByteSource) -> bool:
    """Whether a small object has words that code, commands or names of dangerous things need."""
    if len(text := source.read_at(0, _CODE_READ)) >= _CODE_READ:
        return False
    return (
        possible(text)
        or b"\\/" in text
        or (b"{{" in text and b"__" in text)
        or _NAMED.search(text) is not None
    )


def _spelled(source: ByteSource) -> bool:
    """Whether a key is among those known once its escapes are resolved."""
    try:
        value, _ = parse(source.read_at(0, MAX_BYTES))
    except JsonError:
        return False
    keys = {key.encode("utf-8", "replace") for key in value} if isinstance(value, dict) else set()
    return bool(keys & set(_KEYS.split(b"|")))


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Look at every key that makes a loader fetch, import or render something."""
    text = source.read_at(0, MAX_BYTES)
    if tokenizer_json.is_one(text):
        yield from tokenizer_json.inspect(source, scope)
        return
    try:
        value, twice = parse(text.removeprefix(b"\xef\xbb\xbf"))
    except JsonError as error:
        scope.record_skip(f"the configuration is not read: {error}")
        if source.size > MAX_BYTES:
            message = f"The configuration is larger than {MAX_BYTES >> 20} MB; it was not searched."
            yield scope.not_searched(MAX_BYTES, message)
        return
    for key in sorted(twice & {"auto_map", "chat_template", "_target_", "weight_map"}):
        message = (
            f"The key {key!r} is in the configuration twice; readers differ in which they use."
        )
        yield scope.issue("config-malformed", 0, message)
    yield from of_value(value, text, scope)


def of_value(value: Any, text: bytes, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of a parsed configuration."""
    told: set[str] = set()
    for issue in chain(config_keys.issues(value, text, scope), _values(value, text, scope)):
        if issue.message not in told:
            if len(told) == _MAX_TOLD:
                scope.record_skip(f"more than {_MAX_TOLD} findings in the configuration; the rest")
                return
            told.add(issue.message)
            yield issue


def _values(value: Any, text: bytes, scope: Scope) -> Iterator[ArtifactIssue]:
    """Values that are commands or code, in an object that is a configuration."""
    if not isinstance(value, dict) or not (
        possible(text) or b"\\/" in text or b"\\u00" in text
    ):  # fmt: skip
        return
    if len(text) >= _CODE_READ and not _OF_MODELS & value.keys():
        size = _CODE_READ >> 20
        scope.record_skip(f"its values were not searched for commands: data of over {size} MB")
        return
    for key, part in in_values(value):
        at = max(text.find(f'"{key}"'.encode("utf-8", "replace")), 0)
        message = f"The value of {shortened(key)!r} is a command or code: {shortened(part)!r}."
        yield scope.issue("config-code", at, message)
