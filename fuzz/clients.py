"""Packages of clients, the binary forms in them, and rules about JavaScript libraries."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from buttress.errors import InputError
from buttress.files.source_files import SourceReading
from buttress.probes.client import android_xml, bundle_manifest, programs, texts
from buttress.probes.client.android_resources import ResourceTable
from buttress.probes.client.javascript_libraries import load
from buttress.probes.client.markup import MarkupError, parse, written
from buttress.probes.client.probe import PROBE
from fuzz.harness import InvariantError, Run, Target, inspected, placed

FILES: Final = {
    "client-android": "a.apk",
    "client-ios": "a.ipa",
    "client-electron": "a.asar",
    "client-extension": "a.crx",
    "client-mini-program": "a.wxapkg",
    "client-encrypted": "b.wxapkg",
    "client-manifest": "AndroidManifest.xml",
    "client-property-list": "Info.plist",
    "client-extension-manifest": "manifest.json",
    "client-page": "index.html",
}
_OWNER: Final = PROBE.with_options(appid="wx0123456789abcdef")


def _file(name: str) -> Run:
    return lambda data: inspected(_OWNER, name, data)


def _android_xml(data: bytes) -> object:
    root = android_xml.parse(data, lambda _: "")
    text = written(root)
    with suppress(MarkupError):  # names that XML has no form for
        parse(text)
    if text.count(b"\n") + 1 < root.line:
        raise InvariantError("an element lies behind the text")
    return text


def _resources(data: bytes) -> object:
    table = ResourceTable(data)
    return [table.value(number) for number in (0x7F020001, 0x7F020003, 0x7F010000)]


def _rules(data: bytes) -> object:
    libraries = load(placed("rules.json", data))
    return [one.version for one in libraries.find("a/shoplib-1.3.9.js", b"/* shoplib v1.5.0 */")]


def _source_map(data: bytes) -> object:
    return texts.sources_of(data, SourceReading(), "a.js.map")


TARGETS: Final = (
    *(Target(name, _file(file)) for name, file in FILES.items()),
    Target("android-xml", _android_xml, (MarkupError,)),
    Target("android-resources", _resources),
    Target("android-bundle", lambda data: written(bundle_manifest.parse(data)), (MarkupError,)),
    Target("source-map", _source_map),
    Target("retire-rules", _rules, (InputError,)),
    Target("mach-o", programs.is_encrypted),
)
