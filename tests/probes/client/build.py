"""Builds packages of clients, from the descriptions of their formats."""

from __future__ import annotations

import hashlib
import io
import json
import plistlib
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ANDROID = "http://schemas.android.com/apk/res/android"
NUMBERS = {
    "name": 0x01010003, "permission": 0x01010006, "debuggable": 0x0101000F, "exported": 0x01010010,
    "minSdkVersion": 0x0101020C, "targetSdkVersion": 0x01010270, "allowBackup": 0x01010280,
    "usesCleartextTraffic": 0x010104EC, "networkSecurityConfig": 0x01010527,
}  # fmt: skip
Node = tuple[str, Mapping[str, Any], Sequence[Any]]  # name, attributes, children


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


class Reference(int):
    """A reference to a resource, by its number."""


def axml(root: Node, *, lying_names: bool = False) -> bytes:
    """Binary XML; with ``lying_names`` the names of attributes are not what their numbers say."""
    strings: list[str] = []

    def index(text: str) -> int:
        if text not in strings:
            strings.append(text)
        return strings.index(text)

    names = list(NUMBERS)
    for name in names:
        strings.append(f"lie-{name}" if lying_names else name)
    body = b""

    def value(given: Any) -> tuple[int, int, int]:
        if isinstance(given, bool):
            return 0xFFFFFFFF, 0x12, 0xFFFFFFFF if given else 0
        if isinstance(given, Reference):
            return 0xFFFFFFFF, 0x01, int(given)
        if isinstance(given, int):
            return 0xFFFFFFFF, 0x10, given
        return index(given), 0x03, index(given)

    def write(node: Node) -> None:
        nonlocal body
        name, attributes, children = node
        rows = b""
        for key, given in attributes.items():
            raw, kind, data = value(given)
            own = key in NUMBERS and name != "manifest"
            space = index(ANDROID) if own else 0xFFFFFFFF
            place = names.index(key) if own else index(key)
            rows += struct.pack("<IIIHBBI", space, place, raw, 8, 0, kind, data)
        head = struct.pack(
            "<IIIIHHHHHH", 1, 0xFFFFFFFF, 0xFFFFFFFF, index(name), 20, 20, len(attributes), 0, 0, 0
        )
        body += struct.pack("<HHI", 0x0102, 16, 8 + len(head) + len(rows)) + head + rows
        for child in children:
            if isinstance(child, str):
                text = struct.pack("<IIIHBBI", 1, 0xFFFFFFFF, index(child), 8, 0, 0, 0)
                body += struct.pack("<HHI", 0x0104, 16, 8 + len(text)) + text
            else:
                write(child)
        tail = struct.pack("<IIII", 1, 0xFFFFFFFF, 0xFFFFFFFF, index(name))
        body += struct.pack("<HHI", 0x0103, 16, 24) + tail

    write(root)
    pool = string_pool(strings)
    numbers = struct.pack(f"<{len(names)}I", *(NUMBERS[name] for name in names))
    numbers = struct.pack("<HHI", 0x0180, 8, 8 + len(numbers)) + numbers
    whole = pool + numbers + body
    return struct.pack("<HHI", 0x0003, 8, 8 + len(whole)) + whole


def string_pool(strings: Sequence[str], *, utf8: bool = False) -> bytes:
    """A pool of strings."""
    offsets, data = b"", b""
    for text in strings:
        offsets += struct.pack("<I", len(data))
        if utf8:
            raw = text.encode()
            data += bytes([len(text), len(raw)]) + raw + b"\0"
        else:
            data += struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"
    data += b"\0" * (-len(data) % 4)
    start = 28 + len(offsets)
    flags = 0x100 if utf8 else 0
    return (
        struct.pack("<HHIIIIII", 0x0001, 28, start + len(data), len(strings), 0, flags, start, 0)
        + offsets
        + data
    )


def arsc(values: Mapping[int, str]) -> bytes:
    """A table of resources: numbers (0x7fTTEEEE, of one type) and their strings."""
    texts = list(values.values())
    number = next(iter(values))
    entries = {one & 0xFFFF: texts.index(text) for one, text in values.items()}
    count = max(entries) + 1
    offsets, data = b"", b""
    for entry in range(count):
        if entry in entries:
            offsets += struct.pack("<I", len(data))
            data += struct.pack("<HHI", 8, 0, 0) + struct.pack("<HBBI", 8, 0, 3, entries[entry])
        else:
            offsets += struct.pack("<I", 0xFFFFFFFF)
    header = 8 + 12 + 64
    config = struct.pack("<I", 64) + bytes(60)
    row = struct.pack("<BBHII", number >> 16 & 0xFF, 0, 0, count, header + len(offsets)) + config
    kind = struct.pack("<HHI", 0x0201, header, header + len(offsets) + len(data)) + row
    kind += offsets + data
    head = struct.pack("<I", number >> 24) + bytes(256) + struct.pack("<IIIII", 0, 0, 0, 0, 0)
    package = struct.pack("<HHI", 0x0200, 8 + len(head), 8 + len(head) + len(kind)) + head + kind
    whole = string_pool(texts, utf8=True) + package
    return struct.pack("<HHII", 0x0002, 12, 12 + len(whole), 1) + whole


def manifest(
    application: Mapping[str, Any], components: Sequence[Node] = (), target: int = 34
) -> Node:
    """The elements of a manifest."""
    return (
        "manifest",
        {"package": "shop.bot"},
        [
            ("uses-sdk", {"minSdkVersion": 26, "targetSdkVersion": target}, []),
            ("uses-permission", {"name": "android.permission.INTERNET"}, []),
            ("application", application, components),
        ],
    )


def signed(archive: bytes, schemes: Sequence[int] = (0x7109871A,), content: bytes = b"x") -> bytes:
    """An archive with a signing block in front of its directory."""
    at = archive.rindex(b"PK\5\6")
    start = int.from_bytes(archive[at + 16 : at + 20], "little")
    pairs = b"".join(struct.pack("<QI", 4 + len(content), scheme) + content for scheme in schemes)
    size = len(pairs) + 24
    block = struct.pack("<Q", size) + pairs + struct.pack("<Q", size) + b"APK Sig Block 42"
    end = archive[at : at + 16] + struct.pack("<I", start + len(block)) + archive[at + 20 :]
    return archive[:start] + block + archive[start:at] + end


def asar(files: Mapping[str, bytes], *, digests: bool = True, wrong: str = "") -> bytes:
    """An Electron archive; the digest of the file ``wrong`` is another."""
    tree: dict[str, Any] = {"files": {}}
    data = b""
    for name, content in files.items():
        *folders, last = name.split("/")
        node = tree
        for folder in folders:
            node = node["files"].setdefault(folder, {"files": {}})
        entry: dict[str, Any] = {"size": len(content), "offset": str(len(data))}
        if digests:
            digest = hashlib.sha256(content + (b"x" if name == wrong else b"")).hexdigest()
            entry["integrity"] = {"algorithm": "SHA256", "hash": digest, "blocks": [digest]}
        node["files"][last] = entry
        data += content
    text = json.dumps(tree).encode()
    padded = text + b"\0" * (-len(text) % 4)
    return struct.pack("<IIII", 4, len(padded) + 8, len(padded) + 4, len(text)) + padded + data


def wxapkg(files: Mapping[str, bytes]) -> bytes:
    """A mini-program's package."""
    length = 4 + sum(12 + len(name.encode()) + 1 for name in files)
    at = 14 + length
    index = struct.pack(">I", len(files))
    for name, content in files.items():
        raw = f"/{name}".encode()
        index += struct.pack(">I", len(raw)) + raw + struct.pack(">II", at, len(content))
        at += len(content)
    data = b"".join(files.values())
    return struct.pack(">BIIIB", 0xBE, 0, len(index), len(data), 0xED) + index + data


def encrypted(package: bytes, appid: str) -> bytes:
    """The package as the desktop client keeps it."""
    key = PBKDF2HMAC(SHA1(), 32, b"saltiest", 1000).derive(appid.encode())
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b"the iv: 16 bytes")).encryptor()
    first = package[:1023].ljust(1023, b"\0") + b"\1"
    rest = bytes(byte ^ ord(appid[-2]) for byte in package[1023:])
    return b"V1MMWX" + encryptor.update(first) + encryptor.finalize() + rest


def crx(files: Mapping[str, bytes], version: int = 3) -> bytes:
    """A signed extension; its signature is not a real one."""
    if version == 2:
        return b"Cr24" + struct.pack("<III", 2, 3, 5) + b"keysigns" + zipped(files)
    header = bytes([0x12, 4]) + b"abcd"
    return b"Cr24" + struct.pack("<II", 3, len(header)) + header + zipped(files)


def ipa(plist: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """An application for iOS, its property list in binary form."""
    data = plistlib.dumps(dict(plist), fmt=plistlib.FMT_BINARY)
    inner = {f"Payload/Bot.app/{name}": content for name, content in files.items()}
    return zipped({"Payload/Bot.app/Info.plist": data, **inner})


def mach_o(*, encrypted_code: bool) -> bytes:
    """The beginning of a program for 64-bit ARM with the command that tells of encryption."""
    command = struct.pack("<IIIIII", 0x2C, 24, 0x4000, 0x8000, int(encrypted_code), 0)
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 2, 1, len(command), 0, 0)
    return header + command + bytes(256)


def dex(
    texts: Sequence[str], calls: Sequence[tuple[str, str, str]] = (), code: bytes = b""
) -> bytes:
    """A Dalvik executable with these strings, and code that gives a text to a method of a class.

    ``code`` follows it. Strings are in the order of the arguments, then come names of classes and
    of methods; both are numbered as the calls are.
    """
    pool = [*texts, *(f"L{of.replace('.', '/')};" for _, of, _ in calls), *(m for *_, m in calls)]
    body = b""
    for number, (text, _, _) in enumerate(calls):  # const-string v0; invoke-direct {v1, v0}; return
        body += struct.pack("<BBH", 0x1A, 0, pool.index(text))
        body += struct.pack("<BBHH", 0x70, 0x20, number, 0x0001) + b"\x0e\0"
    body += code
    ids = 112
    types = ids + 4 * len(pool)
    methods = types + 4 * len(calls)
    data = methods + 8 * len(calls) + len(body)
    offsets, content = b"", b""
    for one in pool:
        offsets += struct.pack("<I", data + len(content))
        length = len(one.encode("utf-16-le")) // 2
        content += bytes([length] if length < 128 else [length & 127 | 128, length >> 7])
        content += one.encode() + b"\0"
    first = len(texts)
    rows = b"".join(struct.pack("<I", first + number) for number in range(len(calls)))
    for number in range(len(calls)):
        rows += struct.pack("<HHI", number, 0, first + len(calls) + number)
    head = struct.pack("<II", 112, 0x12345678) + struct.pack("<III", 0, 0, 0)
    head += struct.pack("<IIII", len(pool), ids, len(calls), types)
    head += struct.pack("<IIIIII", 0, 0, 0, 0, len(calls), methods)
    whole = head + struct.pack("<IIII", 0, 0, len(body), types + len(rows))
    size = data + len(content)
    start = b"dex\n035\0" + bytes(24) + struct.pack("<I", size) + whole
    return start + offsets + rows + body + content
