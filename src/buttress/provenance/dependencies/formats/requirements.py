"""Requirements and constraints files, by pip's reference of the format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.provenance.dependencies.dependency import (
    MAX_LENGTH,
    Dependency,
    Parsed,
    named_by_file,
    requirement,
)
from buttress.rules.reporting import Issue
from buttress.rules.skeleton import skeleton

MAX_LINES: Final = 200_000
_SHOWN: Final = 80  # characters
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_HASH: Final = re.compile(r"\s--hash[=\s]\s*(?:sha256|sha384|sha512):[0-9a-f]{64,128}\b")
_OPTIONS: Final = re.compile(r"\s--(?:hash|config-settings?|global-option|install-option)[=\s].*$")
_INCLUDE: Final = re.compile(
    r"^(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?=[^-\s=]))(.+)$"
)
_EDITABLE: Final = re.compile(r"^(?:-e|--editable)(?:\s*=\s*|\s+)(.+)$")
_OPTION: Final = re.compile(r"^(--?[a-z][a-z-]*)(?:\s*=\s*|\s+|(?=http))?(.*)$")
_ADDRESS: Final = re.compile(r"^(?:(?:git|hg|svn|bzr)\+)?[a-z][a-z0-9+.-]*://\S+|^git@\S+")
_EGG: Final = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]{0,200})")
_WHEEL: Final = re.compile(
    r"/([A-Za-z0-9][A-Za-z0-9._]{0,200}?)-[0-9][^/]*\.(?:whl|zip|tar\.gz)(?:#|$)"
)


def parse(text: str) -> Parsed:
    """Requirements, options and includes of a file."""
    parsed = Parsed()
    unread = 0
    for line, content in _logical(text):
        if parsed.full:
            break
        if content.startswith("-"):
            if not _option(content, line, parsed):
                unread += 1
            continue
        hashed = bool(_HASH.search(content))
        one = _requirement(_OPTIONS.sub("", content).strip(), line, hashed)
        if one is None:
            imitated = _imitated(content, line)
            parsed.issues += imitated
            unread += not imitated and not content.startswith((".", "/"))
        else:
            parsed.add(one)
    if parsed.dependencies and all(one.hashed for one in parsed.dependencies):
        # Whatever an index offers then, only the content that is meant is taken.
        parsed.issues = [one for one in parsed.issues if one.rule != "index-extra"]
    if unread:
        parsed.notes.append(f"{unread} lines are no requirements")
    return parsed


def _imitated(content: str, line: int) -> list[Issue]:
    """A name with letters of other scripts, which no index has: it is meant to be taken for one."""
    plain = skeleton(content)
    one = None if plain == content else requirement(plain, line)
    if one is None:
        return []
    text = f"{content[:_SHOWN]} is written with letters that look like those of {one.name}."
    return [Issue("lookalike-name", line, text, severity="high")]


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined where they end in a backslash, without comments, each with its number."""
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(text.split("\n")[:MAX_LINES], 1):
        if not parts:
            first = number
        if raw.rstrip().endswith("\\") and not raw.lstrip().startswith("#"):
            parts.append(raw.rstrip()[:-1])
            continue
        parts.append(raw)
        whole = " ".join(parts)[: 50 * MAX_LENGTH]  # hashes make lines long
        parts = []
        content = _COMMENT.sub("", whole).strip()
        if content:
            yield first, content
    content = _COMMENT.sub("", " ".join(parts)).strip()
    if content:
        yield first, content


def _requirement(content: str, line: int, hashed: bool) -> Dependency | None:
    if _ADDRESS.match(content):
        return addressed(content.partition(";")[0].strip(), line, hashed)
    return requirement(content, line, hashed=hashed)


def addressed(address: str, line: int, hashed: bool) -> Dependency | None:
    """A dependency that is given by its address; None where the address does not tell its name."""
    found = _EGG.search(address) or _WHEEL.search(address)
    if found:
        name = found[1]
    else:
        last = re.split(r"[@#?]", address.rpartition("://")[2], maxsplit=1)[0].rstrip("/")
        name = last.rpartition("/")[2].removesuffix(".git")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?", name):
        return None
    version = (named_by_file(address) or ("", ""))[1]
    return Dependency(name, "PyPI", line, version, address=address, hashed=hashed)


def _option(content: str, line: int, parsed: Parsed) -> bool:
    if include := _INCLUDE.match(content):
        parsed.includes.append(include[1].strip().strip("\"'"))
        return True
    if editable := _EDITABLE.match(content):
        target = editable[1].strip()
        one = addressed(target, line, False) if _ADDRESS.match(target) else None
        if one:
            parsed.add(one)
        return True
    option = _OPTION.match(content)
    if not option:
        return False
    name, value = option[1], option[2].strip().strip("\"'")
    if name == "--extra-index-url":
        parsed.issues.append(Issue("index-extra", line, shown(value)))
    elif name == "--trusted-host":
        parsed.issues.append(Issue("index-trusted-host", line, value))
    if name in ("-i", "--index-url", "--extra-index-url", "-f", "--find-links"):
        parsed.issues += plain_http(value, line)
        return True
    return name in (
        "--trusted-host", "--no-index", "--pre", "--prefer-binary", "--require-hashes",
        "--no-binary", "--only-binary", "--use-feature",
    )  # fmt: skip


def plain_http(address: str, line: int) -> list[Issue]:
    """The issue of an index without TLS."""
    local = re.match(r"(?i)http://(?:[^/@]*@)?(?:localhost|127\.|\[::1\])", address)
    if address.lower().startswith("http://") and not local:
        return [Issue("index-plain-http", line, shown(address))]
    return []


def shown(address: str) -> str:
    """An address without the credentials in it."""
    return re.sub(r"://[^/@\s]*@", "://…@", address)
