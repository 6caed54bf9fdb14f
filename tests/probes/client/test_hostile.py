"""Untrusted bytes of every kind: never an exception, always an inspection."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.client.probe import PROBE
from buttress.protocols.inspection import InspectionContext

from . import build
from .test_packages import NETWORK, weak_android

quick = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
PACKAGES = {
    "a.apk": weak_android(),
    "b.apk": build.signed(build.zipped({"AndroidManifest.xml": build.axml(NETWORK)})),
    "a.ipa": build.ipa({"a": {"b": [1, "x"]}}, {"Bot": build.mach_o(encrypted_code=False)}),
    "a.asar": build.asar({"a/b.js": b"var a=1", "c.html": b"<html>"}),
    "a.crx": build.crx({"manifest.json": b'{"manifest_version": 3}', "a.js": b"1"}),
    "a.wxapkg": build.wxapkg({"app-config.json": b'{"pages": []}', "app-service.js": b"1"}),
    "b.wxapkg": build.encrypted(build.wxapkg({"a.js": b"1" * 2_000}), "wx0123456789abcdef"),
    "AndroidManifest.xml": b'<manifest><application debuggable="true"/></manifest>',
    "Info.plist": b"<plist><dict><key>a</key><string>b</string></dict></plist>",
    "manifest.json": b'{"manifest_version": 3, "permissions": ["<all_urls>"]}',
    "app.js.map": b'{"version": 3, "sources": ["a"], "sourcesContent": ["b"]}',
    "index.html": b"<script src=//a.shop.io/b.js>",
}
OWNER = PROBE.with_options(appid="wx0123456789abcdef")


def scan(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    *findings, last = OWNER.inspect(InspectionContext.at("app", folder / name))
    assert isinstance(last, Inspection)
    for one in findings:
        assert isinstance(one, Finding)
        assert (one.message + one.proof + one.location).isprintable()
    assert not any("inspector itself failed" in note for note in last.unread), last.unread


@quick
@given(name=st.sampled_from(sorted(PACKAGES)), seed=st.integers(0, 2**32))
def test_mutated_packages(tmp_path: Path, name: str, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(PACKAGES[name])
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        size = rng.choice([0, 1, 1, 2, 4, 8])
        data[at : at + size] = rng.choice(
            [rng.randbytes(size), b"\0" * size, b"\xff" * size, b"", rng.randbytes(4)]
        )
        data = data or bytearray(b"x")
    scan(tmp_path, name, bytes(data))


@quick
@given(name=st.sampled_from(sorted(PACKAGES)), cut=st.floats(0, 1), rest=st.binary(max_size=200))
def test_cut_packages(tmp_path: Path, name: str, cut: float, rest: bytes) -> None:
    whole = PACKAGES[name]
    scan(tmp_path, name, whole[: int(cut * len(whole))] + rest)


@quick
@given(document=st.binary(max_size=400), head=st.booleans())
def test_any_binary_xml(tmp_path: Path, document: bytes, head: bool) -> None:
    start = build.axml(NETWORK)[:300] if head else b"\3\0\10\0"
    scan(tmp_path, "a.apk", build.zipped({"AndroidManifest.xml": start + document}))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("manifest.json", b'{"manifest_version": 3, "a": ' + b"[" * 50_000),
        ("Info.plist", b"<plist>" + b"<dict><key>a</key>" * 20_000),
        ("AndroidManifest.xml", b"<manifest>" + b"<application>" * 50_000),
        (
            "AndroidManifest.xml",
            b'<!DOCTYPE a [<!ENTITY b "c">]><manifest><application d="&b;"/></manifest>',
        ),
        ("a.asar", build.asar({"/".join("d" * 200) + "/a.js": b"1"})),
        ("a.js.map", b'{"sourcesContent": ' + b"[" * 100_000),
        ("app.min.js", b'role:"system",content:"' * 50_000),
        ("app.min.js", b"var a=1;" * 500_000),
    ],
)
def test_depth_and_length(tmp_path: Path, name: str, data: bytes) -> None:
    scan(tmp_path, name, data)
