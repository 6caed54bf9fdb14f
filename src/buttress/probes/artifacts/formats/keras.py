"""Keras configurations (config.json of Keras v3, the JSON inside HDF5 files, ``to_json``).

A configuration names the classes to make. Lambda layers carry marshalled bytecode; a module outside
Keras is imported from wherever it says (CVE-2025-1550).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import replace
from json import detect_encoding
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats.config_names import is_keras
from buttress.probes.artifacts.formats.keras_classes import custom_classes
from buttress.probes.artifacts.formats.keras_names import custom_functions
from buttress.probes.artifacts.formats.keras_tools import (
    is_foreign,
    is_harmless_lambda,
    is_own,
    judged,
    reaches,
)
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.judge import NameLists
from buttress.probes.artifacts.scope import Scope

_ESCAPED: Final = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
_FETCH: Final = re.compile(r"(?:\A|\.)get_file\Z")
_LOOKUPS: Final = {"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"}
_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,99}\Z")
_MAX_TOLD: Final = 20
_PATH: Final = 1024  # what is longer is the thing itself in base64, not a path
# Keys of Keras 2 that say of which kind the functions of a Lambda layer are.
_KINDS: Final = ("function_type", "output_shape_type", "mask_type")
_MARK: Final = b'"class_name"'
_SEARCHED: Final = 64 << 20
_PIECE: Final = 1 << 20
_OVERLAP: Final = 64

_Told = tuple[str, Severity | None, str]


def matches(source: ByteSource, head: bytes) -> bool:
    """A JSON object that names a class, with its settings, in the encodings that JSON has."""
    if head[:1] == b"{" and _MARK in head:
        return True
    if detect_encoding(head) != "utf-8":
        return _MARK in _as_utf8(source.read_at(0, MAX_BYTES))
    if not head.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        return False
    named = settings = False
    at, rest = 0, b""
    while at < _SEARCHED and (piece := source.read_at(at, _PIECE)):
        text = rest + piece
        if b"\\u00" in text:
            text = _ESCAPED.sub(_letter, text)
        named = named or _MARK in text
        settings = settings or b'"config"' in text
        if named and settings:
            return True
        rest, at = piece[-_OVERLAP:], at + len(piece)
    return False


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Look at every class that the configuration names."""
    text = _as_utf8(source.read_at(0, MAX_BYTES))
    if source.size > MAX_BYTES:
        yield from _larger(source, text, scope)
        return
    try:
        config, _ = parse(text)
    except JsonError as error:
        scope.record_skip(f"the configuration was only searched: {error}")
        yield from searched(text, 0, scope)
        return
    if is_keras(config, text):
        yield from of_config(config, 0, scope)


def _larger(source: ByteSource, text: bytes, scope: Scope) -> Iterator[ArtifactIssue]:
    """A configuration of more than is read whole: Lambda layers are searched for."""
    at = 0
    while at < _SEARCHED and (piece := source.read_at(at, MAX_BYTES + _OVERLAP)):
        if found := list(searched(piece, at, scope)):
            yield from found
            break
        at += MAX_BYTES
    if _MARK in text[:512] or scope.name == "config.json":
        size = MAX_BYTES >> 20
        message = f"The configuration is larger than {size} MB; its classes were not looked at."
        issue = scope.not_searched(MAX_BYTES, message)
        yield replace(issue, severity="medium")
    else:
        scope.record_skip(f"classes in an object of more than {MAX_BYTES >> 20} MB")


def _as_utf8(text: bytes) -> bytes:
    """As ``json.loads`` reads bytes: UTF-8, UTF-16 or UTF-32, with or without a mark."""
    encoding = detect_encoding(text)
    if encoding == "utf-8":
        return text
    return text.decode(encoding, "replace").encode()


def _letter(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())


def searched(text: bytes, offset: int, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues found by a search for Lambda layers, where the configuration can't be parsed."""
    for spelled in (b'"class_name": "Lambda"', b'"class_name":"Lambda"', b'"__lambda__"'):
        at = text.find(spelled)
        if at >= 0:
            message = f"A Lambda layer, found by a search at byte {offset + at}, carries code."
            yield scope.issue("keras-lambda", offset + at, message)
            return


def of_config(config: Any, offset: int, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of a parsed configuration that begins at ``offset``."""
    told: set[str] = set()
    if isinstance(config, dict) and (
        foreign := list(dict.fromkeys((*custom_classes(config), *custom_functions(config))))
    ):
        names = ", ".join(map(shortened, foreign[:5]))
        message = (
            f"The configuration names {names}, which Keras does not have: it is code of others."
        )
        yield scope.issue("keras-foreign-module", offset, message)
    todo = [config]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
            for rule, severity, message in _object(one, scope.names):
                if message in told:
                    continue
                if len(told) == _MAX_TOLD:
                    scope.more_than(_MAX_TOLD)
                    return
                told.add(message)
                yield scope.issue(rule, offset, message, severity=severity)


def _object(one: dict[str, Any], names: NameLists) -> Iterator[_Told]:
    """Rule, severity where it is not the rule's own, and sentence for one object."""
    name, module, inner = one.get("class_name"), one.get("module"), one.get("config")
    if name in ("Lambda", "__lambda__") or one.get("registered_name") == "Lambda":
        layer = inner.get("name") if isinstance(inner, dict) else None
        shown = f" {shortened(str(layer))!r}" if layer else ""
        yield from _lambda(shown, inner, names)
    elif "lambda" in (one.get(key) for key in _KINDS):
        yield from _carried(f" {shortened(str(one['name']))!r}" if one.get("name") else "")
    if isinstance(name, str) and isinstance(inner, dict):
        yield from _read_elsewhere(name, inner)
    texts = [one_value for one_value in one.values() if isinstance(one_value, str)]
    if any(_FETCH.search(text) for text in texts) and any("://" in text for text in texts):
        message = "The configuration makes Keras fetch a file by get_file."
        yield "keras-foreign-module", "high", message
    if not isinstance(name, str) or not (isinstance(module, str) or module is None):
        return
    # For functions Keras puts the function's name into config and "function" into class_name.
    function = name == "function" and isinstance(inner, str)
    called: str = inner if function and isinstance(inner, str) else name
    registered = one.get("registered_name")
    known = module is None or module == "builtins" or is_own(module)
    if isinstance(registered, str) and known and is_foreign(registered, name, called):
        message = (
            f"The configuration makes Keras use {shortened(registered)}, which a program "
            f"registered, whatever it says of the class {shortened(called)} of Keras."
        )
        yield "keras-foreign-module", None, message
    if module is None:
        return
    if is_own(module):
        if found := judged(module, called, function=function):
            message = f"The configuration names {shortened(f'{module}.{called}')}, {found[1]}."
            yield "keras-foreign-module", found[0], message
    elif module == "builtins":  # how Keras spells a function of the program that saved the model
        if names.judge(module, called).kind in ("dangerous", "code", "conditional"):
            message = f"The configuration makes Keras call the builtin {shortened(called)}."
            yield "keras-foreign-module", "critical", message
    else:
        kind = names.judge(module, called).kind
        message = f"The configuration makes Keras import {shortened(f'{module}.{called}')}"
        if kind in ("dangerous", "code"):
            yield "keras-foreign-module", "critical", f"{message}, which runs code."
        elif kind != "allowed":
            yield "keras-foreign-module", None, f"{message} from outside Keras."


def _read_elsewhere(name: str, config: dict[str, Any]) -> Iterator[_Told]:
    """Files that a layer reads when it is made: vocabularies of lookups and tokenizers."""
    if not (name.rpartition(".")[2] in _LOOKUPS or name.endswith("Tokenizer")):
        return
    for key in ("vocabulary", "merges", "proto"):
        words = config.get(key)
        if isinstance(words, str) and len(words) < _PATH and _elsewhere(words):
            message = f"The layer {shortened(name)} reads its {key} from {shortened(words)!r}."
            yield "config-path", None, message


def _elsewhere(path: str) -> bool:
    return leads_out(path) or "://" in path or path.startswith("~")


def _carried(shown: str) -> Iterator[_Told]:
    message = f"The Lambda layer{shown} carries code that runs when the model is loaded or used."
    yield "keras-lambda", None, message


def _lambda(shown: str, config: Any, names: NameLists) -> Iterator[_Told]:
    """By names or with bytecode: the former run what the program, or Keras, has."""
    given = config if isinstance(config, dict) else {}
    yield from _function(shown, given.get("function"), given.get("module"), names)
    for part in ("output_shape", "mask"):
        if given.get(f"{part}_type") == "lambda":
            yield from _carried(shown)
        elif given.get(f"{part}_type") == "function":
            yield from _function(shown, given.get(part), given.get(f"{part}_module"), names)


def _function(shown: str, function: Any, module: Any, names: NameLists) -> Iterator[_Told]:
    if isinstance(function, dict) and function.get("class_name") == "function":
        module, function = function.get("module"), function.get("config")
    if not isinstance(function, str) or not _NAME.match(function):
        yield from _carried(shown)
        return
    package = module if isinstance(module, str) else None
    if is_harmless_lambda(package, function):
        return
    called = f"{package}.{function}" if package else function
    message = f"The Lambda layer{shown} calls {shortened(called)}"
    if package is not None and is_own(package):
        severity, what = judged(package, function, function=True) or ("low", "which Keras has")
        yield "keras-lambda", severity, f"{message} by name, {what}."
    elif found := reaches(function):
        yield "keras-lambda", found[0], f"{message} by name, which {found[1]}."
    else:
        kind = names.judge(package or "builtins", function).kind
        grave = kind in ("dangerous", "code", "conditional")
        severity = "critical" if grave else "medium"
        yield "keras-lambda", severity, f"{message}, which Keras does not have."
