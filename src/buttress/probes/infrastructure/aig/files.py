"""Reads a folder of AI-Infra-Guard's rules: one file that is wrong is left out and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

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
from buttress.protocols.live import LiveRequest

T = TypeVar("T")
_MAX_BYTES: Final = 4 << 20
_HEAD: Final = 4096
_NAME: Final = re.compile(
    r"\A(?:\s*#[^\n]*\n)*info:[ \t]*\r?\n[ \t]+name:[ \t]*([^\n#'\"|>&*!][^\n#]*)"
)
_EXPECTED: Final = "a folder with 'fingerprints' and 'vuln_en' or 'vuln' in it"


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """A file, or a rule in it, that can't be used."""

    file: str
    what: str


@dataclass
class RuleFolder:
    """The fingerprints of a folder, and its advisories, which are parsed when asked for."""

    path: Path
    fingerprints: list[FingerprintRule]
    problems: list[RuleProblem]
    _advisory_files: dict[str, list[Path]] = field(default_factory=dict)
    _parsed: dict[str, list[AdvisoryRule]] = field(default_factory=dict)

    @property
    def advisory_names(self) -> Sequence[str]:
        """The names under which there are advisories."""
        return list(self._advisory_files)

    def advisories(self, name: str) -> list[AdvisoryRule]:
        """The advisories under a name, byte for byte; ``problems`` grows by those left out."""
        if name not in self._parsed:
            files = self._advisory_files.get(name, [])
            self._parsed[name] = list(_all(files, self.path, advisory, self.problems))
        return self._parsed[name]


def load(folder: Path, language: str = "en", option: str = "--rules") -> RuleFolder:
    """Read the fingerprints, and note where the advisories are.

    ``folder`` is that of the package (``data`` in ``aig_infra_scan``) or a checkout; ``option`` is
    the one that named it.

    Raises:
        InputError: there are no rules in it.
    """
    base = next((one for one in _places(folder) if (one / "fingerprints").is_dir()), None)
    if base is None:
        raise InputError(
            "no rules of AI-Infra-Guard", file=str(folder), field=option, expected=_EXPECTED
        )
    problems: list[RuleProblem] = []
    fingerprints = list(_all(_yaml_files(base / "fingerprints"), base, fingerprint, problems))
    if not fingerprints:
        raise InputError(
            "no fingerprint that can be used", file=str(base / "fingerprints"), field=option,
            expected="files of fingerprints",
        )  # fmt: skip
    loaded = RuleFolder(base, fingerprints, problems)
    first, second = ("vuln", "vuln_en") if language == "zh" else ("vuln_en", "vuln")
    chosen = base / first if (base / first).is_dir() else base / second
    for path in _yaml_files(chosen) if chosen.is_dir() else ():
        name = _quick_name(path)
        if name is None:
            found = list(_all([path], base, advisory, problems))
            name = found[0].name if found else None
        if name is not None:
            loaded._advisory_files.setdefault(name, []).append(path)
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


def _places(folder: Path) -> Iterator[Path]:
    yield folder
    yield folder / "data"
    yield folder / "aig_infra_scan" / "data"


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*.yaml") if one.is_file())


def _all(
    files: Sequence[Path], base: Path, read: Callable[[Any, str], T], problems: list[RuleProblem]
) -> Iterator[T]:
    for path in files:
        name = path.relative_to(base).as_posix()
        try:
            yield read(_plain(path), name)
        except OSError as error:
            problems.append(RuleProblem(name, error.strerror or str(error)))
        except ValueError as error:
            problems.append(RuleProblem(name, " ".join(str(error).split())[:300]))


def _plain(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError("more than 4 MiB")
    data = parse_plain(content.decode(), scalars=False)  # as the original reads them
    if not isinstance(data, dict):
        raise ValueError("expected a mapping with 'info'")
    return data


def _quick_name(path: Path) -> str | None:
    """The product of an advisory from the head of its file; None where only a parser can tell."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "ignore")
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
