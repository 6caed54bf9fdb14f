"""Looks around in a folder and on loopback for the parts of a system, and writes a manifest."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.files.folders import CACHES, INSTALLED, VERSION_CONTROL
from buttress.system.model import AssetKind
from buttress.system.model_templates import TEMPLATES

PORTS: Final = (1234, 3000, 4000, 5000, 8000, 8001, 8080, 8081, 9000, 11434, 30000)
_MADE: Final = {".idea", ".vscode", "dist", "build", "buttress-out"}  # by tools, ours among them
_SKIP: Final = VERSION_CONTROL | INSTALLED | CACHES | _MADE
_WEIGHTS: Final = {
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".keras", ".pkl",
    ".pickle", ".joblib", ".npz", ".npy", ".tflite", ".msgpack",
}  # fmt: skip
_DATA: Final = {".jsonl", ".csv", ".tsv", ".parquet", ".arrow"}
_SOURCE: Final = {
    ".py", ".ipynb", ".js", ".ts", ".tsx", ".go", ".rs", ".java", ".kt", ".c", ".cc", ".cpp",
    ".cs", ".rb", ".php", ".sh",
}  # fmt: skip
_INFRASTRUCTURE: Final = re.compile(
    r"(?i)^(.*\.)?dockerfile(\..*)?$|^(docker-)?compose.*\.ya?ml$|^chart\.yaml$|^.*\.tf$"
    r"|^(deployment|service|ingress)\.ya?ml$"
)
_MAX_FILES: Final = 200_000
_TIMEOUT_S: Final = 0.5
_MAX_REPLY: Final = 1 << 20
_RECORDS: Final = 1000  # of a recording that are looked at


@dataclass(frozen=True, slots=True)
class DiscoveredAsset:
    """An asset that was found: fields of its manifest entry, and why it is thought to be one."""

    id: str
    kind: AssetKind
    fields: dict[str, str | int]
    why: str


@dataclass(slots=True)
class Found:
    """What was found under a folder; ``unclear`` are recordings that don't say what is right."""

    name: str
    assets: list[DiscoveredAsset] = field(default_factory=list)
    unclear: list[DiscoveredAsset] = field(default_factory=list)
    truncated: bool = False


def look(directory: Path, ports: Sequence[int] = PORTS) -> Found:
    """Assets under ``directory``, and models served on these loopback ports."""
    root = directory.resolve()
    found = Found(name=_slug(root.name) or "system")
    by_folder: dict[str, dict[Path, int]] = {}
    recordings: list[Path] = []
    for count, path in enumerate(_files(root)):
        if count >= _MAX_FILES:
            found.truncated = True
            break
        group = _group(path)
        if group:
            folders = by_folder.setdefault(group, {})
            folders[path.parent] = folders.get(path.parent, 0) + 1
        if group == "gguf":
            found.assets.append(_asset(found, "model", {"weights": _relative(path, root)}, "GGUF"))
        elif group == "data" and path.suffix == ".jsonl" and _is_recording(path):
            recordings.append(path)
    _add_models(found, root, by_folder)
    for path in recordings:
        fields: dict[str, str | int] = {"replay": _relative(path, root)}
        if _says_what_is_right(path):
            found.assets.append(_asset(found, "model", fields, "recorded prompts and responses"))
        else:
            found.unclear.append(_asset(found, "model", fields, "recorded prompts and responses"))
    _add_folders(found, root, by_folder)
    for url, model in _served(ports):
        endpoint: dict[str, str | int] = {"endpoint": url, "model": model}
        found.assets.append(_asset(found, "model", endpoint, "served on loopback"))
    return found


def _add_folders(found: Found, root: Path, by_folder: Mapping[str, dict[Path, int]]) -> None:
    """Folders of data, source and infrastructure; a folder within one of source is part of it.

    The probes of source look at everything that those of data and infrastructure look at.
    """
    source = _tops(root, by_folder.get("source", {}))
    kinds: tuple[tuple[AssetKind, str], ...] = (
        ("data", "data files"),
        ("source", "source code"),
        ("infrastructure", "container or cluster"),
    )
    for kind, why in kinds:
        for folder in _tops(root, by_folder.get(kind, {})):
            if kind == "source" or not any(folder.is_relative_to(other) for other in source):
                path = {"path": _relative(folder, root)}
                found.assets.append(_asset(found, kind, path, why))


def _add_models(found: Found, root: Path, by_folder: dict[str, dict[Path, int]]) -> None:
    """Hugging Face folders become targets; other folders of weights are inspected only."""
    covered: list[Path] = []
    for folder in sorted(by_folder.get("weights", {})):
        if any(folder.is_relative_to(done) for done in covered):
            continue
        relative = _relative(folder, root)
        if (folder / "config.json").is_file() and list(folder.glob("*.safetensors")):
            found.assets.append(_asset(found, "model", {"weights": relative}, "Hugging Face model"))
        elif (folder / "adapter_config.json").is_file():
            found.assets.append(_asset(found, "model", {"path": relative}, "adapter"))
        else:
            found.assets.append(_asset(found, "model", {"path": relative}, "weights, to inspect"))
        covered.append(folder)


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _SKIP)
        for name in sorted(files):
            yield Path(folder, name)


def _group(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix == ".gguf":
        return "gguf"
    if suffix in _WEIGHTS:
        return "weights"
    if suffix in _DATA:
        return "data"
    if suffix in _SOURCE:
        return "source"
    return "infrastructure" if _INFRASTRUCTURE.match(path.name) else None


def _tops(root: Path, folders: dict[Path, int]) -> list[Path]:
    """The topmost folders: one asset for a tree; the root itself only for files right in it."""
    tops: dict[Path, None] = {}
    for folder in sorted(folders):
        relative = folder.relative_to(root)
        tops.setdefault(root if not relative.parts else root / relative.parts[0], None)
    return [root] if root in tops else list(tops)


def _is_recording(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = orjson.loads(file.readline(_MAX_REPLY))
    except (OSError, orjson.JSONDecodeError):
        return False
    return isinstance(first, dict) and {"prompt", "response"} <= first.keys()


def _says_what_is_right(path: Path) -> bool:
    """Whether a recording says of any record what a safe model does."""
    try:
        with path.open("rb") as file:
            for _, line in zip(range(_RECORDS), file, strict=False):
                record = orjson.loads(line[:_MAX_REPLY])
                if isinstance(record, dict) and record.get("expect") in {"refuse", "answer"}:
                    return True
    except (OSError, orjson.JSONDecodeError):
        return False
    return False


def _served(ports: Sequence[int]) -> list[tuple[str, str]]:
    """OpenAI-compatible endpoints on loopback: base URL and first model of each."""
    if not ports:
        return []
    with ThreadPoolExecutor(len(ports)) as pool:
        return [served for served in pool.map(_model_at, ports) if served]


def _model_at(port: int) -> tuple[str, str] | None:
    base = f"http://127.0.0.1:{port}/v1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base}/models", timeout=_TIMEOUT_S) as reply:
            listed: Any = orjson.loads(reply.read(_MAX_REPLY))
        return base, str(listed["data"][0]["id"])
    except (OSError, ValueError, LookupError, TypeError, urllib.error.URLError):
        return None


def _asset(
    found: Found, kind: AssetKind, fields: Mapping[str, str | int], why: str
) -> DiscoveredAsset:
    location = str(next(iter(fields.values())))
    stem = _slug(Path(location).stem) if kind != "model" or "endpoint" not in fields else "endpoint"
    name = stem or kind
    taken = {asset.id for asset in found.assets}
    number = 1
    while name in taken:
        number += 1
        name = f"{stem or kind}-{number}"
    return DiscoveredAsset(name, kind, dict(fields), why)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() or "."


def summary(found: Found, model: str | None = None) -> list[str]:
    """One line for each asset, for the terminal; ``model`` is the kind of an entry to fill in."""
    lines = [
        f"  {asset.kind:<15} {next(iter(asset.fields.values()))}  ({asset.why})"
        for asset in found.assets
    ]
    lines += [
        f"  {asset.kind:<15} {asset.fields['replay']}  (recorded answers; as a comment, because "
        "nothing says what a safe model does)"
        for asset in found.unclear
    ]
    if found.truncated:
        lines.append(f"  … stopped looking after {_MAX_FILES:,} files")
    entry = [] if model is None else [f"An entry for a model, {model}, is to be filled in."]
    if not lines:
        return entry or ["Found no assets."]
    number = len(found.assets)
    return [f"Found {number} {'asset' if number == 1 else 'assets'}:", *lines, *entry]


_HEAD: Final = """\
# Manifest of a system for Buttress. Every field is explained in docs/manifest.md;
# `buttress init --schema` prints a JSON Schema for editors.

name: {name}
# What the system is for, and what it must never do, in plain words.
purpose: ""
# Who answers for it.
owner: ""

# Operational profile: it weighs the risks. Replace these figures by your own.
profile:
  users: the public
  requests_per_day: 1000
  uses:
    - {{name: general chat, share: 1.0}}

# What the system is made of. A model asset answers questions when it has one of
#   endpoint: http://…/v1 with model: NAME (and api_key_env: VARIABLE, api: anthropic, …)
#   http: {{url: …, body: {{q: "{{{{prompt}}}}"}}, answer: $.data.reply}}, an application of yours
#   python: module:function that takes a prompt and returns the answer
#   browser: {{url: …, input: "#prompt", answer: ".bot"}}, a chat page
#   weights: a GGUF file, a Hugging Face folder, or package:NAME
#   replay: a JSONL file of recorded answers
# and is only inspected when it has a path. `buttress init --model KIND` writes an entry.
assets:
"""
_TAIL: Final = """
# default, strict, gbt45654, or a file of your own: `buttress risks policies` explains them.
policy: default

# What an assessment may spend. It stops earlier when all risks are decided.
budget:
  calls: 2000
"""
_UNCLEAR: Final = """\
  # Recorded prompts and responses. Nothing in the file says what a safe model does with these
  # prompts: say so (refuse, or answer), and take the marks of the comment away.
  # - id: {id}
  #   kind: model
  #   replay: {replay}
  #   expect: refuse
"""
_NOTHING: Final = """\
  # Nothing was found here. Name a model, for example:
  # - {kind: model, id: chat-model, endpoint: "http://127.0.0.1:8000/v1", model: my-model}
  # - {kind: model, id: claude, endpoint: "https://api.anthropic.com", model: MODEL,
  #    api_key_env: ANTHROPIC_API_KEY}
  # - kind: model
  #   id: my-application
  #   http: {url: "http://127.0.0.1:8000/chat", body: {q: "{{prompt}}"}, answer: $.data.reply}
  - id: source
    kind: source
    path: .
"""


def write(found: Found, model: str | None = None) -> str:
    """The manifest as commented YAML.

    ``buttress assess`` takes it as it is; with a ``model``, which is a key of ``TEMPLATES``, as
    soon as its place and name are filled in.
    """
    text = _HEAD.format(name=json.dumps(found.name, ensure_ascii=False))
    if model is not None:
        text += TEMPLATES[model]
    for asset in found.assets:
        text += f"  # {asset.why}\n  - id: {json.dumps(asset.id, ensure_ascii=False)}\n"
        text += f"    kind: {asset.kind}\n"
        for key, value in asset.fields.items():
            text += f"    {key}: {json.dumps(value, ensure_ascii=False)}\n"
    for asset in found.unclear:
        text += _UNCLEAR.format(
            id=json.dumps(asset.id, ensure_ascii=False),
            replay=json.dumps(asset.fields["replay"], ensure_ascii=False),
        )
    return text + (_TAIL if found.assets or model is not None else _NOTHING + _TAIL)
