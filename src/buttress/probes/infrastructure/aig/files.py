"""Reads AI-Infra-Guard's rules: one file that is wrong is left out and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from buttress.errors import InputError
from buttress.files.yaml_loader import parse_plain
from buttress.probes.infrastructure.aig.expression import ADVISORY, FINGERPRINT, comparisons, parse
from buttress.probes.infrastructure.aig.matching import check_patterns, compiled
from buttress.probes.infrastructure.aig.rules import (
    AdvisoryRule,
    FingerprintRule,
    HttpRule,
    Matcher,
    VersionRule,
)
from buttress.probes.infrastructure.aig.sources import (
    ADVISORIES,
    FINGERPRINTS,
    RuleSource,
    source_in,
)
from buttress.protocols.live import LiveRequest

T = TypeVar("T")
MAX_BYTES: Final = 4 << 20
_HEAD: Final = 4096
_NAME: Final = re.compile(
    r"\A(?:\s*#[^\n]*\n)*info:[ \t]*\r?\n[ \t]+name:[ \t]*([^\n#'\"|>&*!][^\n#]*)"
)


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """A file, or a rule in it, that can't be used."""

    file: str
    what: str


class _RuleFile(NamedTuple):
    source: RuleSource
    name: str


@dataclass
class RuleFolder:
    """The fingerprints of a set of rules, and its advisories, which are parsed when asked for.

    ``title`` says where they are from.
    """

    title: str
    fingerprints: list[FingerprintRule]
    problems: list[RuleProblem]
    _advisory_files: dict[str, list[_RuleFile]] = field(default_factory=dict)
    _parsed: dict[str, list[AdvisoryRule]] = field(default_factory=dict)

    @property
    def advisory_names(self) -> Sequence[str]:
        """The names under which there are advisories."""
        return list(self._advisory_files)

    def advisories(self, name: str) -> list[AdvisoryRule]:
        """The advisories under a name, byte for byte; ``problems`` grows by those left out."""
        if name not in self._parsed:
            files = self._advisory_files.get(name, [])
            self._parsed[name] = list(_all(files, advisory, self.problems))
        return self._parsed[name]


def load(folder: Path, language: str = "en", option: str = "--rules") -> RuleFolder:
    """Read the fingerprints in a folder, and note where the advisories are.

    ``folder`` is that of the package (``data`` in ``aig_infra_scan``) or a checkout; ``option`` is
    the one that named it.

    Raises:
        InputError: there are no rules in it.
    """
    return read_rules([source_in(folder, option)], language, option)


def read_rules(
    sources: Sequence[RuleSource], language: str = "en", option: str = "--rules"
) -> RuleFolder:
    """Read the fingerprints of all sources, and note where the advisories are.

    Args:
        sources: at least one.
        language: of the advisories' texts, ``en`` or ``zh``; the other one where it is missing.
        option: the option that named them.

    Raises:
        InputError: a source has no fingerprint that can be used.
    """
    loaded = RuleFolder(", ".join(one.title for one in sources), [], [])
    chosen = ADVISORIES if language == "en" else ADVISORIES[::-1]
    for source in sources:
        files = _files(source, FINGERPRINTS)
        fingerprints = list(_all(files, fingerprint, loaded.problems))
        if not fingerprints:
            raise InputError(
                "no fingerprint that can be used", file=source.title, field=option,
                expected="files of fingerprints",
            )  # fmt: skip
        loaded.fingerprints += fingerprints
        for file in next((found for one in chosen if (found := _files(source, one))), []):
            name = _quick_name(file)
            if name is None:
                read = list(_all([file], advisory, loaded.problems))
                name = read[0].name if read else None
            if name is not None:
                loaded._advisory_files.setdefault(name, []).append(file)
    return loaded


def fingerprint(data: Any, file: str) -> FingerprintRule:
    """A fingerprint from the contents of its file.

    Raises:
        ValueError: it is none, or an expression in it is wrong.
    """
    info = _mapping(data, "info")
    metadata = info.get("metadata")
    return FingerprintRule(
        _text(info, "name", "info"),
        _text(metadata, "type", "metadata") if isinstance(metadata, dict) else "",
        tuple(_http_rule(one, at) for at, one in enumerate(_list(data, "http"))),
        tuple(_version_rule(one, at) for at, one in enumerate(_list(data, "version"))),
        file,
    )


def advisory(data: Any, file: str) -> AdvisoryRule:
    """An advisory from the contents of its file.

    Raises:
        ValueError: it is none, or its rule is wrong.
    """
    info = _mapping(data, "info")
    if "rule" not in data:
        raise ValueError("rule is missing; expected a rule, which may be empty")
    rule = _text(data, "rule", "")
    references = [one for holder in (data, info) for one in _texts(holder.get("references"))]
    return AdvisoryRule(
        _text(info, "name", "info"),
        _text(info, "cve", "info"),
        _text(info, "summary", "info"),
        _text(info, "severity", "info"),
        _text(info, "cvss", "info"),
        _text(info, "security_advise", "info"),
        parse(rule, ADVISORY) if rule.strip() else None,
        rule,
        tuple(dict.fromkeys(references)),
        file,
    )


def _files(source: RuleSource, folder: str) -> list[_RuleFile]:
    return [_RuleFile(source, name) for name in source.names(folder)]


def _all(
    files: Sequence[_RuleFile], read: Callable[[Any, str], T], problems: list[RuleProblem]
) -> Iterator[T]:
    for file in files:
        try:
            yield read(plain_rule(file.source.read(file.name, MAX_BYTES + 1)), file.name)
        except OSError as error:
            problems.append(RuleProblem(file.name, error.strerror or str(error)))
        except ValueError as error:
            problems.append(RuleProblem(file.name, " ".join(str(error).split())[:300]))


def plain_rule(content: bytes) -> dict[str, Any]:
    """The data of a rule's file.

    Raises:
        ValueError: too large, not YAML, or no mapping.
    """
    if len(content) > MAX_BYTES:
        raise ValueError("more than 4 MiB")
    data = parse_plain(content.decode(), scalars=False)  # as the original reads them
    if not isinstance(data, dict):
        raise ValueError("expected a mapping with 'info'")
    return data


def _quick_name(file: _RuleFile) -> str | None:
    """The product of an advisory from the head of its file; None where only a parser can tell."""
    try:
        head = file.source.read(file.name, _HEAD).decode("utf-8", "ignore")
    except OSError:
        return None
    match = _NAME.match(head)
    return match[1].strip() if match else None


def _http_rule(data: Any, at: int) -> HttpRule:
    where = f"http[{at}]"
    if not isinstance(data, dict):
        raise ValueError(f"{where}: expected a mapping")
    method = "POST" if _text(data, "method", where) == "POST" else "GET"
    return HttpRule(_request(data, method, where), _matchers(data, where))


def _version_rule(data: Any, at: int) -> VersionRule:
    where = f"version[{at}]"
    if not isinstance(data, dict):
        raise ValueError(f"{where}: expected a mapping")
    method = "POST" if _text(data, "method", where).upper() == "POST" else "GET"
    extractor = data.get("extractor") or {}
    if not isinstance(extractor, dict):
        raise ValueError(f"{where}.extractor: expected a mapping")
    regex = _text(extractor, "regex", where)
    if regex:
        compiled(f"(?i){regex}")
    return VersionRule(
        _request(data, method, where),
        _matchers(data, where),
        _text(extractor, "part", where),
        _text(extractor, "group", where),
        regex,
        _text(data, "versionrange", where),
    )


def _request(data: Mapping[str, Any], method: str, where: str) -> LiveRequest:
    path = _text(data, "path", where)
    body = _text(data, "data", where).encode() if method == "POST" else b""
    return LiveRequest(method, path if path.startswith("/") else f"/{path}", body=body)


def _matchers(data: Mapping[str, Any], where: str) -> tuple[Matcher, ...]:
    found = []
    for at, text in enumerate(_texts(data.get("matchers"))):
        try:
            expression = parse(text, FINGERPRINT)
            check_patterns(expression)
        except ValueError as error:
            raise ValueError(f"{where}.matchers[{at}]: {error}") from None
        found.append(Matcher(text, expression))
    keywords = {one.keyword for matcher in found for one in comparisons(matcher.expression)}
    if "hash" in keywords and len(keywords) > 1:
        raise ValueError(f"{where}.matchers: 'hash' can't stand beside other keywords")
    return tuple(found)


def _mapping(data: Any, name: str) -> dict[str, Any]:
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, dict):
        raise ValueError(f"{name}: expected a mapping")
    return value


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name}: expected a list")
    return value


def _text(data: Mapping[str, Any], name: str, where: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{where}.{name}: expected text")
    return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        if not all(isinstance(one, str) for one in value):
            raise ValueError("expected a list of texts")
        return value
    return [value] if isinstance(value, str) and value else []
