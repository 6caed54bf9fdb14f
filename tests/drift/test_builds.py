"""Builds of clients: the same source built again is no change, what users get otherwise is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from buttress.drift.build_facts import build_facts
from buttress.errors import InputError
from tests.probes.client import build
from tests.watch.shop import BUILD, BUNDLES

APPID = "wx0123456789abcdef"
KEY = b"sk-ant-api03-" + b"Zk4pQ9vT2mXw7RbN1cLs" * 4 + b"YhGd3fJ6uE8oAiKx-5aWqAA"
Maker = Callable[[Mapping[str, bytes]], bytes]


def android(files: Mapping[str, bytes], *more: Any, **settings: object) -> bytes:
    return build.zipped(
        {
            "AndroidManifest.xml": build.axml(build.manifest(settings, more)),
            "classes.dex": b"dex\n035\0" + bytes(64) + b"https://api.shop.example/v1\0",
            **files,
        }
    )


MAKERS: dict[str, Maker] = {
    "app.apk": android,
    "app.ipa": lambda files: build.ipa(
        {"CFBundleIdentifier": "shop.bot"}, {f"www/{name}": one for name, one in files.items()}
    ),
    "app.asar": build.asar,
    "app.crx": lambda files: build.crx(
        {"manifest.json": b'{"manifest_version": 3, "version": "1", "permissions": ["storage"]}',
         "p.html": b"<p>", **files}
    ),
    "app.wxapkg": lambda files: build.wxapkg({"app-config.json": b'{"pages": ["a"]}', **files}),
    "secret.wxapkg": lambda files: build.encrypted(
        build.wxapkg({"app-config.json": b'{"pages": ["a"]}', **files}) + bytes(1500), APPID
    ),
}  # fmt: skip


def facts(folder: Path, name: str, data: bytes) -> dict[str, str]:
    path = folder / name
    path.write_bytes(data)
    return build_facts(path, appid=APPID)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_built_again_is_the_same_and_what_is_added_shows(name: str, tmp_path: Path) -> None:
    make = MAKERS[name]
    first = facts(tmp_path, name, make({"app.js": BUNDLES[0].encode(), "other.js": b"let a=1"}))
    again = BUNDLES[0].replace(BUILD, "90bb77a").encode()
    assert facts(tmp_path, name, make({"other.js": b"let b=1;", "app.js": again})) == first
    assert "power localStorage" in first
    more = facts(tmp_path, name, make({"app.js": BUNDLES[0].encode() + b";eval(x)"}))
    assert more.keys() - first.keys() == {"power eval"}


def test_permissions_components_and_settings_of_android(tmp_path: Path) -> None:
    plain = facts(tmp_path, "a.apk", android({}))
    assert plain["permission android.permission.INTERNET"] == ""
    assert plain["endpoint https://api.shop.example/v1"] == ""
    service = ("service", {"name": ".Chat", "exported": True}, [])
    guarded = ("service", {"name": ".Own", "exported": True, "permission": "shop.OWN"}, [])
    hidden = ("receiver", {"name": ".In", "exported": False}, [])
    weak = facts(tmp_path, "b.apk", android({}, service, guarded, hidden, debuggable=True))
    assert {name: weak[name] for name in weak.keys() - plain.keys()} == {
        "setting debuggable": "true",
        "component service .Chat": "exported to anybody",
        "component service .Own": "exported, needs shop.OWN",
    }


def test_models_and_keys_in_a_package(tmp_path: Path) -> None:
    first = facts(tmp_path, "a.apk", android({"assets/m.tflite": b"TFL3 one"}))
    held = {"assets/m.tflite": b"TFL3 two", "k.js": b"k='" + KEY + b"'"}
    second = facts(tmp_path, "a.apk", android(held))
    assert first["model assets/m.tflite"] != second["model assets/m.tflite"]
    assert second.keys() - first.keys() == {"credential anthropic-key"}


def test_a_package_in_a_package(tmp_path: Path) -> None:
    data = build.zipped({"base.apk": android({"a.js": b"eval(x)"})})
    found = facts(tmp_path, "all.apks", data)
    assert {"power eval", "permission android.permission.INTERNET"} <= found.keys()


def test_an_extension_tells_where_it_runs(tmp_path: Path) -> None:
    manifest = {
        "manifest_version": 3, "version": "1", "host_permissions": ["<all_urls>"],
        "content_scripts": [{"matches": ["https://mail.example/*"], "js": ["a.js"]}],
    }  # fmt: skip
    files = {"manifest.json": json.dumps(manifest).encode(), "a.js": b"1"}
    found = facts(tmp_path, "a.crx", build.crx(files))
    assert {"host_permissions <all_urls>", "content-script https://mail.example/*"} <= found.keys()


def test_a_folder_is_the_sum_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text("<script src='https://cdn.example/a.js'></script>")
    (tmp_path / "sub" / "app.3f2a9c1b.js").write_text("fetch('/api/chat')")
    found = build_facts(tmp_path)
    assert set(found) == {"script https://cdn.example/a.js", "endpoint /api/chat"}


def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    cut = tmp_path / "b.wxapkg"
    cut.write_bytes(build.wxapkg({"a.js": b"b" * 40})[:20])
    with pytest.raises(InputError, match=r"b\.wxapkg: not read"):
        build_facts(cut)
    encrypted = tmp_path / "c.wxapkg"
    encrypted.write_bytes(build.encrypted(build.wxapkg({"a": bytes(2000)}), APPID))
    with pytest.raises(InputError, match="encrypted mini-program"):
        build_facts(encrypted)
    with pytest.raises(InputError, match="not read"):
        build_facts(tmp_path / "none.apk")
