"""What rules can be about in the files of a client, loose or in a package."""

from __future__ import annotations

import base64
import json
import plistlib
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from xml.parsers.expat import ExpatError

from buttress.files.jsonc import JsoncDocument, JsoncError
from buttress.files.located_yaml import FieldPath
from buttress.files.script_comments import page_without_comments, without_comments
from buttress.files.source_files import SourceFile, SourceReading
from buttress.probes.client import android_xml
from buttress.probes.client.markup import MarkupElement, MarkupError, parse, written
from buttress.rules.subject import Subject, at_line

MAX_MARKUP: Final = 2 << 20
MAX_JSON: Final = 8 << 20
MAX_SCRIPT: Final = 8 << 20
SCRIPTS: Final = (".js", ".mjs", ".cjs", ".jsbundle", ".bundle")
SOURCES: Final = (".jsx", ".ts", ".tsx", ".vue", ".svelte")
PAGES: Final = (".html", ".htm")
MAPS: Final = (".js.map", ".mjs.map", ".map")
_PROFILE: Final = "embedded.mobileprovision"
_MANIFEST: Final = "AndroidManifest.xml"
_ENVIRONMENT: Final = re.compile(r"\.env(?:\.[a-z0-9.]+)?")
_DELIVERED: Final = {
    "dist", "build", "public", "static", "www", "wwwroot", "out", "assets", "htdocs", "unpackage",
    "miniprogram", "_next",
}  # fmt: skip
_BESIDE_ASAR: Final = ".asar.unpacked"  # files of an Electron application that its archive names
_BUNDLE: Final = re.compile(
    r".*\.min\.[cm]?js|.*[.-][0-9a-f]{8,20}\.(?:chunk\.)?js|(?:service-?worker|sw)\.js"
)
_PREFERENCES: Final = b"webPreferences"
_CONFIGS: Final = ("project.config.json", "app-config.json")
_NETWORK: Final = "network-security-config"
_KEY: Final = "<key>{}</key>"
_INLINE_MAP: Final = re.compile(
    rb"[#@][ \t]*sourceMappingURL=data:application/json([^,\s]{0,80}),([^\s*'\"]+)"
)


def limit(name: str) -> int:
    """Most bytes of a file of that name that are read; 0 for what is not wanted."""
    lower = name.lower()
    if name in (_MANIFEST, _PROFILE) or lower.endswith(".xml"):
        return MAX_MARKUP
    if lower == "info.plist" or lower.endswith("-info.plist"):
        return MAX_MARKUP
    if lower == "manifest.json" or lower in _CONFIGS or lower.endswith(MAPS):
        return MAX_JSON
    if lower.endswith((*SCRIPTS, *SOURCES, *PAGES)) or _ENVIRONMENT.fullmatch(lower):
        return MAX_SCRIPT
    return 0


def is_named(name: str) -> bool:
    """Whether it is the name that makes a file one of a client's."""
    lower = name.lower()
    return name == _MANIFEST or lower in ("info.plist", "manifest.json", *_CONFIGS)


def is_delivered(path: str) -> bool:
    """Whether a script at that path is what users get, not what it is built from."""
    *folders, name = PurePosixPath(path.lower()).parts
    return (
        bool(_DELIVERED.intersection(folders))
        or any(one.endswith(_BESIDE_ASAR) for one in folders)
        or bool(_BUNDLE.fullmatch(name))
    )


def subjects(file: SourceFile, reading: SourceReading, *, delivered: bool) -> Iterator[Subject]:
    """What rules can be about in a text; what can't be parsed is noted in ``reading``.

    Args:
        file: the text.
        reading: where notes go.
        delivered: whether users get it as it is.
    """
    name = file.name
    lower = name.lower()
    if lower.endswith(".xml"):
        yield from _markup(name, file, reading)
    elif lower.endswith(".plist"):
        yield from _property_list(file, reading)
    elif lower == _PROFILE:
        yield Subject("ios.profile", _text(file), at_line(1), lookalikes=False)
    elif lower.endswith(".json"):
        yield from _json(lower, file, reading)
    elif lower.endswith(MAPS):
        if delivered:
            yield from _source_map(file.data, reading, file.location)
    elif lower.endswith(PAGES):
        text, line = _text(file), at_line(file.first_line)
        code = page_without_comments(text)
        yield Subject("web.page", code, line, lookalikes=False)
        if delivered:
            yield Subject("web.script", text, line, lookalikes=False)
            yield Subject("web.code", code, line, lookalikes=False)
    elif lower.endswith((*SCRIPTS, *SOURCES)):
        yield from script(file, reading, delivered=delivered and not lower.endswith(SOURCES))
    elif _ENVIRONMENT.fullmatch(lower):
        yield Subject("client.environment", _text(file), at_line(1), lookalikes=False)


def script(file: SourceFile, reading: SourceReading, *, delivered: bool) -> Iterator[Subject]:
    """Those of a script: its whole text, its code, which is the text without comments, and its map.

    Args:
        file: the text, or a piece of it.
        reading: where notes go.
        delivered: whether users get it as it is.
    """
    text, line = _text(file), at_line(file.first_line)
    code, whose = without_comments(text), "web" if delivered else "client"
    yield Subject(f"{whose}.script", text, line, lookalikes=False)
    yield Subject(f"{whose}.code", code, line, lookalikes=False)
    if _PREFERENCES in file.data:
        yield Subject("electron.source", code, line, lookalikes=False)
    if delivered and (mapped := inline_map(file.data)):
        yield from _source_map(mapped, reading, file.location)


def inline_map(data: bytes) -> bytes:
    """The source map that a script holds as an address of its data; empty where it holds none."""
    every = list(_INLINE_MAP.finditer(data))
    if not every:
        return b""
    kind, content = every[-1][1], unquote_to_bytes(every[-1][2])  # ECMA-426, section 11.1.2
    if b";base64" not in kind.lower():
        return content
    try:
        return base64.b64decode(content + b"=" * (-len(content) % 4))
    except ValueError:
        return b""


def android(root: MarkupElement, kind: str, file: SourceFile) -> tuple[SourceFile, Subject]:
    """A decoded manifest or configuration as text, and its subject."""
    text = SourceFile(file.location, written(root), file.uri, member=file.member)
    return text, Subject(kind, root, at_line(1))


def android_kind(root: MarkupElement) -> str:
    """The kind of subject that an XML document is; "" for none."""
    if root.name == "manifest" and any(True for _ in root.each("application")):
        return "android.manifest"
    return "android.network" if root.name == _NETWORK else ""


def property_list(data: bytes) -> dict[str, Any]:
    """The dictionary of a property list, in text or binary.

    Raises:
        MarkupError: it is none, or more than is read.
    """
    try:
        found = plistlib.loads(data)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError,
            OverflowError, RecursionError, MemoryError, AttributeError, LookupError):  # fmt: skip
        raise MarkupError("it is no property list") from None
    if not isinstance(found, dict):
        raise MarkupError("it is no dictionary")
    return found


def property_list_as_json(data: dict[str, Any], file: SourceFile) -> tuple[SourceFile, Subject]:
    """A property list of a package as JSON with a line for each value, and its subject.

    What JSON has no form for is told as text.
    """
    try:
        text = json.dumps(data, indent=1, ensure_ascii=False, default=str, skipkeys=True)
        document = JsoncDocument(text)
    except (JsoncError, ValueError, RecursionError):
        text, document = "{}", JsoncDocument("{}")
    shown = SourceFile(file.location, text.encode("utf-8", "replace"), file.uri, member=file.member)
    return shown, Subject("ios.plist", data, document.line)


def _text(file: SourceFile) -> str:
    return file.data.decode("utf-8", "replace")


def _markup(name: str, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    if name != _MANIFEST and _NETWORK.encode() not in file.data:
        reading.of_no_kind(file)
        return
    try:
        root = parse(file.data)
    except MarkupError as error:
        reading.record_skip(file.location, str(error))
        return
    kind = android_kind(root)
    if kind:
        yield Subject(kind, root, at_line(1))
    else:
        reading.of_no_kind(file)


def _property_list(file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    try:
        data = property_list(file.data)
    except MarkupError as error:
        reading.record_skip(file.location, str(error))
        return
    text = _text(file)

    def line(path: FieldPath) -> int:
        """The line of the last key of a path, looked for one after the other."""
        at = 0
        for key in path:
            found = text.find(_KEY.format(key), at)
            at = at if found < 0 else found
        return text.count("\n", 0, at) + 1

    yield Subject("ios.plist", data, line)


def _json(name: str, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    is_config = name in _CONFIGS
    if not is_config and b'"manifest_version"' not in file.data:
        reading.of_no_kind(file)
        return
    try:
        document = JsoncDocument(_text(file))
    except JsoncError as error:
        reading.record_skip(file.location, f"not read as JSON, {error}")
        if error.limit:
            yield Subject("limit", f"{file.name} is not read as JSON, {error}", at_line(1))
        return
    if isinstance(document.data, dict):
        kind = "mini-program.config" if is_config else "extension.manifest"
        yield Subject(kind, document.data, document.line)


def _source_map(data: bytes, reading: SourceReading, location: str) -> Iterator[Subject]:
    count = len(sources_of(data, reading, location))
    if count:
        what = "the content of 1 file" if count == 1 else f"the contents of {count:,} files"
        yield Subject("web.source-map", what, at_line(1))


def sources_of(data: bytes, reading: SourceReading, location: str) -> list[tuple[str, bytes]]:
    """Names and contents of the sources that a source map holds (ECMA-426, section 9)."""
    if b'"sourcesContent"' not in data:
        return []
    try:
        found = json.loads(data[data.find(b"{") :])
    except (ValueError, RecursionError):
        reading.record_skip(location, "not read as a source map")
        return []
    return list(_sources(found))


def _sources(found: Any) -> Iterator[tuple[str, bytes]]:
    if not isinstance(found, dict):
        return
    names, contents = found.get("sources"), found.get("sourcesContent")
    if isinstance(contents, list):
        for index, content in enumerate(contents):
            if isinstance(content, str) and content:
                known = isinstance(names, list) and index < len(names)
                name = str(names[index]) if known else f"source {index}"  # type: ignore[index]
                yield name, content.encode("utf-8", "replace")
    sections = found.get("sections")
    if isinstance(sections, list):
        for section in sections:
            if isinstance(section, dict):
                yield from _sources(section.get("map"))


def decoded_xml(data: bytes, resolve: Callable[[int], str] | None = None) -> MarkupElement:
    """The root of a document in a package: binary, or text as in test builds.

    Raises:
        MarkupError: it can't be read.
    """
    return parse(data) if data.lstrip()[:1] == b"<" else android_xml.parse(data, resolve)
