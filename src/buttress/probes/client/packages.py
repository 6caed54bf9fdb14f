"""What kind of package a file is, and the files in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from buttress.files import asar, wxapkg
from buttress.files.asar import AsarFile
from buttress.files.byte_source import ByteSource, BytesSource, ResourceMeter, Slice
from buttress.files.protobuf_wire import WireError
from buttress.files.wxapkg import WxapkgFile
from buttress.files.zip_reader import LOCAL, directories
from buttress.probes.client import signed_extension
from buttress.probes.client.members import Members, StoredMembers, ZipMembers

Kind = Literal[
    "android", "android-bundle", "ios", "electron", "extension", "mini-program", "bundle"
]
MAX_ENCRYPTED: Final = 64 << 20  # bytes of a mini-program that is decrypted as a whole
_NESTED: Final = (".apk", ".ipa", ".crx", ".asar", ".wxapkg", ".aab")
_PACKED: Final = (*_NESTED, ".zip")  # what is searched in a package; alone a ZIP may be anything
_LEAST_UNNAMED: Final = 8  # bytes between files that no entry names
_MOST_UNNAMED: Final = 1_000
ENDINGS: Final = (*_NESTED, ".xapk", ".apks", ".apkm", ".xpi", ".hap")
_NO_DIRECTORY: Final = "its directory of files is missing or empty, as in a copy that broke off"
_WEB: Final = (".html", ".htm")


class PackageError(Exception):
    """A package is not read; the message says why. ``searched``: whether it should have been."""


@dataclass(frozen=True, slots=True)
class ClientPackage:
    """A package. ``root`` is the folder in it that holds the application, "" or ending in ``/``.

    ``asar`` are the files in an Electron archive as its header lists them, with their digests;
    ``wrong`` says what is wrong with entries that were left out.
    """

    kind: Kind
    members: Members
    source: ByteSource
    root: str = ""
    asar: tuple[AsarFile, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def nested(self) -> Iterable[str]:
        """Names of the packages in it."""
        return (name for name in self.members.names if name.lower().endswith(_PACKED))


def open_package(
    source: ByteSource, meter: ResourceMeter, appid: str = "", *, any_archive: bool = False
) -> ClientPackage | None:
    """The package that a source is, None where it is of no such kind.

    Args:
        source: the file.
        meter: what may be spent on it.
        appid: of the mini-program, for one that is encrypted.
        any_archive: whether any ZIP archive is one, as in packages, and by its name.

    Raises:
        PackageError: it is such a package and can't be read.
    """
    head = source.read_at(0, 32)
    try:
        if asar.matches(head):
            listed, wrong = asar.read(source)
            files = tuple(one for one in listed if not one.unpacked)
            members = StoredMembers(source, [*files, *_unnamed(files, asar.start(head), source)])
            return ClientPackage("electron", members, source, asar=files, wrong=tuple(wrong))
        if wxapkg.matches(head):
            plain = _decrypted(source, appid) if head.startswith(wxapkg.ENCRYPTED) else source
            pages, wrong = wxapkg.read(plain)
            start = wxapkg.start(plain.read_at(0, 32))
            members = StoredMembers(plain, [*pages, *_unnamed(pages, start, plain)])
            return ClientPackage("mini-program", members, plain, wrong=tuple(wrong))
        if head.startswith(signed_extension.MAGIC):
            start = signed_extension.archive_start(source)
            inner = Slice(source, start, source.size - start)
            archived = ZipMembers(inner, meter)
            if not archived.names:
                raise PackageError(_NO_DIRECTORY)
            return ClientPackage("extension", archived, source)
    except (asar.AsarError, wxapkg.WxapkgError, WireError) as error:
        raise PackageError(str(error)) from None
    if head.startswith(LOCAL) or (source.size > 22 and directories(source)):
        return _zipped(source, meter, any_archive=any_archive)
    return None


def _unnamed(
    files: Sequence[AsarFile | WxapkgFile], start: int, source: ByteSource
) -> list[WxapkgFile]:
    """The bytes behind ``start`` that no entry names, and that users get all the same."""
    found: list[WxapkgFile] = []
    for one in [*sorted(files, key=lambda one: one.offset), WxapkgFile("", source.size, 0)]:
        if one.offset - start >= _LEAST_UNNAMED and len(found) < _MOST_UNNAMED:
            name = f"bytes at {start} that no entry names"
            found.append(WxapkgFile(name, start, one.offset - start))
        start = max(start, one.offset + one.size)
    return found


def _zipped(source: ByteSource, meter: ResourceMeter, *, any_archive: bool) -> ClientPackage | None:
    members = ZipMembers(source, meter)
    names = set(members.names)
    if any_archive and not names:
        raise PackageError(_NO_DIRECTORY)
    if "AndroidManifest.xml" in names:
        return ClientPackage("android", members, source)
    if "base/manifest/AndroidManifest.xml" in names or "BundleConfig.pb" in names:
        return ClientPackage("android-bundle", members, source)
    for name in members.names:
        parts = name.split("/")
        if len(parts) == 3 and parts[0] == "Payload" and parts[2] == "Info.plist":
            return ClientPackage("ios", members, source, f"Payload/{parts[1]}/")
    top = _only_folder(members.names)
    if f"{top}manifest.json" in names and any(name.endswith((".js", *_WEB)) for name in names):
        return ClientPackage("extension", members, source, top)
    if any_archive or any(name.lower().endswith(_NESTED) for name in names):
        return ClientPackage("bundle", members, source)
    return None


def _only_folder(names: Sequence[str]) -> str:
    """The folder that holds all files, as in archives of releases; "" where they lie apart."""
    tops = {name.partition("/")[0] for name in names if not name.startswith("__MACOSX/")}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _decrypted(source: ByteSource, appid: str) -> ByteSource:
    if not appid:
        raise PackageError(
            "an encrypted mini-program; its owner can name the application: --set appid=wx…"
        )
    if source.size > MAX_ENCRYPTED:
        raise PackageError(f"an encrypted mini-program of more than {MAX_ENCRYPTED >> 20} MiB")
    parts = bytearray()
    while data := source.read_at(len(parts), 8 << 20):
        parts += data
    try:
        return BytesSource(wxapkg.decrypt(bytes(parts), appid))
    except ImportError:
        raise PackageError(
            "an encrypted mini-program; the package 'cryptography' is missing"
        ) from None
