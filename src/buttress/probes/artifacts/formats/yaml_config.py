"""YAML that loaders of models act upon: NeMo and Hydra, MLflow, HyperPyYAML, Python tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.code_text import in_values, possible
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.encodings.text import decoded, is_text
from buttress.probes.artifacts.encodings.yaml_leaves import (
    MAX_BYTES,
    AliasBombError,
    Leaf,
    YamlError,
    leaves,
)
from buttress.probes.artifacts.formats.config_names import named
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.jinja_template import reaching, suspicious
from buttress.probes.artifacts.named_code import verdict
from buttress.probes.artifacts.scope import Scope

_MARK: Final = re.compile(
    rb"^[ \t-]*(?:[\w.\"'-]+[ \t]*:[ \t]*)?(?:!!?python/|!<tag:yaml\.org,2002:python/|"
    rb"!(?:new|apply|name|module|include):)"
    rb"|^[ \t-]*[\"']?(?:_target_|class_path)[\"']?[ \t]*:"
    rb"|[{,][ \t]*[\"']?_target_[\"']?[ \t]*:|^%TAG\b"
    rb"|^[\"']?flavors[\"']?[ \t]*:|^[ \t-]*trust_remote_code[ \t]*:[ \t]*[\"']?[Tt]rue",
    re.M,
)
# Without one of these none of the above can match; looking for each takes 0.5 ms per MB, so that
# those with a rare byte are looked for only where that byte is. A vocabulary is a text as well.
_WORDS: Final = (
    (b"", (b"flavors",)),
    (b"_", (b"_target_", b"class_path", b"trust_remote_code")),
    (b"%", (b"%TAG",)),
    (b"!", (b"!python/", b":python/", b"!new:", b"!apply:", b"!name:", b"!module:", b"!include:")),
)
_SEARCHED: Final = 64 << 20  # bytes of a longer text in which such lines are looked for
_FEW: Final = 64  # lines that are looked at one by one
_JAVA: Final = re.compile(rb"!!(?:[a-z]\w*\.)+[A-Z]")
_CALLED: Final = re.compile(
    rb":[ \t]*[\"']?(?:os|posix|nt|subprocess|builtins|pickle|shutil|importlib|runpy|ctypes|sys|"
    rb"pty|marshal)\."
)
_ASKING: Final = re.compile(
    rb"[ \t-]*\w*(?:target|hook|handler|callback|loader|_fn|function)[ \t]*\Z"
)
_BEFORE: Final = re.compile(rb"[ \t-]*\w*\Z")
_REACH: Final = 1024  # bytes, the longest key in a line (YAML 1.2.2, section 7.4.2)
_PYTHON_TAGS: Final = ("tag:yaml.org,2002:python/", "!python/", "!!python/")
_HARMLESS_TAGS: Final = (
    "tuple", "none", "bool", "str", "unicode", "int", "long", "float", "complex", "list", "dict",
    "bytes",
)  # fmt: skip
_JAVA_TAG: Final = re.compile(r"tag:yaml\.org,2002:(?:[a-z_]\w*\.)+[A-Z]")
_KEY: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:---[^\n]*\n|#[^\n]*\n|[ \t\r\f\v]*\n)*"
    rb"[\"']?[\w.-]+[\"']?[ \t]*:(?:\s|\Z)"
)
# Whose business commands and templates are: CI, compose, Kubernetes, Ansible.
_OTHERS: Final = re.compile(
    rb"^(?:jobs|stages|services|apiVersion|steps|runs|repos|pipeline|workflow|tasks|image|on|"
    rb"x-[\w-]+|before_script|script|- (?:hosts|name|repo))[ \t]*:", re.M,
)  # fmt: skip
_TEMPLATE_WAYS: Final = (b"{{", b"{%")
_ALIASES: Final = re.compile(rb"[\[,:-] *\*\w")
_MANY_ALIASES: Final = 32
_TOP: Final = 64 << 10
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")
_ROUNDS: Final = 5
_MAX_NAME: Final = 400
_HYPER: Final = ("!new:", "!apply:", "!name:", "!module:")
_MAX_TOLD: Final = 40


def matches(source: ByteSource, head: bytes) -> bool:
    """A text with a line that only such a configuration has."""
    if not is_text(head) or head[:1] in b"<" or head.lstrip()[:1] == b"{":
        return False
    text = source.read_at(0, MAX_BYTES)
    if _marked(text) or _nested_aliases(text) or _rarer(text):
        return True
    if len(text) == MAX_BYTES and _KEY.match(text[:_TOP]) and _marked_beyond(source) is not None:
        return True
    # Anything else is looked at only where it is laid out as YAML and has what would be told.
    if not (
        _KEY.match(text[:_TOP]) and (possible(text) or any(way in text for way in _TEMPLATE_WAYS))
    ):
        return False
    return _OTHERS.search(text[:_TOP]) is None


def _marked_beyond(source: ByteSource) -> int | None:
    """The megabyte behind the part that is read in which such a line stands, as an offset."""
    for at in range(MAX_BYTES, _SEARCHED, MAX_BYTES):
        piece = source.read_at(at - _REACH, MAX_BYTES + _REACH)
        if _marked(piece):
            return at
        if len(piece) < MAX_BYTES:
            break
    return None


def _marked(text: bytes) -> bool:
    seen = 0
    for word in (word for byte, words in _WORDS if byte in text for word in words):
        at = text.find(word)
        while at >= 0:
            seen += 1
            if seen > _FEW:
                return _MARK.search(text) is not None
            end = text.find(b"\n", at, at + _REACH)
            if _MARK.search(text, _line(text, at), end if end >= 0 else at + _REACH):
                return True
            at = text.find(word, at + len(word))
    return False


def _line(text: bytes, at: int) -> int:
    """Where the line of ``at`` begins, or as far back as is looked."""
    start = max(at - _REACH, 0)
    found = text.rfind(b"\n", start, at)
    return found + 1 if found >= 0 else start


def _rarer(text: bytes) -> bool:
    """A tag of Java, or a name of Python's under a key that asks for something to call."""
    if b"!!" in text and _JAVA.search(text):
        return True
    return any(
        _ASKING.match(text, _line(text, found.start()), found.start())
        for found in _CALLED.finditer(text)
    )


def _nested_aliases(text: bytes) -> bool:
    return b"&" in text and len(_ALIASES.findall(text[:_TOP])) >= _MANY_ALIASES


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Look at every key and tag that makes a loader import something."""
    raw = source.read_at(0, MAX_BYTES + 1)
    try:
        found = list(leaves(decoded(raw)))
    except AliasBombError as error:
        yield scope.issue("archive-bomb", 0, f"The configuration can't be expanded: {error}.")
        return
    except YamlError as error:
        scope.record_skip(f"the configuration is not read: {error}")
        if len(raw) > MAX_BYTES:
            marked = _marked(raw) or _marked_beyond(source) is not None
            message = f"The configuration is larger than {MAX_BYTES >> 20} MB; it was not read"
            message += ", and it has tags or keys that make a loader import something" * marked
            yield replace(
                scope.not_searched(MAX_BYTES, f"{message}."), severity="medium" if marked else None
            )
        return
    told: set[str] = set()
    mlflow = any(leaf.path[:1] == ("flavors",) for leaf in found)
    values = {".".join(leaf.path): leaf.value for leaf in found if leaf.value is not None}
    commands = _OTHERS.search(raw[:_TOP]) is None
    for leaf in found:
        texts = _text(leaf, scope) if commands else ()
        for issue in (
            *_leaf(leaf, values, scope), *texts, *(_mlflow(leaf, scope) if mlflow else ()),
        ):  # fmt: skip
            if issue.message in told:
                continue
            if len(told) == _MAX_TOLD:
                scope.more_than(_MAX_TOLD)
                return
            told.add(issue.message)
            yield issue


def _text(leaf: Leaf, scope: Scope) -> Iterator[ArtifactIssue]:
    """A value that is a command, code, or a template that gets at the interpreter."""
    key, value = leaf.path[-1] if leaf.path else "", leaf.value
    if not value or leaf.path[-2:-1] == ("-",):
        return
    chat = "template" in key.lower()
    if reason := suspicious(value) if chat else reaching(value):
        message = f"The value of {shortened(key)!r}, as a template, {reason}."
        yield scope.issue("template-code", leaf.offset, message)
    elif part := next((part for _, part in in_values({key: value})), None):
        message = f"The value of {shortened(key)!r} is a command or code: {shortened(part)!r}."
        yield scope.issue("config-code", leaf.offset, message, proof=value)


def _resolved(value: str, values: dict[str, str]) -> str:
    """``${a.b}`` of OmegaConf replaced by the value of that key, as far as the file has it."""
    for _ in range(_ROUNDS):
        changed = _REFERENCE.sub(lambda found: values.get(found[1], found[0]), value)
        if changed == value or len(changed) > _MAX_NAME:
            break
        value = changed
    return value


# Classes of values, which do nothing when they are made.
_HARMLESS: Final = {
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta",
    "datetime.timezone", "decimal.Decimal", "fractions.Fraction", "uuid.UUID",
    "collections.OrderedDict", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path",
}  # fmt: skip


# What settings of MkDocs name by its manual: functions of its extensions, which it loads itself.
_DOCUMENTATION: Final = re.compile(r"^(?:material\.extensions|materialx|pymdownx)\.")


def _is_of_documentation(kind: str, name: str) -> bool:
    return kind in ("name", "object/apply") and _DOCUMENTATION.match(name) is not None


def _leaf(leaf: Leaf, values: dict[str, str], scope: Scope) -> Iterator[ArtifactIssue]:
    for prefix in _PYTHON_TAGS:
        if leaf.tag.startswith(prefix):
            yield from _python_tag(leaf, leaf.tag.removeprefix(prefix), scope)
            return
    for prefix in _HYPER:
        if leaf.tag.startswith(prefix) and (
            found := verdict(leaf.tag.removeprefix(prefix), scope.names)
        ):
            message = f"The configuration {found[1]}."
            yield scope.issue("config-target", leaf.offset, message, severity=found[0])
    if leaf.tag and not leaf.tag.startswith(("!", "tag:yaml.org,2002:")):
        message = f"A tag names an object of another language: {shortened(leaf.tag)!r}."
        yield scope.issue("yaml-python-tag", leaf.offset, message, severity="medium")
    elif _JAVA_TAG.match(leaf.tag):
        message = f"Readers of YAML in Java would make {shortened(leaf.tag)!r}."
        yield scope.issue("yaml-python-tag", leaf.offset, message, severity="high")
    key = leaf.path[-1] if leaf.path else ""
    if leaf.value and (found := named(key, _resolved(leaf.value, values), scope.names)):
        message = f"The configuration {found[1]}."
        yield scope.issue("config-target", leaf.offset, message, severity=found[0])
    if leaf.path[-1:] == ("trust_remote_code",) and (leaf.value or "").lower() == "true":
        message = "The configuration sets trust_remote_code, so that code beside the weights runs."
        yield scope.issue("hf-remote-code", leaf.offset, message)


def _python_tag(leaf: Leaf, rest: str, scope: Scope) -> Iterator[ArtifactIssue]:
    kind, _, name = rest.partition(":")
    if kind in _HARMLESS_TAGS or name in _HARMLESS or _is_of_documentation(kind, name):
        return
    found = verdict(name, scope.names) if name else None
    what = f"{kind} {shortened(name)}".strip()
    message = f"An unsafe loader of YAML would make the Python {what}"
    if found and found[0] == "critical":
        yield scope.issue("yaml-python-tag", leaf.offset, f"{message}, which runs code.")
    else:
        yield scope.issue("yaml-python-tag", leaf.offset, f"{message}.", severity="high")


def _mlflow(leaf: Leaf, scope: Scope) -> Iterator[ArtifactIssue]:
    """The MLmodel file: what ``mlflow.pyfunc.load_model`` imports and unpickles."""
    key, value = leaf.path[-1] if leaf.path else "", leaf.value or ""
    if leaf.path[:1] != ("flavors",) or not value or value == "null":
        return
    shown = shortened(value)
    if key == "loader_module":
        if (found := verdict(f"{value}.load", scope.names)) and found[0] != "critical":
            message = f"MLflow imports {shown} to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message)
        elif found:
            message = f"MLflow imports {shown}, which runs code, to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message, severity="critical")
    elif key in ("code", "model_code_path", "code_paths") and "conda" not in value:
        message = (
            f"MLflow puts the folder {shown} of the model on Python's path and runs code from it."
        )
        yield scope.issue("mlflow-code", leaf.offset, message)
    elif key in ("python_model", "pickled_model", "model_path", "data", "serialized_model"):
        if leads_out(value) or "://" in value:
            message = f"MLflow loads {shown}, which lies outside the folder."
            yield scope.issue("config-path", leaf.offset, message)
        elif value.endswith((".pkl", ".pickle", ".cloudpickle")):
            message = f"MLflow unpickles {shown} to load the model."
            yield scope.issue("mlflow-code", leaf.offset, message, severity="low")
