"""pyproject.toml (PEP 621, PEP 735, Poetry, uv, PDM), Pipfile and setup.cfg."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from buttress.files import bounded_toml
from buttress.provenance.dependencies.dependency import (
    Dependency,
    FormatError,
    LineFinder,
    Parsed,
    exact,
    requirement,
)
from buttress.provenance.dependencies.formats.requirements import plain_http, shown
from buttress.rules.reporting import Issue

_MAX_TOML: Final = 4 << 20
_POETRY_VERSION: Final = re.compile(r"^([~^])\s*(\d+(?:\.\d+)*)(.*)$")


def load_toml(text: str) -> dict[str, Any]:
    """A TOML document.

    Raises:
        FormatError: it is none, or larger than is read.
    """
    if len(text) > _MAX_TOML:
        raise FormatError("it is larger than is read")
    try:
        return bounded_toml.loads(text)
    except ValueError as error:
        raise FormatError(f"it is not TOML ({str(error)[:80]})") from None


def at(value: Any, *path: str) -> Any:
    """What lies below nested tables; None where one is missing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def pyproject(text: str) -> Parsed:
    """Dependencies of a project, of its extras, groups and build, and its indexes."""
    data, parsed, places = load_toml(text), Parsed(), LineFinder(text)
    local = _local(data)
    for given in _requirements(data):
        if isinstance(given, str):
            line = places.line(f'"{given}"', f"'{given}'", given)
            one = requirement(given, line)
            if one and one.key in local:
                continue
            if one:
                parsed.add(one)
            else:
                parsed.notes.append("a dependency is no requirement")
    for table in _poetry_tables(data):
        for name, given in table.items():
            if name.lower() != "python":
                _poetry(name, given, places.line(f"\n{name} ", f"\n{name}=", f'"{name}"'), parsed)
    _sources(data, places, parsed)
    return parsed


def _local(data: dict[str, Any]) -> set[str]:
    """Names of packages that are the project itself, members of its workspace, or folders."""
    found = {at(data, "project", "name")}
    sources = at(data, "tool", "uv", "sources")
    for name, given in sources.items() if isinstance(sources, dict) else ():
        if any(at(one, "workspace") or at(one, "path") for one in (*_list(given), given)):
            found.add(name)
    return {canonicalize_name(name) for name in found if isinstance(name, str)}


def _requirements(data: dict[str, Any]) -> Iterator[Any]:
    yield from _list(at(data, "build-system", "requires"))
    yield from _list(at(data, "project", "dependencies"))
    for place in (
        ("project", "optional-dependencies"),
        ("dependency-groups",),
        ("tool", "pdm", "dev-dependencies"),
    ):
        groups = at(data, *place)
        for group in groups.values() if isinstance(groups, dict) else ():
            yield from _list(group)
    environments = at(data, "tool", "hatch", "envs")
    for one in environments.values() if isinstance(environments, dict) else ():
        yield from _list(at(one, "dependencies"))
        yield from _list(at(one, "extra-dependencies"))
    for key in ("dev-dependencies", "constraint-dependencies", "override-dependencies"):
        yield from _list(at(data, "tool", "uv", key))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _poetry_tables(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    poetry = at(data, "tool", "poetry")
    groups = at(poetry, "group")
    tables = [at(poetry, "dependencies"), at(poetry, "dev-dependencies")]
    tables += (
        [at(one, "dependencies") for one in groups.values()] if isinstance(groups, dict) else []
    )
    yield from (one for one in tables if isinstance(one, dict))


def _poetry(name: str, given: Any, line: int, parsed: Parsed) -> None:
    for one in given if isinstance(given, list) else [given]:
        version = one if isinstance(one, str) else at(one, "version")
        address = at(one, "git") or at(one, "url")
        if isinstance(address, str):
            reference = at(one, "rev") or at(one, "tag") or at(one, "branch") or ""
            git = isinstance(at(one, "git"), str)
            full = f"git+{address}@{reference}".rstrip("@") if git else address
            parsed.add(Dependency(name, "PyPI", line, address=full))
        elif isinstance(version, str):
            specifier = poetry_specifier(version)
            if specifier is None:
                parsed.notes.append(f"{name}: a version of no known form")
            else:
                fixed = exact(SpecifierSet(specifier))
                parsed.add(Dependency(name, "PyPI", line, fixed, specifier))


def poetry_specifier(text: str) -> str | None:
    """A version constraint of Poetry by PEP 440; None where it is of another form.

    Alternatives (``||``) are widened to any version: what they exclude is not claimed.
    """
    if "|" in text or text.strip() in ("", "*"):
        return ""
    parts = []
    for part in text[:500].split(","):
        one = part.strip()
        if match := _POETRY_VERSION.match(one):
            numbers = [int(number) for number in match[2].split(".")[:6] if len(number) < 12]
            if not numbers:
                return None
            parts += [f">={match[2]}", f"<{_next(match[1], numbers)}"]
        elif one and one[0].isdigit():
            parts.append(f"=={one}")
        else:
            parts.append(one.replace(" ", ""))
    joined = ",".join(parts)
    try:
        return str(SpecifierSet(joined))
    except InvalidSpecifier:
        return None


def _next(sign: str, numbers: list[int]) -> str:
    """The first version that a caret or tilde excludes."""
    if sign == "~":
        index = 1 if len(numbers) > 1 else 0
    else:
        index = next((place for place, one in enumerate(numbers) if one), len(numbers) - 1)
    return ".".join(str(one) for one in (*numbers[:index], numbers[index] + 1))


def pipfile(text: str) -> Parsed:
    """Dependencies in a Pipfile, and its indexes.

    Raises:
        FormatError: it is not TOML.
    """
    data, parsed, places = load_toml(text), Parsed(), LineFinder(text)
    for section, table in data.items():
        if section in ("requires", "scripts", "pipenv", "source") or not isinstance(table, dict):
            continue  # any other table is a category of packages
        for name, given in table.items():
            line = places.line(f"\n{name} ", f"\n{name}=", f'"{name}"')
            from_pipfile(name, given, line, parsed)
    for one in _list(data.get("source")):
        address = at(one, "url")
        if isinstance(address, str):
            line = places.line(f'"{address}"', address)
            parsed.issues += plain_http(address, line)
            if at(one, "verify_ssl") is False:
                parsed.issues.append(Issue("index-trusted-host", line, shown(address)))
    return parsed


def from_pipfile(name: str, given: Any, line: int, parsed: Parsed) -> None:
    """Add a package as a Pipfile, or pixi.toml, gives it: a version, or a table with one."""
    git, url = at(given, "git"), at(given, "file")
    if isinstance(git, str):
        parsed.add(Dependency(name, "PyPI", line, address=f"git+{git}@{at(given, 'ref') or ''}"))
    elif isinstance(url, str):
        parsed.add(Dependency(name, "PyPI", line, address=url))
    else:
        version = given if isinstance(given, str) else at(given, "version")
        wanted = version if isinstance(version, str) and version.strip() != "*" else ""
        one = requirement(f"{name}{wanted}", line)
        if one and at(given, "path") is None:
            parsed.add(one)
        elif one is None:
            parsed.notes.append(f"{name}: a version of no known form")


def _sources(data: dict[str, Any], places: LineFinder, parsed: Parsed) -> None:
    for tool, key in (("uv", "index"), ("poetry", "source"), ("pdm", "source")):
        for one in _list(at(data, "tool", tool, key)):
            address = at(one, "url")
            if not isinstance(address, str):
                continue
            line = places.line(f'"{address}"', f"'{address}'", address)
            parsed.issues += plain_http(address, line)
            # uv takes a package from the first index that has it; the others compare versions.
            mixed = {
                "uv": False,
                "poetry": at(one, "priority") == "supplemental",
                "pdm": at(one, "name") != "pypi",
            }
            if mixed[tool]:
                parsed.issues.append(Issue("index-extra", line, shown(address)))
            if at(one, "verify_ssl") is False:
                parsed.issues.append(Issue("index-trusted-host", line, shown(address)))
    uv = at(data, "tool", "uv")
    for table in (uv, at(uv, "pip")):
        strategy = at(table, "index-strategy")
        if isinstance(strategy, str) and strategy.startswith("unsafe"):
            parsed.issues.append(Issue("index-extra", places.line(strategy), strategy))
        for host in _list(at(table, "allow-insecure-host")):
            parsed.issues.append(Issue("index-trusted-host", places.line(str(host)), str(host)))
    pinned = at(uv, "sources")
    for name, given in pinned.items() if isinstance(pinned, dict) else ():
        for one in _list(given) or [given]:
            git, url = at(one, "git"), at(one, "url")
            reference = at(one, "rev") or at(one, "tag") or at(one, "branch") or ""
            address = f"git+{git}@{reference}".rstrip("@") if isinstance(git, str) else url
            if isinstance(address, str):
                parsed.add(Dependency(name, "PyPI", places.line(name), address=address))


def setup_cfg(text: str) -> Parsed:
    """Dependencies in setup.cfg.

    Raises:
        FormatError: it is not of that format.
    """
    config = configparser.RawConfigParser(strict=False)
    try:
        config.read_string(text)
    except (configparser.Error, ValueError) as error:
        raise FormatError(f"it is not an INI file ({type(error).__name__})") from None
    parsed, places = Parsed(), LineFinder(text)
    given = []
    if config.has_section("options"):
        given += [config.get("options", key, fallback="") for key in
                  ("install_requires", "setup_requires", "tests_require")]  # fmt: skip
    if config.has_section("options.extras_require"):
        given += [value for _, value in config.items("options.extras_require")]
    for value in given:
        for raw in re.split(r"[\n]", value or ""):
            one = re.sub(r"(?:^|\s)#.*", "", raw).strip()
            if one and not one.startswith("file:"):
                found = requirement(one, places.line(one))
                if found:
                    parsed.add(found)
                else:
                    parsed.notes.append("a line is no requirement")
    return parsed
