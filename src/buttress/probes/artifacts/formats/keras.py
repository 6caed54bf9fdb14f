"""Keras configurations (config.json of Keras v3, the JSON inside HDF5 files, ``to_json``).

A configuration names the classes to make. Lambda layers carry marshalled bytecode; a module outside
Keras is imported from wherever it says (CVE-2025-1550).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats.keras_classes import custom_classes
from buttress.probes.artifacts.formats.keras_names import custom_functions, is_activation, is_known
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.judge import NameLists
from buttress.probes.artifacts.scope import Scope

_OWN: Final = (
    "keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "keras_hub", "keras_nlp",
    "keras_cv",
)  # fmt: skip
# What Keras itself offers and a model needs none of: CVE-2025-8747, CVE-2025-9905, CVE-2025-12058.
_REACHING: Final[dict[str, tuple[Severity, str]]] = {
    "get_file": ("critical", "fetches and unpacks a file"),
    "enable_unsafe_deserialization": ("critical", "switches off the protection against code"),
    "load_model": ("critical", "loads another model"),
    "clone_model": ("high", "makes a model anew by functions that are looked up by name"),
    "model_from_json": ("high", "makes a model from another configuration"),
    "deserialize_keras_object": ("high", "makes any object from another configuration"),
    "save_model": ("high", "writes a file"),
    "image_dataset_from_directory": ("high", "reads files"),
    "text_dataset_from_directory": ("high", "reads files"),
    "audio_dataset_from_directory": ("high", "reads files"),
    "load_img": ("high", "reads a file"),
    "TorchModuleWrapper": ("high", "unpickles a PyTorch module"),
    "TFSMLayer": ("high", "loads a SavedModel, which may hold any code"),
    "JaxLayer": ("high", "runs a function of the program"),
    "FlaxLayer": ("high", "runs a module of the program"),
}
_FETCH: Final = re.compile(r"(?:\A|\.)get_file\Z")
_LOOKUPS: Final = {"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"}
# Those whose classes are listed; of the sister packages only the names of the packages are known.
_LISTED: Final = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_SISTERS: Final = frozenset(("keras", "keras_hub", "keras_nlp", "keras_cv", "keras_rs"))
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*\Z")
_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,99}\Z")
_MAX_TOLD: Final = 20


def matches(_source: ByteSource, head: bytes) -> bool:
    """A JSON object that names a class near its beginning."""
    return head[:1] == b"{" and b'"class_name"' in head


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Look at every class that the configuration names."""
    text = source.read_at(0, MAX_BYTES)
    try:
        config, _ = parse(text)
    except JsonError as error:
        scope.record_skip(f"the configuration was only searched: {error}")
        yield from searched(text, 0, scope)
        return
    yield from of_config(config, 0, scope)


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


def _object(one: dict[str, Any], names: NameLists) -> Iterator[tuple[str, Severity | None, str]]:
    """Rule, severity where it is not the rule's own, and sentence for one object."""
    name, module, inner = one.get("class_name"), one.get("module"), one.get("config")
    if name in ("Lambda", "__lambda__") or one.get("registered_name") == "Lambda":
        layer = inner.get("name") if isinstance(inner, dict) else None
        shown = f" {shortened(str(layer))!r}" if layer else ""
        yield from _lambda(shown, inner, names)
    if isinstance(name, str) and name in _LOOKUPS and isinstance(inner, dict):
        words = inner.get("vocabulary")
        if isinstance(words, str) and (leads_out(words) or "://" in words):
            message = f"The layer {name} reads its vocabulary from {shortened(words)!r}."
            yield "config-path", None, message
    texts = [one_value for one_value in one.values() if isinstance(one_value, str)]
    if any(_FETCH.search(text) for text in texts) and any("://" in text for text in texts):
        message = "The configuration makes Keras fetch a file by get_file."
        yield "keras-foreign-module", "high", message
    if not (isinstance(module, str) and isinstance(name, str)):
        return
    # For functions Keras puts the function's name into config and "function" into class_name.
    called = inner if name == "function" and isinstance(inner, str) else name
    registered = one.get("registered_name")
    if isinstance(registered, str) and _foreign(registered, name):
        message = (
            f"The configuration makes Keras use {shortened(registered)}, which a program "
            f"registered, whatever else it says of the module {shortened(module)}."
        )
        yield "keras-foreign-module", None, message
    if _own(module):
        if not _offered(module, called):
            message = (
                f"The configuration names {shortened(f'{module}.{called}')}, which Keras does not "
                f"have: it is code of others under the name of Keras."
            )
            yield "keras-foreign-module", None, message
        if called in _REACHING:
            severity, what = _REACHING[called]
            message = (
                f"The configuration makes Keras call {shortened(module)}.{called}, which {what}."
            )
            yield "keras-foreign-module", severity, message
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


def _lambda(
    shown: str, config: Any, names: NameLists
) -> Iterator[tuple[str, Severity | None, str]]:
    """By a name or with bytecode: the former runs what the program, or Keras, has."""
    function = config.get("function") if isinstance(config, dict) else None
    module = config.get("module") if isinstance(config, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "function":
        module, function = function.get("module"), function.get("config")
    if not isinstance(function, str) or not _NAME.match(function):
        message = (
            f"The Lambda layer{shown} carries code that runs when the model is loaded or used."
        )
        yield "keras-lambda", None, message
        return
    own = isinstance(module, str) and _own(module)
    if is_activation(function) and (own or module in (None, "builtins")):
        return
    if own and function not in _REACHING:
        called = f"{module}.{function}"
        yield "keras-lambda", "low", f"The Lambda layer{shown} calls {shortened(called)} by name."
    elif own or function in _REACHING:
        severity, what = _REACHING[function]
        called = f"{module}.{function}" if isinstance(module, str) else function
        message = f"The Lambda layer{shown} calls {shortened(called)} by name, which {what}."
        yield "keras-lambda", severity, message
    else:
        known = isinstance(module, str)
        called = f"{module}.{function}" if known else function
        grave = names.judge(module if isinstance(module, str) else "builtins", function).kind in (
            "dangerous", "code", "conditional",
        )  # fmt: skip
        message = f"The Lambda layer{shown} calls {shortened(called)}, which Keras does not have."
        yield "keras-lambda", "critical" if grave else "medium", message


def _own(module: str) -> bool:
    return any(module == own or module.startswith(f"{own}.") for own in _OWN)


def _offered(module: str, called: str) -> bool:
    """Whether Keras has a class or function of that name; of its sister packages it isn't known."""
    if not any(module == own or module.startswith(f"{own}.") for own in _LISTED):
        return True
    return bool(_PLAIN.match(called)) and (called in _REACHING or is_known(called))


def _foreign(registered: str, name: str) -> bool:
    """Whether a name is one that a program registered (``package>Class``): looked up first."""
    package, mark, last = registered.rpartition(">")
    return bool(mark) and package not in _SISTERS and not (package == "Custom" and last == name)
