"""The inspection of one package: its facts, and every file in it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from buttress.evidence.findings import Finding
from buttress.evidence.locations import Location
from buttress.files import dex
from buttress.files.byte_source import ByteSource, BytesSource, ExpansionError, ResourceMeter
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.visible import shortened
from buttress.probes.client import (
    android_xml,
    bundle_manifest,
    credentials,
    precompressed,
    programs,
    texts,
)
from buttress.probes.client.android_resources import ResourceTable
from buttress.probes.client.binary_text import BinaryText, binary_text, one_a_line
from buttress.probes.client.javascript_libraries import Library, LibraryRules
from buttress.probes.client.markup import MarkupError
from buttress.probes.client.members import PIECE, MemberError, read
from buttress.probes.client.packages import ENDINGS, ClientPackage, PackageError, open_package
from buttress.probes.client.signing_block import signatures
from buttress.rules.credentials.scanner import SecretRules
from buttress.rules.reporting import WHOLE_FILE, Issue, Reporter
from buttress.rules.subject import Subject, SubjectMatcher, at_line

MAX_NESTED: Final = 96 << 20  # bytes of a package in a package
_MAX_DEPTH: Final = 3  # packages in packages
_MAX_TABLE: Final = 64 << 20  # bytes of a table of resources
_MOST_WRONG: Final = 20  # entries of an archive that are told
_OVERLAP: Final = 64 << 10
_HEAD: Final = 8192  # bytes that tell text from binary
_LONG_LINE: Final = 400  # characters of a line whose beginning proves nothing
_APPLICATION: Final = re.compile(r"\.(?:app|appex)/Info\.plist$")  # extensions and watches too
_ARCHIVE: Final = re.compile(r".*\.(?:jar|tgz|tar|gz|br|zst|bz2|xz|7z|rar)", re.I | re.S)
_MEDIA: Final = re.compile(
    r"(?i).*\.(?:png|jpe?g|webp|gif|bmp|ico|mp[34]|m4a|ogg|wav|webm|ttf|otf|woff2?|eot|car|nib|mo)"
)
_MANIFEST: Final = "AndroidManifest.xml"
_RESOURCES: Final = "resources.arsc"
_NETWORK: Final = b"network-security"
_ADDRESS: Final = re.compile(rb"^(?:http|ws)://")


@dataclass(slots=True)
class PackageInspector:
    """Looks into packages.

    ``libraries`` are rules about JavaScript libraries, where there are any.
    """

    reporter: Reporter
    matcher: SubjectMatcher
    secrets: SecretRules
    reading: SourceReading
    libraries: LibraryRules | None = None
    appid: str = ""
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def inspect(
        self, source: ByteSource, meter: ResourceMeter, file: SourceFile, depth: int = 0
    ) -> Iterator[Finding]:
        """Findings in a file that may be a package.

        Args:
            source: its bytes.
            meter: what may be spent on it.
            file: its location, and where it lies in another package.
            depth: packages around it.
        """
        if depth == 0:
            self._told.clear()
        try:
            named = not file.member and file.location.lower().endswith(ENDINGS)
            package = open_package(source, meter, self.appid, any_archive=depth > 0 or named)
            if package is None:
                if named:
                    self.reading.record_unread(_shown(file), "it is no package that can be read")
                return
            if depth == 0:
                self.reading.files += 1
                self.reading.bytes += source.size
            yield from self._package(package, file, meter, depth)
        except PackageError as error:
            self.reading.record_unread(_shown(file), str(error))
        except ExpansionError as error:
            yield from self._limit(file, f"it was not read to its end: {error}")

    def _package(
        self, package: ClientPackage, file: SourceFile, meter: ResourceMeter, depth: int
    ) -> Iterator[Finding]:
        yield from self._facts(package, file)
        for what in package.wrong[:_MOST_WRONG]:
            yield from self._limit(file, f"a file in it was left out: {what}")
        left: Counter[str] = Counter()
        nested = frozenset(package.nested)
        names = frozenset(package.members.names)
        for name in package.members.names:
            member = replace(file, member=f"{file.member}!{shortened(name)}")
            try:
                if name in nested:
                    yield from self._nested(package, name, member, meter, depth)
                elif _MEDIA.fullmatch(name):
                    left["pictures, sounds and fonts"] += 1
                elif precompressed.plain_name(name):
                    if precompressed.is_alone(name, names):
                        yield from self._compressed(package, name, member, meter)
                else:
                    if _ARCHIVE.fullmatch(name):
                        why = "an archive in a package: what is packed in it is not searched"
                        self.reading.record_unread(_shown(member), why)
                    with self.reading.surviving(_shown(member), MemberError, ExpansionError):
                        yield from self._member(package, name, member)
            except MemberError as error:
                yield from self._limit(member, f"a file in it can't be read: {error}")
        for what, number in left.items():
            self.reading.count(f"{what} in packages", number)

    def _nested(
        self,
        package: ClientPackage,
        name: str,
        member: SourceFile,
        meter: ResourceMeter,
        depth: int,
    ) -> Iterator[Finding]:
        if depth + 1 >= _MAX_DEPTH:
            yield from self._limit(member, f"packages are nested more than {_MAX_DEPTH} deep")
        elif package.members.size(name) > MAX_NESTED:
            yield from self._limit(member, f"a package in it is larger than {MAX_NESTED >> 20} MiB")
        else:
            data = read(package.members, name, MAX_NESTED)
            yield from self.inspect(BytesSource(data), meter, member, depth + 1)

    def _compressed(
        self, package: ClientPackage, name: str, member: SourceFile, meter: ResourceMeter
    ) -> Iterator[Finding]:
        data = read(package.members, name, texts.MAX_SCRIPT)
        try:
            text = precompressed.text(member, data, meter)
        except precompressed.PrecompressedError as error:
            yield from self._limit(member, str(error))
        else:
            with self.reading.surviving(_shown(text)):
                yield from self._text(text, precompressed.plain_name(name), whole=True)

    def _limit(self, file: SourceFile, why: str) -> Iterator[Finding]:
        self.reading.record_unread(_shown(file), why)
        yield from self._issues(file, [Subject("limit", why, at_line(1))], whole=True)

    def _issues(
        self, file: SourceFile, subjects: Iterable[Subject], *, whole: bool = False
    ) -> Iterator[Finding]:
        """Findings about subjects of a text, each once in a package."""
        issues: list[Issue] = []
        for subject in subjects:
            issues += self.matcher.issues(subject)
        if whole:
            issues = [replace(one, line=WHOLE_FILE, proof="") for one in issues]
        elif max(map(len, file.data.split(b"\n")), default=0) > _LONG_LINE:
            issues = [self._with_proof(one) for one in issues]
        for finding in self.reporter.findings(file, issues, self.reading):
            yield from self._once(finding)

    def _with_proof(self, issue: Issue) -> Issue:
        """Of a minified text: what matched, not how its only line begins."""
        return replace(issue, proof="" if self.matcher.rules[issue.rule].secret else issue.it)

    def _once(self, finding: Finding) -> Iterator[Finding]:
        key = (finding.rule, finding.location, finding.message)
        if key not in self._told:
            self._told.add(key)
            yield finding

    def _facts(self, package: ClientPackage, file: SourceFile) -> Iterator[Finding]:
        facts: list[str] = []
        facts += (f"name-twice: {shortened(name)}" for name in package.members.repeated)
        if package.kind == "android":
            found = signatures(package.source, package.members)
            if not found.schemes:
                facts.append("android-unsigned")
            elif found.schemes == {1}:
                facts.append("android-old-signature")
            if found.debug_key:
                facts.append("android-debug-key")
        elif package.kind == "electron":
            entries = package.asar
            if entries and not any(one.sha256 for one in entries):
                facts.append("electron-no-integrity")
            facts += (
                f"electron-changed-file: {one.name}"
                for one in entries
                if one.sha256 and _digest(package, one.name) != one.sha256
            )
        yield from self.facts(file, facts)

    def facts(self, file: SourceFile, facts: Iterable[str]) -> Iterator[Finding]:
        """Findings about facts of a whole file."""
        subjects = [Subject("package", {"fact": fact}, at_line(1)) for fact in facts]
        yield from self._issues(file, subjects, whole=True)

    def _member(self, package: ClientPackage, name: str, member: SourceFile) -> Iterator[Finding]:
        if _is_manifest(package, name):
            yield from self._android(package, name, member)
        elif package.kind == "ios" and _APPLICATION.search(name):
            yield from self._property_list(package, name, member)
        elif name.endswith(".xml") and package.kind.startswith("android"):
            head = read(package.members, name, _HEAD)
            binary = b"\0" in head or package.kind == "android-bundle"
            yield from (self._android if binary else self._content)(package, name, member)
        else:
            yield from self._content(package, name, member)

    def _android(self, package: ClientPackage, name: str, member: SourceFile) -> Iterator[Finding]:
        data = read(package.members, name, android_xml.MAX_BYTES)
        if not _is_manifest(package, name) and _NETWORK not in data.replace(b"\0", b""):
            return
        try:
            if package.kind == "android-bundle":
                root = bundle_manifest.parse(data)
            else:
                root = texts.decoded_xml(data, _resolver(package))
        except MarkupError as error:
            self.reading.record_unread(_shown(member), str(error))
            return
        if kind := texts.android_kind(root):
            text, subject = texts.android(root, kind, member)
            yield from self._issues(text, [subject])
            yield from self._credentials(text)

    def _property_list(
        self, package: ClientPackage, name: str, member: SourceFile
    ) -> Iterator[Finding]:
        try:
            data = texts.property_list(read(package.members, name, texts.MAX_MARKUP))
        except MarkupError as error:
            self.reading.record_unread(_shown(member), str(error))
            return
        text, subject = texts.property_list_as_json(data, member)
        yield from self._issues(text, [subject])
        yield from self._credentials(text)

    def _content(self, package: ClientPackage, name: str, member: SourceFile) -> Iterator[Finding]:
        size = package.members.size(name)
        pieces = package.members.pieces(name)
        first = next(pieces, b"")
        if first.startswith(dex.MAGIC):
            if size <= dex.MAX_BYTES:
                rest = yield from self._dalvik(b"".join([first, *pieces]), member)
                yield from self._pieces(rest, size, name, member)
                return
            yield from self._limit(member, f"code of more than {dex.MAX_BYTES >> 20} MiB")
        yield from self._pieces(chain([first], pieces), size, name, member)

    def _pieces(
        self, pieces: Iterable[bytes], size: int, name: str, member: SourceFile
    ) -> Iterator[Finding]:
        kept, start, line = b"", 0, 1
        binary: bool | None = None
        for piece in pieces:
            data = kept + piece
            if binary is None:
                binary = b"\0" in piece[:_HEAD]
                if binary and programs.is_encrypted(piece):
                    why = "its code is encrypted by the store"
                    self.reading.record_unread(_shown(member), why)
                    return
            if binary:
                yield from self._strings(binary_text(data, start), "binary.text", member)
            else:
                text = replace(member, data=data, first_line=line)
                yield from self._text(text, name, whole=len(data) == size)
            cut = max(len(data) - _OVERLAP, 0)
            if not binary:
                cut = max(data.rfind(b"\n", 0, cut) + 1, cut - _OVERLAP, 0)
                line += data.count(b"\n", 0, cut)
            kept, start = data[cut:], start + cut

    def _text(self, text: SourceFile, name: str, *, whole: bool) -> Iterator[Finding]:
        """Findings in a text, or in a piece of one."""
        lower = name.lower()
        if lower.endswith(texts.SCRIPTS):
            yield from self._issues(text, texts.script(text, self.reading, delivered=True))
            for source in self._sources(text, texts.inline_map(text.data)):
                yield from self._credentials(source)
            if whole and self.libraries is not None:
                for library in self.libraries.find(name, text.data):
                    issue = library_issue(library)
                    for finding in self.reporter.findings(text, [issue], self.reading):
                        yield from self._once(finding)
        elif whole and texts.limit(name.rpartition("/")[2]):
            yield from self._issues(text, texts.subjects(text, SourceReading(), delivered=True))
            if sources := self._sources(text, text.data) if lower.endswith(texts.MAPS) else []:
                for source in sources:
                    yield from self._credentials(source)
                return  # the map's own text says the same
        yield from self._credentials(text)

    def _credentials(self, text: SourceFile) -> Iterator[Finding]:
        for finding in credentials.in_text(text, self.secrets, self._own, self._asset):
            yield from self._once(finding)

    def _sources(self, text: SourceFile, mapped: bytes) -> list[SourceFile]:
        return list(sources(text, mapped, self.reading))

    def _dalvik(self, data: bytes, member: SourceFile) -> Generator[Finding, None, Iterator[bytes]]:
        """Findings in strings and calls of an executable of Android; returns what is left."""
        rest = bytearray(data)
        try:
            program = dex.Dex(data)
            strings = list(program.strings())
            calls = program.calls(_ADDRESS)
        except dex.DexError as error:
            yield from self._limit(member, f"its code is searched as text only: {error}")
            strings, calls = [], []
        for _, offset, text in strings:
            rest[offset : offset + len(text)] = bytes(len(text))
        texts_in = one_a_line((offset, text) for _, offset, text in strings)
        yield from self._strings(texts_in, "binary.text", member)
        written = ((one.offset, f"{one.method}({one.text})".encode()) for one in calls)
        yield from self._strings(one_a_line(written), "android.call", member)
        return (bytes(rest[at : at + PIECE]) for at in range(0, len(rest), PIECE))

    def _strings(self, strings: BinaryText, kind: str, member: SourceFile) -> Iterator[Finding]:
        """Findings in strings of a program; credentials in those that are not calls."""
        if not strings.offsets:
            return
        text = replace(member, data=strings.data)
        shown = strings.data.decode("utf-8", "replace")
        issues = list(self.matcher.issues(Subject(kind, shown, at_line(1), lookalikes=False)))
        for finding in self.reporter.findings(text, issues, self.reading):
            line = finding.where.line or 1
            place = Location(
                member.location, member.member, offset=strings.offset(line), uri=member.uri
            )
            yield from self._once(replace(finding, place=place, location=str(place)))
        if kind == "binary.text":
            found = credentials.in_binary(strings, member, self.secrets, self._own, self._asset)
            for finding in found:
                yield from self._once(finding)

    @property
    def _own(self) -> tuple[str, str]:
        return self.reporter.probe, self.reporter.version

    @property
    def _asset(self) -> str:
        return self.reporter.asset


def _is_manifest(package: ClientPackage, name: str) -> bool:
    """Whether a file is the manifest of an application, or of a module of an app bundle."""
    if package.kind == "android-bundle":
        module, _, rest = name.partition("/")
        return bool(module) and rest == f"manifest/{_MANIFEST}"
    return name == _MANIFEST


def sources(text: SourceFile, mapped: bytes, reading: SourceReading) -> Iterator[SourceFile]:
    """The sources in a source map, as files within the text that it belongs to."""
    for name, content in texts.sources_of(mapped, reading, _shown(text)):
        yield replace(text, data=content, member=f"{text.member}!{shortened(name)}")


def library_issue(library: Library) -> Issue:
    """The issue of a script that is, or holds, a library with known vulnerabilities."""
    count = len(library.advisories)
    known = "a known vulnerability" if count == 1 else f"{count} known vulnerabilities"
    summaries = [one.summary for one in library.advisories if one.summary]
    first = f", such as: {summaries[0]}" if summaries else ""
    return Issue(
        "javascript-library-vulnerable",
        WHOLE_FILE,
        f"{library.name} {library.version} has {known}{first}",
        proof="",
        severity=library.severity,
        remedy=f"Update {library.name} to {library.fixed} or later." if library.fixed else None,
        references=library.identifiers,
    )


def _shown(file: SourceFile) -> str:
    return f"{file.location}{file.member}"


def _resolver(package: ClientPackage) -> Callable[[int], str] | None:
    if _RESOURCES not in package.members.names:
        return None
    return ResourceTable(read(package.members, _RESOURCES, _MAX_TABLE)).value


def _digest(package: ClientPackage, name: str) -> str:
    """SHA-256 of a file, hex; "" where it lies outside the package."""
    digest = hashlib.sha256()
    try:
        for piece in package.members.pieces(name):
            digest.update(piece)
    except MemberError:
        return ""
    return digest.hexdigest()
