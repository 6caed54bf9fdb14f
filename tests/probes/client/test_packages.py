"""Packages as strangers build them: what is wrong is found, what is mended is silent."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import pickle
import plistlib
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.files import byte_source
from buttress.probes.artifacts.model_files import PROBE as MODEL_FILES
from buttress.probes.client.probe import PROBE, ClientFiles
from buttress.probes.client.programs import FUSE_MARK
from buttress.protocols.inspection import InspectionContext

from . import build
from .build import Reference

KEY = b"sk-ant-api03-" + b"Zq8vN2xLw7Rt5Yb1Kc4Jd9Hf6Gs3Pa0Um" * 3 + b"AA"
PLAIN = "http://api.shop.io/chat"
TLS = "https://api.shop.io/chat"
NAMESPACE = "http://schemas.shop.io/orders"
PROMPT = b"You are ShopBot, the assistant of the shop. Never give more than 10 % discount."
NETWORK = (
    "network-security-config",
    {},
    [("base-config", {}, [("trust-anchors", {}, [("certificates", {"src": "user"}, [])])])],
)


def inspect(
    path: Path, probe: ClientFiles = PROBE
) -> tuple[dict[str, Finding], Inspection, list[Finding]]:
    *findings, last = (
        PROBE.inspect(InspectionContext.at("app", path))
        if probe is PROBE
        else (probe.inspect(InspectionContext.at("app", path)))
    )
    assert isinstance(last, Inspection)
    found = [one for one in findings if isinstance(one, Finding)]
    return {one.rule: one for one in found}, last, found


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


class Payload:
    """Looks harmful in a pickle, and is never loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("never run",)


def weak_android(**more: bytes) -> bytes:
    components = [
        ("service", {"name": ".Chat", "exported": True}, []),
        (
            "activity",
            {"name": ".Main", "exported": True},
            [
                (
                    "intent-filter",
                    {},
                    [
                        ("action", {"name": "android.intent.action.MAIN"}, []),
                        ("category", {"name": "android.intent.category.LAUNCHER"}, []),
                    ],
                ),
            ],
        ),
    ]
    settings = {"debuggable": True, "networkSecurityConfig": Reference(0x7F020001)}
    return build.zipped(
        {
            "AndroidManifest.xml": build.axml(build.manifest(settings, components)),
            "res/aB.xml": build.axml(NETWORK),
            "resources.arsc": build.arsc({0x7F020001: "res/aB.xml"}),
            "classes.dex": build.dex(
                [KEY.decode(), PROMPT.decode(), PLAIN], [(PLAIN, "java.net.URL", "<init>")]
            ),
            **more,
        }
    )


def test_a_weak_android_application(tmp_path: Path) -> None:
    found, last, _ = inspect(written(tmp_path, "bot.apk", weak_android()))
    assert set(found) == {
        "android-debuggable",
        "android-user-certificates",
        "android-exported",
        "android-unsigned",
        "android-backup",
        "anthropic-key",
        "client-system-prompt",
        "android-cleartext-request",
    }
    assert PLAIN in found["android-cleartext-request"].message
    assert found["android-exported"].message.startswith("The service .Chat ")
    assert str(found["android-user-certificates"].where).startswith("bot.apk!res/aB.xml:")
    key = found["anthropic-key"]
    assert key.where.member == "!classes.dex"
    assert key.where.offset is not None
    assert KEY.decode() not in key.proof
    assert last.files == 1


def test_text_beside_the_strings_of_a_dex_is_searched_too(tmp_path: Path) -> None:
    # As an array of bytes holds it, and in what is damaged.
    for name, code in {
        "hidden": build.dex(["x"], code=b"\0\0" + KEY + b"\0"),
        "damaged": build.dex([KEY.decode()])[:60] + bytes(16) + b"\0" + KEY + b"\0",
    }.items():
        manifest = build.axml(build.manifest({"allowBackup": False}))
        data = build.zipped({"AndroidManifest.xml": manifest, "assets/more.bin": code})
        found, _, _ = inspect(written(tmp_path, f"{name}.apk", build.signed(data)))
        assert "anthropic-key" in found, name


def test_a_mended_android_application(tmp_path: Path) -> None:
    network = (
        "network-security-config",
        {},
        [("debug-overrides", {}, [("trust-anchors", {}, [("certificates", {"src": "user"}, [])])])],
    )
    settings = {"allowBackup": False, "networkSecurityConfig": Reference(0x7F020001)}
    data = build.zipped(
        {
            "AndroidManifest.xml": build.axml(build.manifest(settings)),
            "res/net.xml": build.axml(network),
            "resources.arsc": build.arsc({0x7F020001: "res/net.xml"}),
            "classes.dex": build.dex(
                [TLS, NAMESPACE],
                [
                    (TLS, "java.net.URL", "<init>"),
                    (NAMESPACE, "javax.xml.namespace.QName", "<init>"),
                ],
            ),
        }
    )
    found, _, _ = inspect(written(tmp_path, "bot.apk", build.signed(data)))
    assert not found


@pytest.mark.parametrize(("target", "weak"), [(27, True), (28, False)])
def test_cleartext_depends_on_the_target(tmp_path: Path, target: int, weak: bool) -> None:
    settings = {"allowBackup": False}
    document = build.axml(build.manifest(settings, target=target))
    data = build.signed(build.zipped({"AndroidManifest.xml": document}))
    found, _, _ = inspect(written(tmp_path, "bot.apk", data))
    assert set(found) == ({"android-cleartext"} if weak else set())


def test_signatures(tmp_path: Path) -> None:
    document = build.axml(build.manifest({"allowBackup": False}))
    old = build.zipped({"AndroidManifest.xml": document, "META-INF/CERT.RSA": b"Android Debug"})
    found, _, _ = inspect(written(tmp_path, "old.apk", old))
    assert set(found) == {"android-old-signature", "android-debug-key"}
    new = build.signed(old, content=b"CN=Shop")
    assert "android-old-signature" not in inspect(written(tmp_path, "new.apk", new))[0]


def test_what_is_bent_to_stop_readers(tmp_path: Path) -> None:
    # Android goes by numbers of attributes, not by their names, and takes an unknown method of
    # compression for none.
    lying = build.axml(build.manifest({"debuggable": True}), lying_names=True)
    data = bytearray(build.zipped({"AndroidManifest.xml": lying}, zipfile.ZIP_STORED))
    for mark, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        place = data.index(mark) + at
        data[place : place + 2] = struct.pack("<H", 0x2F41)
        data[place - 2] |= 1  # "encrypted"
    found, _, _ = inspect(written(tmp_path, "bent.apk", bytes(data)))
    assert "android-debuggable" in found


def test_models_in_packages_reach_their_inspectors(tmp_path: Path) -> None:
    model = pickle.dumps(Payload())
    for name, data in {
        "a.apk": weak_android(**{"assets/model.pkl": model}),
        "a.asar": build.asar({"models/model.pkl": model, "main.js": b"1"}),
        "a.wxapkg": build.wxapkg({"model.pkl": model}),
    }.items():
        path = written(tmp_path, name, data)
        found = [
            one
            for one in MODEL_FILES.inspect(InspectionContext.at("app", path))
            if isinstance(one, Finding)
        ]
        assert any("model.pkl" in one.location for one in found), name
        assert not any(one.rule == "archive-native-code" for one in found), name


def test_a_model_archive_does_not_pass_for_an_application(tmp_path: Path) -> None:
    files = {
        "AndroidManifest.xml": b"x",
        "m/data.pkl": pickle.dumps([1]),
        "m/lib.so": b"\x7fELF" + bytes(60),
    }
    path = written(tmp_path, "model.pt", build.zipped(files))
    rules = {
        one.rule
        for one in MODEL_FILES.inspect(InspectionContext.at("app", path))
        if isinstance(one, Finding)
    }
    assert "archive-native-code" in rules


def _field(number: int, data: bytes | int) -> bytes:
    """A field of a protocol buffer: bytes, or a small number."""
    if isinstance(data, int):
        return bytes([number << 3, data])
    length = len(data)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([number << 3 | 2]) + size + data


def _attribute(name: str, value: str = "", compiled: bytes = b"") -> bytes:
    space = _field(1, build.ANDROID.encode())
    text = _field(3, value.encode()) if value else b""
    item = _field(6, compiled) if compiled else b""
    return _field(4, space + _field(2, name.encode()) + text + item)


def _module(*application: bytes, inside: bytes = b"") -> bytes:
    """A manifest of a module as aapt2 writes it."""
    element = _field(3, b"application") + b"".join(application) + inside
    return _field(1, _field(3, b"manifest") + _field(5, _field(1, element)))


def _boolean(value: bool) -> bytes:
    return _field(7, _field(8, int(value)))


def _bundle(folder: Path, **files: bytes) -> set[str]:
    named = {name.replace("__", "/"): data for name, data in files.items()}
    data = build.zipped({"BundleConfig.pb": b"", **named})
    found, _, _ = inspect(written(folder, "bot.aab", data))
    return set(found)


QUIET = _module(_attribute("allowBackup", "false"))


def test_an_app_bundle(tmp_path: Path) -> None:
    root = _module(_attribute("debuggable", "true"), _attribute("allowBackup", "false"))
    name = "base/manifest/AndroidManifest.xml"
    assert _bundle(tmp_path, **{name: root}) == {"android-debuggable"}
    assert _bundle(tmp_path, **{name: QUIET}) == set()


def test_compiled_values_of_an_app_bundle(tmp_path: Path) -> None:
    debuggable = _attribute("debuggable", compiled=_boolean(True))
    quiet = _attribute("allowBackup", compiled=_boolean(False))
    name = "base/manifest/AndroidManifest.xml"
    assert _bundle(tmp_path, **{name: _module(debuggable, quiet)}) == {"android-debuggable"}
    cleartext = _attribute("usesCleartextTraffic", compiled=_boolean(True))
    assert _bundle(tmp_path, **{name: _module(cleartext, quiet)}) == {"android-cleartext"}
    reference = _field(1, _field(3, b"xml/network"))
    configured = _attribute("networkSecurityConfig", compiled=reference)
    assert _bundle(tmp_path, **{name: _module(cleartext, configured, quiet)}) == set()


def test_every_module_of_an_app_bundle_is_read(tmp_path: Path) -> None:
    base, feature = "base/manifest/AndroidManifest.xml", "chat/manifest/AndroidManifest.xml"
    debuggable = _module(_attribute("debuggable", "true"), _attribute("allowBackup", "false"))
    assert _bundle(tmp_path, **{base: QUIET, feature: debuggable}) == {"android-debuggable"}
    script = b'k="' + KEY + b'"'
    found = _bundle(tmp_path, **{base: QUIET, "chat/assets/app.js": script})
    assert found == {"anthropic-key"}


def test_an_ios_application(tmp_path: Path) -> None:
    transport = {
        "NSAllowsArbitraryLoads": True,
        "NSExceptionDomains": {"api.shop.io": {"NSExceptionAllowsInsecureHTTPLoads": True}},
    }
    profile = b"0\x82<plist><key>get-task-allow</key>\n\t<true/></plist>"
    files = {"embedded.mobileprovision": profile, "Bot": build.mach_o(encrypted_code=True) + KEY}
    data = build.ipa({"CFBundleExecutable": "Bot", "NSAppTransportSecurity": transport}, files)
    found, last, _ = inspect(written(tmp_path, "bot.ipa", data))
    assert set(found) == {"ios-arbitrary-loads", "ios-insecure-domain", "ios-debuggable"}
    assert any("Bot: its code is encrypted by the store" in one for one in last.unread)
    files = {"Bot": build.mach_o(encrypted_code=False) + KEY}
    found, last, _ = inspect(written(tmp_path, "open.ipa", build.ipa({"a": 1}, files)))
    assert set(found) == {"anthropic-key"}
    assert not last.unread


def test_an_electron_application(tmp_path: Path) -> None:
    files = {
        "main.js": b"new BrowserWindow({webPreferences:{nodeIntegration:!0,contextIsolation:!1}})",
        "dist/app.js": b'm=[{role:"system",content:"' + PROMPT + b'"}];k="' + KEY + b'"',
    }
    found, _, _ = inspect(written(tmp_path, "a.asar", build.asar(files, wrong="main.js")))
    assert set(found) == {
        "electron-node-integration",
        "electron-no-isolation",
        "client-system-prompt",
        "anthropic-key",
        "electron-changed-file",
    }
    assert found["client-system-prompt"].where.member == "!dist/app.js"
    assert "Never give more than" in found["client-system-prompt"].message
    found, _, _ = inspect(written(tmp_path, "b.asar", build.asar({"main.js": b"1"}, digests=False)))
    assert set(found) == {"electron-no-integrity"}
    assert not inspect(written(tmp_path, "c.asar", build.asar({"main.js": b"1"})))[0]


@pytest.mark.parametrize(("states", "count"), [(b"1011001", 5), (b"0100110", 0)])
def test_fuses(tmp_path: Path, states: bytes, count: int) -> None:
    (tmp_path / "resources").mkdir()
    written(tmp_path / "resources", "app.asar", build.asar({"main.js": b"1"}))
    wire = FUSE_MARK + bytes([1, len(states)]) + states
    written(tmp_path, "bot", b"\x7fELF" + bytes(1 << 20) + wire + bytes(64))
    _, _, found = inspect(tmp_path)
    assert [one.rule for one in found] == ["electron-fuse"] * count


def test_a_browser_extension(tmp_path: Path) -> None:
    manifest = {
        "manifest_version": 3,
        "name": "bot",
        "host_permissions": ["<all_urls>"],
        "externally_connectable": {"matches": ["*://*/*"]},
    }
    page = b'<html><script src="https://cdn.shop.io/a.js"></script></html>'
    files = {"manifest.json": json.dumps(manifest, indent=1).encode(), "popup.html": page}
    inner = {f"bot-1.0/{name}": content for name, content in files.items()}
    for name, data in {
        "bot.crx": build.crx(files),
        "old.crx": build.crx(files, version=2),
        "release.zip": build.zipped(inner),
    }.items():
        found, _, _ = inspect(written(tmp_path, name, data))
        expected = {"extension-all-sites", "extension-open-to-pages", "client-foreign-script"}
        assert set(found) == expected, name
        assert found["extension-all-sites"].where.line == 4
    _, last, _ = inspect(written(tmp_path, "bot4.crx", b"Cr24" + bytes([4]) + bytes(40)))
    assert any("format 4, of which 2 and 3 are read" in one for one in last.unread)
    good = {"manifest_version": 3, "name": "bot", "host_permissions": ["https://shop.io/*"]}
    files = {"manifest.json": json.dumps(good).encode(), "a.js": b"1"}
    assert not inspect(written(tmp_path, "good.xpi", build.zipped(files)))[0]


def test_a_mini_program(tmp_path: Path) -> None:
    files = {
        "app-config.json": b'{"pages": ["a"], "debug": true}',
        "app-service.js": b'var appSecret="0123456789abcdef0123456789abcdef";' + b"/* */" * 400,
    }
    package = build.wxapkg(files)
    found, _, _ = inspect(written(tmp_path, "a.wxapkg", package))
    assert set(found) == {"mini-program-debug", "mini-program-secret"}
    assert "0123456789abcdef0123" not in found["mini-program-secret"].message
    appid = "wx0123456789abcdef"
    path = written(tmp_path, "b.wxapkg", build.encrypted(package, appid))
    found, last, _ = inspect(path)
    assert not found
    assert any("--set appid=wx…" in one for one in last.unread)
    owner = PROBE.with_options(appid=appid)
    assert set(inspect(path, owner)[0]) == {"mini-program-debug", "mini-program-secret"}
    other = PROBE.with_options(appid="wx0123456789abcd00")
    assert any("not that of this package" in one for one in inspect(path, other)[1].unread)
    with pytest.raises(InputError, match="appid"):
        PROBE.with_options(appid="gh_1")


def test_sources_in_a_source_map(tmp_path: Path) -> None:
    source = {
        "version": 3,
        "sources": ["src/keys.ts"],
        "sourcesContent": [f'\nconst key = "{KEY.decode()}"'],
        "mappings": "",
    }
    files = {
        "manifest.json": b'{"manifest_version": 3}',
        "a.js": b"1",
        "a.js.map": json.dumps(source).encode(),
    }
    found, _, _ = inspect(written(tmp_path, "a.crx", build.crx(files)))
    assert set(found) == {"client-source-map", "anthropic-key"}
    assert str(found["anthropic-key"].where) == "a.crx!a.js.map!src/keys.ts:2"
    (told,) = [one for one in inspect(tmp_path / "a.crx")[2] if one.rule == "client-source-map"]
    assert told.message == "The source map holds the content of 1 file."


RETIRE: Mapping[str, Any] = {
    "shoplib": {
        "vulnerabilities": [
            {
                "below": "1.4.0",
                "severity": "high",
                "identifiers": {"CVE": ["CVE-2020-0001"], "summary": "s"},
            },
            {
                "atOrAbove": "1.2.0",
                "below": "1.6.0",
                "severity": "low",
                "identifiers": {"CVE": ["CVE-2021-0002"]},
            },
        ],
        "extractors": {
            "filename": ["shoplib-(§§version§§)(.min)?\\.js"],
            "filecontent": ["/\\* shoplib v(§§version§§)", 'v="(§§version§§)".{0,4000}shopLibEnd'],
            "filecontentreplace": ["/shop\\.major=([0-9]+),minor=([0-9]+)/$1.$2.0/"],
            "hashes": {"8cb2237d0679ca88db6464eac60da96345513964": "1.3.0"},
        },
    }
}


@pytest.mark.parametrize(
    ("name", "text", "version", "known"),
    [
        ("shoplib-1.3.9.min.js", "x", "1.3.9", 2),
        ("a.js", "/* shoplib v1.5.0 */", "1.5.0", 1),
        ("a.js", "/* shoplib v1.6.0 */", "", 0),
        ("a.js", '/* */v="1.1.0"' + "x" * 3_000 + "shopLibEnd", "1.1.0", 1),
        ("a.js", '/* */v="1.1.0"' + "x" * 5_000 + "shopLibEnd", "", 0),
        ("a.js", "shop.major=1,minor=2", "1.2.0", 2),
        ("a.js", "12345", "1.3.0", 2),
    ],
)
def test_rules_of_retire(tmp_path: Path, name: str, text: str, version: str, known: int) -> None:
    rules = written(tmp_path, "rules.json", json.dumps(RETIRE).encode())
    folder = tmp_path / "app"
    folder.mkdir()
    written(folder, name, text.encode())
    _, _, found = inspect(folder, PROBE.with_options(retire=str(rules)))
    if not known:
        assert not found
        return
    (finding,) = found
    assert f"shoplib {version} has " in finding.message
    assert sum(one.startswith("CVE") for one in finding.references) == known
    assert "1.6.0" in finding.remedy or known == 1


@pytest.mark.parametrize(
    "text", ["[]", "{}", "x", '{"a": 1}', '{"a": {"extractors": 1, "vulnerabilities": [1]}}']
)
def test_a_rule_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, "rules.json", text.encode())
    with pytest.raises(InputError, match=r"rules\.json"):
        PROBE.with_options(retire=str(path))


def test_packages_in_packages_have_a_limit(tmp_path: Path) -> None:
    data = weak_android()
    for _ in range(4):
        data = build.zipped({"inner.apk": data, "AndroidManifest.xml": b""})
    found, last, _ = inspect(written(tmp_path, "deep.xapk", data))
    assert "client-not-searched" in found
    assert last.unread


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 MiB in place of 256 may come out of a package, so that bombs can be small."""
    assert byte_source._EXPANSION_FLOOR == 256 << 20
    monkeypatch.setattr(byte_source, "_EXPANSION_FLOOR", 16 << 20)


@pytest.mark.usefixtures("small_limit")
def test_a_bomb_is_told(tmp_path: Path) -> None:
    zeros = b"\0" * (5 << 19)
    data = build.zipped(
        {"AndroidManifest.xml": b"", **{f"assets/{n}.bin": zeros for n in range(8)}}
    )
    found, last, _ = inspect(written(tmp_path, "bomb.apk", data))
    assert "client-not-searched" in found
    assert any("not read to its end" in one for one in last.unread)


@pytest.mark.usefixtures("small_limit")
def test_a_bomb_before_the_code_is_told_as_well(tmp_path: Path) -> None:
    files = {f"{n}.bin": b"\0" * (4 << 20) for n in range(5)}
    data = build.zipped({**files, "AndroidManifest.xml": b"", "assets/app.js": KEY})
    found, last, _ = inspect(written(tmp_path, "first.apk", data))
    assert "client-not-searched" in found
    assert not any("inspector itself failed" in one for one in last.unread)


def test_an_archive_that_is_not_searched_is_told(tmp_path: Path) -> None:
    packed = build.zipped({"a.js": KEY})
    files = {"AndroidManifest.xml": b"", "assets/x.7z": b"7z", "a.js": b"1", "assets/w.zip": packed}
    found, last, _ = inspect(written(tmp_path, "a.apk", build.zipped(files)))
    told = [one for one in last.unread if "not searched" in one]
    assert len(told) == 1
    assert "!assets/x.7z: an archive in a package" in told[0]
    assert found["anthropic-key"].location.endswith("a.apk!assets/w.zip!a.js:1")


def test_bytes_that_no_entry_names_are_searched(tmp_path: Path) -> None:
    package = build.wxapkg({"app.json": b"{}", "app-service.js": b"App({})"})
    index = 14 + int.from_bytes(package[5:9], "big")
    archive = build.asar({"main.js": b"run()", "b.js": b"1"})
    for name, data in {
        "tail.wxapkg": package + KEY,
        "tail.asar": archive + b"/* */" + KEY,
    }.items():
        found, _, _ = inspect(written(tmp_path, name, data))
        assert "that no entry names" in found["anthropic-key"].location, name
    short = package[:index].replace(b"\0\0\0\7", b"\0\0\0\1") + package[index:]
    assert not inspect(written(tmp_path, "few.wxapkg", short))[0]  # 6 bytes are none


def test_each_application_in_an_ios_package_has_its_settings(tmp_path: Path) -> None:
    open_ = {"NSAppTransportSecurity": {"NSAllowsArbitraryLoads": True}}
    inner = {
        "PlugIns/Share.appex/Info.plist": plistlib.dumps(open_, fmt=plistlib.FMT_BINARY),
        "Frameworks/Kit.framework/Info.plist": plistlib.dumps({}, fmt=plistlib.FMT_BINARY),
    }
    found, _, every = inspect(written(tmp_path, "a.ipa", build.ipa({}, inner)))
    assert len(every) == 1
    assert "Share.appex" in found["ios-arbitrary-loads"].location


@pytest.mark.parametrize("form", ["base64", "percent"])
def test_a_source_map_that_a_script_holds(tmp_path: Path, form: str) -> None:
    mapped = json.dumps({"version": 3, "sources": ["a.ts"], "sourcesContent": [KEY.decode()]})
    coded = base64.b64encode(mapped.encode()).decode() if form == "base64" else quote(mapped)
    kind = ";charset=utf-8;base64" if form == "base64" else ""
    script = f"run();\n//# sourceMappingURL=data:application/json{kind},{coded}\n".encode()
    (tmp_path / "dist").mkdir()
    written(tmp_path / "dist", "app.js", script)
    written(tmp_path, "a.asar", build.asar({"main.js": script}))
    _, _, every = inspect(tmp_path)
    rules = [one.rule for one in every]
    assert (rules.count("anthropic-key"), rules.count("client-source-map")) == (2, 2)
    keys = sorted(one.location for one in every if one.rule == "anthropic-key")
    assert [one.rpartition("!")[2] for one in keys] == ["a.ts:1", "a.ts:1"]


@pytest.mark.parametrize("data", ["AAAA", "%7B", "e30", "!!!", ""])
def test_an_address_of_data_that_is_no_source_map(tmp_path: Path, data: str) -> None:
    (tmp_path / "dist").mkdir()
    script = f"run()\n//# sourceMappingURL=data:application/json;base64,{data}\n"
    written(tmp_path / "dist", "app.js", script.encode())
    assert not inspect(tmp_path)[2]


@pytest.mark.parametrize("ending", ["apk", "crx", "ipa", "xpi"])
@pytest.mark.parametrize("first", [True, False])
def test_a_name_that_stands_twice_hides_nothing(tmp_path: Path, ending: str, first: bool) -> None:
    named = {
        "apk": ("AndroidManifest.xml", "assets/b.js"),
        "ipa": ("Payload/A.app/Info.plist", "Payload/A.app/b.js"),
    }
    about, script = named.get(ending, ("manifest.json", "b.js"))
    path = tmp_path / f"a.{ending}"
    code = b'k="' + KEY + b'"'
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(about, b'{"manifest_version": 3}')
        archive.writestr(script, code if first else b"1;")
        archive.writestr(script, b"1;" if first else code)
    if ending == "crx":
        path.write_bytes(b"Cr24" + struct.pack("<II", 3, 0) + path.read_bytes())
    found, _, _ = inspect(path)
    assert found["client-name-twice"].message.startswith(f"The package holds {script}")
    assert "anthropic-key" in found


@pytest.mark.parametrize(
    "entry",
    [
        {"size": 1, "offset": "-1"},
        {"size": 1.5, "offset": "0"},
        {"size": "1", "offset": "0"},
        {"size": 10**12, "offset": "0"},
        "no object",
        {"files": []},
    ],
    ids=["negative", "float", "text", "huge", "no object", "no folder"],
)
def test_an_odd_entry_of_an_asar_hides_no_other(tmp_path: Path, entry: Any) -> None:
    code = b'k="' + KEY + b'"'
    digest = hashlib.sha256(code).hexdigest()
    main = {"size": len(code), "offset": "0", "integrity": {"hash": digest}}
    header = json.dumps({"files": {"decoy": entry, "main.js": main}}).encode()
    padded = header + bytes(-len(header) % 4)
    words = struct.pack("<IIII", 4, len(padded) + 8, len(padded) + 4, len(header))
    found, last, _ = inspect(written(tmp_path, "a.asar", words + padded + code))
    assert "anthropic-key" in found
    assert "client-not-searched" in found
    assert not any("inspector itself failed" in one for one in last.unread)


KEYED = b'var key = "' + KEY + b'"'


@pytest.mark.parametrize("first", [True, False])
def test_each_file_of_one_name_in_a_mini_program_is_searched(tmp_path: Path, first: bool) -> None:
    listed = {"a/app.js": KEYED, "b/app.js": b"var a = 1"}
    package = build.wxapkg(listed if first else dict(reversed(listed.items())))
    found = inspect(written(tmp_path, "a.wxapkg", package.replace(b"/b/app.js", b"/a/app.js")))[
        0
    ].keys()
    assert {"anthropic-key", "client-name-twice"} <= found


def test_an_entry_that_points_outside_hides_no_other_file(tmp_path: Path) -> None:
    package = bytearray(build.wxapkg({"a.js": b"var a = 1", "b.js": KEYED}))
    at = package.index(b"/a.js") + 5
    package[at : at + 4] = b"\xff\xff\xff\xf0"
    assert {"anthropic-key", "client-not-searched"} <= inspect(
        written(tmp_path, "a.wxapkg", bytes(package))
    )[0].keys()
    package = bytearray(build.wxapkg({"a.js": b"var a = 1", "b.js": KEYED}))
    package[14:18] = (1).to_bytes(4, "big")  # fewer files than the index lists
    assert inspect(written(tmp_path, "a.wxapkg", bytes(package)))[0].keys() == {
        "anthropic-key",
        "client-not-searched",
    }


def test_files_that_lie_over_each_other_are_not_read_for_ever(tmp_path: Path) -> None:
    text = b"var a = 1;" * 60_000
    package = build.wxapkg({"a.js": text} | {f"{one:03}.js": b"" for one in range(300)})
    entry = package[package.index(b"/a.js") + 5 :][:8]
    for one in range(300):
        at = package.index(f"/{one:03}.js".encode()) + 7
        package = package[:at] + entry + package[at + 8 :]
    found = inspect(written(tmp_path, "a.wxapkg", package))[2]
    assert [one.message for one in found if one.rule == "client-not-searched"] == [
        "Not all of the package is searched: it was not read to its end: its files overlap, so "
        "that it would be read over and over."
    ]


CALL = b'fetch("' + PLAIN.encode() + b'",{headers:{Authorization:"Bearer ' + KEY + b'"}})'


def packed(folder: Path, packaged: bool, files: Mapping[str, bytes]) -> Path:
    """A web bundle with these files, as a folder or in a browser extension."""
    if packaged:
        manifest = json.dumps({"manifest_version": 3, "name": "shop", "version": "1"}).encode()
        own = {"manifest.json": manifest, "worker.js": b"void 0"}
        return written(folder, "a.xpi", build.zipped({**own, **files}))
    for name, data in files.items():
        written(folder, name, data)
    return folder


@pytest.mark.parametrize("packaged", [False, True])
@pytest.mark.parametrize("ending", ["js.gz", "mjs.GZ", "min.js.zst", "html.gz"])
def test_a_bundle_that_is_only_there_compressed(
    tmp_path: Path, ending: str, packaged: bool
) -> None:
    if ending.endswith("zst"):
        data = pytest.importorskip("zstandard").ZstdCompressor().compress(CALL)
    else:
        data = gzip.compress(b"<script>" + CALL + b"</script>" if "html" in ending else CALL)
    found, _, _ = inspect(packed(tmp_path, packaged, {f"app.{ending}": data}))
    plain = f"app.{ending}".rpartition(".")[0]
    assert found["anthropic-key"].location.endswith(f"app.{ending}!{plain}:1")
    assert found["client-cleartext-request"].location.endswith(f"app.{ending}!{plain}:1")
    assert KEY.decode() not in found["anthropic-key"].proof


@pytest.mark.parametrize("packaged", [False, True])
def test_what_lies_there_as_it_is_too_is_searched_once(tmp_path: Path, packaged: bool) -> None:
    files = {"app.js": b"void 0", "app.js.gz": gzip.compress(CALL)}
    found, inspection, _ = inspect(packed(tmp_path, packaged, files))
    assert not [one for one in found if "key" in one or "request" in one]
    assert not inspection.unread


@pytest.mark.parametrize("packaged", [False, True])
@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.js.gz", gzip.compress(CALL)[:-20], "breaks off"),
        ("a.js.gz", b"\x1f\x8b" + bytes(range(200)), "damaged"),
        ("a.js.gz", gzip.compress(bytes(9 << 20)), "larger than 8,192 KiB"),
        ("a.js.br", bytes(range(128, 256)), "compressed with 'br'"),
    ],
)
def test_a_compressed_bundle_that_is_not_read_is_told(
    tmp_path: Path, name: str, data: bytes, why: str, packaged: bool
) -> None:
    found, inspection, _ = inspect(packed(tmp_path, packaged, {name: data}))
    assert why in found["client-not-searched"].message
    assert any(why in one for one in inspection.unread)


def test_brotli_is_read_where_its_package_is_installed(tmp_path: Path) -> None:
    data = pytest.importorskip("brotli").compress(CALL)
    written(tmp_path, "app.js.br", data)
    assert "anthropic-key" in inspect(tmp_path)[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"PK\5\6" + bytes(18), build.zipped({"a.js": b"1" * 500})[:60], b"Cr24\3\0"],
    ids=["empty", "text", "empty archive", "broken off", "head"],
)
@pytest.mark.parametrize("ending", ["apk", "IPA", "crx", "xapk", "asar", "hap"])
def test_a_file_that_is_no_package_for_all_its_name_is_told(
    tmp_path: Path, ending: str, data: bytes
) -> None:
    found, last, _ = inspect(written(tmp_path, f"a.{ending}", data))
    assert not found
    (told,) = last.unread
    assert told.startswith(f"a.{ending}: ")


def test_an_extension_whose_archive_broke_off_is_told(tmp_path: Path) -> None:
    whole = build.crx({"manifest.json": b"{}", "a.js": b"void 0;" * 100})
    _, last, _ = inspect(written(tmp_path, "a.crx", whole[: len(whole) - 40]))
    assert any("directory of files is missing" in one for one in last.unread)


@pytest.mark.parametrize("name", ["a.hap", "lower.IPA", "a.xapk"])
def test_any_archive_of_the_name_of_a_package_is_searched(tmp_path: Path, name: str) -> None:
    files = {"module.json": b"{}", "payload/A.app/main.js": CALL}
    assert "anthropic-key" in inspect(written(tmp_path, name, build.zipped(files)))[0]


def test_files_beside_an_asar_archive_are_delivered(tmp_path: Path) -> None:
    folder = tmp_path / "resources" / "app.asar.unpacked" / "lib"
    folder.mkdir(parents=True)
    written(folder, "main.js", CALL)
    assert "client-cleartext-request" in inspect(tmp_path)[0]
