"""Known vulnerable JavaScript libraries, by the rule files of retire.js, which load unchanged.

Of its extractors ``filename``, ``uri``, ``filecontent``, ``filecontentreplace`` and ``hashes`` are
used; ``func`` and ``ast`` would run or parse scripts. Expressions that RE2 does not take are tried
only where the longest word in them occurs, and those without such a word are set aside and counted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import re2

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Severity

_MARK: Final = "§§version§§"
_VERSION: Final = r"[0-9][0-9.a-z_\-]+"
_MINIFIED: Final = re.compile(r"[.-]min$")
_MAX_REPEAT: Final = 1000  # of RE2
_GAP: Final = re.compile(r"(\[\\s\\S\]|\[\^\\n\]|\.)\{([0-9]+),([0-9]+)\}\??")
_REPLACEMENT: Final = re.compile(r"/(.*[^\\])/([^/]+)/", re.DOTALL)
_MAX_BYTES: Final = 32 << 20
_MAX_MATCHES: Final = 50  # of one expression in one text
_WORD: Final = re.compile(r"(?<!\\)[A-Za-z_]{8,}")
_ENDING: Final = re.compile(re.escape(f"({_MARK})") + r"\(\?<=([^()]+)\)")
_MAX_BACKTRACKED: Final = 1 << 20  # characters that are searched without RE2


@dataclass(frozen=True, slots=True)
class LibraryAdvisory:
    """One vulnerability of a library: its versions, severity, names and summary."""

    below: str
    at_or_above: str
    severity: Severity
    identifiers: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Library:
    """A library in a version that has known vulnerabilities."""

    name: str
    version: str
    advisories: tuple[LibraryAdvisory, ...]

    @property
    def severity(self) -> Severity:
        """That of the gravest."""
        return max((one.severity for one in self.advisories), key=SEVERITIES.index)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Names of all vulnerabilities, each once."""
        return tuple(dict.fromkeys(name for one in self.advisories for name in one.identifiers))

    @property
    def fixed(self) -> str:
        """The least version in which none of them is left."""
        best = ""
        for one in self.advisories:
            if not best or at_least(one.below, best):
                best = one.below
        return best


@dataclass(frozen=True, slots=True)
class _Extractor:
    """An expression, in parts with gaps between them where RE2 could not repeat so often."""

    parts: tuple[Any, ...]
    gaps: tuple[tuple[int, int, bool], ...] = ()  # least, most characters; whether lines may end
    replacement: str = ""
    word: str = ""  # without which there is no match, of an expression that RE2 does not take
    ending: Any = None  # what a version must end with

    def versions(self, text: str) -> Iterator[str]:
        """The versions that it reads in a text; "" groups are passed over."""
        if self.word:
            if self.word not in text:
                return
            text = text[:_MAX_BACKTRACKED]
        for count, match in enumerate(self.parts[0].finditer(text)):
            if count == _MAX_MATCHES:
                return
            version = self._follow(text, match)
            if version and (self.ending is None or self.ending.search(version)):
                yield version

    def _follow(self, text: str, first: Any) -> str:
        groups = [*first.groups()]
        match = first
        for (least, most, lines), part in zip(self.gaps, self.parts[1:], strict=True):
            start = match.end() + least
            window = text[start : match.end() + most + 4_000]
            following = part.search(window)
            if following is None or following.start() + least > most:
                return ""
            if not lines and "\n" in text[match.end() : start + following.start()]:
                return ""
            groups += following.groups()
            match = _Moved(start + following.end())
        if self.replacement:
            return re.sub(
                r"\$([0-9])",
                lambda one: (groups[int(one[1]) - 1] or "") if int(one[1]) <= len(groups) else "",
                self.replacement,
            )
        return next((group for group in groups if group), "")


@dataclass(frozen=True, slots=True)
class _Moved:
    place: int

    def end(self) -> int:
        return self.place


class LibraryRules:
    """The libraries of a rule file."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.set_aside = 0  # expressions that are not used
        self._advisories: dict[str, tuple[LibraryAdvisory, ...]] = {}
        self._extractors: dict[str, list[tuple[str, _Extractor]]] = {"filename": [], "content": []}
        self._digests: dict[str, tuple[str, str]] = {}
        for name, library in data.items():
            self._advisories[name] = tuple(map(_advisory, library.get("vulnerabilities", ())))
            if not self._advisories[name]:
                continue
            extractors = library.get("extractors", {})
            for kind in ("filename", "uri"):
                for text in extractors.get(kind, ()):
                    anchored = rf"^{text}$" if kind == "filename" else text
                    self._add("filename", name, anchored)
            for text in extractors.get("filecontent", ()):
                self._add("content", name, text)
            for text in extractors.get("filecontentreplace", ()):
                if match := _REPLACEMENT.fullmatch(text):
                    self._add("content", name, match[1], match[2])
                else:
                    self.set_aside += 1
            for digest, version in extractors.get("hashes", {}).items():
                self._digests[digest.lower()] = name, version

    def _add(self, kind: str, name: str, text: str, replacement: str = "") -> None:
        made = _extractor(text, replacement)
        if made is None:
            self.set_aside += 1
        else:
            self._extractors[kind].append((name, made))

    def find(self, path: str, data: bytes) -> list[Library]:
        """The vulnerable libraries that a script is or holds, each version once.

        Args:
            path: of the file, with ``/``.
            data: all of it.
        """
        text = data.decode("utf-8", "replace")
        versions: dict[tuple[str, str], None] = {}
        file_name = path.rpartition("/")[2]
        for name, extractor in self._extractors["filename"]:
            for version in (*extractor.versions(file_name), *extractor.versions(path)):
                versions.setdefault((name, _MINIFIED.sub("", version)))
        for name, extractor in self._extractors["content"]:
            for version in extractor.versions(text):
                versions.setdefault((name, _MINIFIED.sub("", version)))
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if digest in self._digests:
            versions.setdefault(self._digests[digest])
        found = []
        for name, version in versions:
            affected = tuple(one for one in self._advisories[name] if _affects(one, version))
            if affected:
                found.append(Library(name, version, affected))
        return found


def load(path: Path) -> LibraryRules:
    """Rules from a file such as ``jsrepository-v4.json`` of retire.js.

    Raises:
        InputError: it can't be read, or is no such file.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("is larger than 32 MiB", file=str(path), expected="rules of retire.js")
        data = json.loads(path.read_bytes())
        return LibraryRules(_checked(data))
    except OSError as error:
        message = error.strerror or "can't be read"
        raise InputError(message, file=str(path), expected="rules of retire.js") from None
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError):
        raise InputError(
            "is no rule file",
            file=str(path),
            expected="jsrepository-v4.json of retire.js, or alike",
        ) from None


def _checked(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict) or not all(isinstance(one, dict) for one in data.values()):
        raise ValueError("not an object of libraries")
    if not any("vulnerabilities" in one and "extractors" in one for one in data.values()):
        raise ValueError("no library in it")
    return data


def _advisory(data: Mapping[str, Any]) -> LibraryAdvisory:
    identifiers = data.get("identifiers", {})
    names = [*identifiers.get("CVE", ())]
    names += [identifiers["githubID"]] if identifiers.get("githubID") else []
    severity = data.get("severity", "medium")
    return LibraryAdvisory(
        below=str(data.get("below", "")),
        at_or_above=str(data.get("atOrAbove", "")),
        severity=severity if severity in SEVERITIES else "medium",
        identifiers=tuple(map(str, names)),
        summary=str(identifiers.get("summary", "")),
    )


def _affects(advisory: LibraryAdvisory, version: str) -> bool:
    if advisory.below and at_least(version, advisory.below):
        return False
    return not advisory.at_or_above or at_least(version, advisory.at_or_above)


def at_least(version: str, other: str) -> bool:
    """Whether a version is the other or comes after it, in the order that retire.js uses.

    Parts between dots and hyphens are compared one by one; a number comes after a word, and a part
    that is missing counts as 0.
    """
    left, right = (re.split(r"[.-]", one) for one in (version, other))
    for index in range(max(len(left), len(right))):
        first, second = (one[index] if index < len(one) else "0" for one in (left, right))
        if first.isdecimal() != second.isdecimal():
            return first.isdecimal()
        pair = (int(first), int(second)) if first.isdecimal() else (first, second)
        if pair[0] != pair[1]:
            return bool(pair[0] > pair[1])  # type: ignore[operator]
    return True


def _extractor(text: str, replacement: str) -> _Extractor | None:
    ending = _ENDING.search(text)  # what was looked back at is the version alone
    text = _ENDING.sub(f"({_MARK})", text)
    pattern = text.replace(_MARK, _VERSION)
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = 64 << 20
    pieces: list[str] = []
    gaps: list[tuple[int, int, bool]] = []
    at = 0
    for gap in _GAP.finditer(pattern):
        if int(gap[3]) > _MAX_REPEAT:
            pieces.append(pattern[at : gap.start()])
            gaps.append((int(gap[2]), int(gap[3]), gap[1] == r"[\s\S]"))
            at = gap.end()
    pieces.append(pattern[at:])
    try:
        return _Extractor(
            tuple(re2.compile(piece, chosen) for piece in pieces),
            tuple(gaps),
            replacement,
            ending=re2.compile(f"(?:{ending[1]})$", chosen) if ending else None,
        )
    except re2.error:
        return _backtracking(pattern, replacement)


def _backtracking(pattern: str, replacement: str) -> _Extractor | None:
    word = max(_WORD.findall(pattern), key=len, default="")
    try:
        return _Extractor((re.compile(pattern),), (), replacement, word) if word else None
    except re.error:
        return None
