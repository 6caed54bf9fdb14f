"""Facts about the build of a client: a package, a bundle of scripts, or a folder of files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

import orjson

from buttress.drift.masking import masked_path
from buttress.drift.page_facts import page_content
from buttress.drift.script_facts import credential_rules, script_facts, url_facts
from buttress.errors import InputError
from buttress.files.byte_source import (
    ByteSource,
    BytesSource,
    ExpansionError,
    FileSource,
    ResourceMeter,
)
from buttress.files.selection import Selection
from buttress.files.tree import Tree
from buttress.probes.client import bundle_manifest, texts
from buttress.probes.client.binary_text import binary_text
from buttress.probes.client.markup import MarkupElement, MarkupError
from buttress.probes.client.members import MemberError, read
from buttress.probes.client.packages import (
    ENDINGS,
    ClientPackage,
    PackageError,
    open_package,
)

_PAGE: Final = "https://own.invalid/"  # stands for the host that a page of a build comes from
_MAX_TEXT: Final = 16 << 20
_MAX_BINARY: Final = 64 << 20
_MODELS: Final = (
    ".gguf", ".onnx", ".tflite", ".safetensors", ".pt", ".pth", ".mlmodel", ".ckpt", ".pb", ".task",
)  # fmt: skip
_PROGRAMS: Final = re.compile(r"(?:classes\d*\.dex|.*\.(?:so|dylib|dll|wasm|jsbundle|hbc))")
_MANIFESTS: Final = ("AndroidManifest.xml", "base/manifest/AndroidManifest.xml")
_COMPONENTS: Final = ("activity", "activity-alias", "service", "receiver", "provider")
_FLAGS: Final = ("debuggable", "allowBackup", "usesCleartextTraffic", "testOnly")
_PLIST_FACTS: Final = (
    "CFBundleIdentifier", "CFBundleShortVersionString", "MinimumOSVersion",
    "NSAppTransportSecurity", "CFBundleURLTypes", "UIBackgroundModes",
    "LSApplicationQueriesSchemes",
)  # fmt: skip
_EXTENSION_FACTS: Final = (
    "version", "manifest_version", "permissions", "optional_permissions", "host_permissions",
    "content_security_policy", "externally_connectable", "web_accessible_resources",
)  # fmt: skip
_MINI_PROGRAM_FACTS: Final = ("pages", "permission", "requiredPrivateInfos", "plugins", "appid")


def build_facts(path: Path, *, appid: str = "") -> dict[str, str]:
    """Permissions, entry points, hosts, texts, credentials and models of a build.

    Args:
        path: a package, a file, or a folder of what users get.
        appid: of the mini-program, for one that is encrypted.

    Raises:
        InputError: it can't be read, wholly or in part: then nothing can be said of changes.
    """
    if path.is_dir():
        facts: dict[str, str] = {}
        tree = Tree(path, Selection())
        for file in tree.files:
            name = Path(file.path).relative_to(path).as_posix()
            facts |= _of_file(Path(file.path), name, appid)
        return facts
    return _of_file(path, path.name, appid)


def _of_file(path: Path, name: str, appid: str) -> dict[str, str]:
    try:
        meter = ResourceMeter()
        with FileSource(path, meter) as source:
            package = open_package(source, meter, appid)
            if package is not None:
                return _of_package(package, meter, appid)
            if name.lower().endswith(ENDINGS):
                raise PackageError("it is named as a package and is none")
            return member_facts(name, lambda limit: _start(source, limit))
    except (OSError, PackageError, MemberError, ExpansionError, MarkupError) as error:
        raise InputError(
            f"not read: {error}", file=str(path), expected="a build that can be read to its end"
        ) from None


def _start(source: ByteSource, limit: int) -> bytes:
    parts = bytearray()
    while len(parts) < limit and (data := source.read_at(len(parts), limit - len(parts))):
        parts += data
    return bytes(parts)


def _of_package(package: ClientPackage, meter: ResourceMeter, appid: str) -> dict[str, str]:
    facts: dict[str, str] = {"package": package.kind}
    nested = frozenset(package.nested)
    for name in package.members.names:
        if name in nested:
            continue  # read below, as packages of their own
        if package.kind.startswith("android") and name in _MANIFESTS:
            facts |= _android(package, name)
        elif package.kind == "ios" and name == f"{package.root}Info.plist":
            plist = texts.property_list(read(package.members, name, texts.MAX_MARKUP))
            facts |= _chosen(plist, _PLIST_FACTS)
            facts |= {f"purpose {key}": "" for key in plist if key.endswith("UsageDescription")}
        else:
            facts |= member_facts(name, lambda limit, name=name: read(package.members, name, limit))
    for name in nested:
        inner = open_package(BytesSource(read(package.members, name, _MAX_BINARY)), meter, appid)
        if inner is not None:
            facts |= _of_package(inner, meter, appid)
    return facts


def member_facts(name: str, content: _Content) -> dict[str, str]:
    """Facts about one file of a build.

    Args:
        name: its path in the build.
        content: gives the first so many bytes of it.
    """
    lower = PurePosixPath(name).name.lower()
    if lower.endswith(_MODELS):
        digest = hashlib.sha256(content(_MAX_BINARY)).hexdigest()[:16]
        return {f"model {masked_path(name)}": f"sha256 {digest}"}
    if lower.endswith(texts.SCRIPTS):
        data = content(_MAX_TEXT)
        if b"\0" not in data[:8192]:
            return script_facts(data.decode("utf-8", "replace"))
        return _program(data)
    if lower.endswith(texts.PAGES):
        text = content(_MAX_TEXT).decode("utf-8", "replace")
        return page_content(text, _PAGE).facts
    if _PROGRAMS.fullmatch(lower):
        return {f"program {masked_path(name)}": ""} | _program(content(_MAX_BINARY))
    if lower in ("manifest.json", "app-config.json", "project.config.json", "app.json"):
        return _json(lower, content(texts.MAX_JSON))
    return {}


class _Content(Protocol):
    def __call__(self, limit: int, /) -> bytes: ...


def _program(data: bytes) -> dict[str, str]:
    """Hosts and credentials in the strings of a program."""
    text = binary_text(data, 0).data.decode("utf-8", "replace")
    return url_facts(text) | {f"credential {rule}": "" for rule in credential_rules(text)}


def _json(name: str, data: bytes) -> dict[str, str]:
    try:
        found = orjson.loads(data)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    if name != "manifest.json":
        return _chosen(found, _MINI_PROGRAM_FACTS)
    if "manifest_version" not in found:
        return {}
    facts = _chosen(found, _EXTENSION_FACTS)
    for one in found.get("content_scripts") or ():
        if isinstance(one, dict):
            matches = one.get("matches")
            for pattern in matches if isinstance(matches, list) else ():
                facts[f"content-script {pattern}"] = ""
    return facts


def _chosen(data: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Values under these names: one fact for each element of a list of texts."""
    facts: dict[str, str] = {}
    for name in names:
        value = data.get(name)
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            facts |= {f"{name} {one}": "" for one in value}
        elif value is not None:
            shown = orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
            facts[f"setting {name}"] = value if isinstance(value, str) else shown
    return facts


def _android(package: ClientPackage, name: str) -> dict[str, str]:
    data = read(package.members, name, texts.MAX_MARKUP)
    bundle = package.kind == "android-bundle"
    root = bundle_manifest.parse(data) if bundle else texts.decoded_xml(data)
    facts = {"setting package": root.attributes.get("package", "")}
    if version := root.attributes.get("android:versionName"):
        facts["setting version"] = version
    for one in root.below():
        if one.name.startswith("uses-permission"):
            facts[f"permission {one.attributes.get('android:name', '')}"] = ""
        elif one.name == "uses-sdk":
            for key in ("minSdkVersion", "targetSdkVersion"):
                facts[f"setting {key}"] = one.attributes.get(f"android:{key}", "")
        elif one.name == "application":
            facts |= {
                f"setting {flag}": one.attributes[f"android:{flag}"]
                for flag in _FLAGS
                if f"android:{flag}" in one.attributes
            }
        elif one.name in _COMPONENTS and (shown := _exported(one)):
            facts[f"component {one.name} {one.attributes.get('android:name', '')}"] = shown
        elif one.name == "data" and "android:scheme" in one.attributes:
            host = one.attributes.get("android:host", "")
            facts[f"deep-link {one.attributes['android:scheme']}://{host}"] = ""
    return facts


def _exported(component: MarkupElement) -> str:
    """Who may call a component of an app; empty where only the app itself may."""
    said = component.attributes.get("android:exported", "").lower()
    filtered = any(True for _ in component.each("intent-filter"))
    if said not in ("true", "false"):
        said = "true" if filtered else "false"
    if said == "false":
        return ""
    needed = component.attributes.get("android:permission", "")
    return f"exported, needs {needed}" if needed else "exported to anybody"
