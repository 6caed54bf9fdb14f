"""Dependencies of scripts (PEP 723), of tox, of pixi and of pre-commit."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from buttress.files.yaml_documents import documents
from buttress.provenance.dependencies.dependency import FormatError, LineFinder, Parsed, requirement
from buttress.provenance.dependencies.formats import commands
from buttress.provenance.dependencies.formats.projects import at, from_pipfile, load_toml, pyproject
from buttress.provenance.dependencies.formats.requirements import parse as requirements

_SCRIPT: Final = re.compile(r"(?m)^# /// script\r?$\n((?:#(?:| [^\n]*)\r?\n)+?)# ///\r?$")
_MARK: Final = b"# /// script"
_TOX_OPTION: Final = re.compile(r"^\s*(?:[\w!{},.-]+\s*:\s+)?(.+)$")  # "py311: package"


def is_script(data: bytes) -> bool:
    """Whether a Python file has a block of metadata (PEP 723)."""
    return _MARK in data


def script(text: str) -> Parsed:
    """The dependencies in the metadata of a script.

    Raises:
        FormatError: the block is not TOML.
    """
    parsed = Parsed()
    match = _SCRIPT.search(text)
    if match is None:
        return parsed
    block = re.sub(r"(?m)^# ?", "", match[1])
    places = LineFinder(text)
    given = at(load_toml(block), "dependencies")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, str):
            found = requirement(one, places.line(f'"{one}"', f"'{one}'", one))
            if found:
                parsed.add(found)
            else:
                parsed.notes.append("a dependency is no requirement")
    return parsed


def tox(text: str) -> Parsed:
    """The dependencies of the environments of tox.

    Raises:
        FormatError: it is no INI file.
    """
    config = configparser.RawConfigParser(strict=False)
    try:
        config.read_string(text)
    except (configparser.Error, ValueError) as error:
        raise FormatError(f"it is not an INI file ({type(error).__name__})") from None
    parsed, places = Parsed(), LineFinder(text)
    for section in config.sections():
        for raw in config.get(section, "deps", fallback="").split("\n"):
            match = _TOX_OPTION.match(re.sub(r"(?:^|\s)#.*", "", raw))
            if match:
                _tox_dependency(match[1].strip(), parsed, places)
        for name in ("commands_pre", "commands", "commands_post"):
            for command in config.get(section, name, fallback="").split("\n"):
                for one in commands.parse(command).dependencies:
                    parsed.add(replace(one, line=places.line(command.strip())))
    return parsed


def tox_toml(text: str) -> Parsed:
    """The dependencies of the environments of tox.toml.

    Raises:
        FormatError: it is not TOML.
    """
    parsed, places = Parsed(), LineFinder(text)
    for wanted in tox_dependencies(load_toml(text)):
        _tox_dependency(wanted, parsed, places)
    return parsed


def tox_dependencies(data: Any) -> Iterator[str]:
    """The dependencies of environments in the TOML form of tox, also below ``tool.tox``."""
    environments = at(data, "env")
    every = [at(data, "env_run_base"), at(data, "env_pkg_base")]
    every += list(environments.values()) if isinstance(environments, dict) else []
    for one in every:
        given = at(one, "deps")
        yield from (wanted for wanted in (given if isinstance(given, list) else [given])
                    if isinstance(wanted, str))  # fmt: skip


def _tox_dependency(wanted: str, parsed: Parsed, places: LineFinder) -> None:
    if not wanted or wanted.startswith("{"):
        return
    line = places.line(wanted)
    if wanted.startswith("-"):
        inner = requirements(wanted)
        parsed.includes += [one for one in inner.includes if "{" not in one]
    elif (found := requirement(wanted, line)) is not None:
        parsed.add(found)
    else:
        parsed.notes.append("a dependency is no requirement")


def in_pyproject(text: str) -> Parsed:
    """The dependencies of pyproject.toml, and those of tox's environments in it.

    Raises:
        FormatError: it is not TOML.
    """
    parsed, places = pyproject(text), LineFinder(text)
    settings = at(load_toml(text), "tool", "tox")
    for wanted in tox_dependencies(settings):
        _tox_dependency(wanted, parsed, places)
    legacy = at(settings, "legacy_tox_ini")
    if isinstance(legacy, str):
        inner = tox(legacy)
        for one in inner.dependencies:
            parsed.add(replace(one, line=places.line(one.name)))
        parsed.includes += inner.includes
    return parsed


def pixi(text: str) -> Parsed:
    """The packages of PyPI that pixi.toml names, for all and for single features.

    Raises:
        FormatError: it is not TOML.
    """
    data, parsed, places = load_toml(text), Parsed(), LineFinder(text)
    features = at(data, "feature")
    every = [data, *(features.values() if isinstance(features, dict) else ())]
    for one in every:
        table = at(one, "pypi-dependencies")
        for name, given in table.items() if isinstance(table, dict) else ():
            from_pipfile(str(name), given, places.line(str(name)), parsed)
    return parsed


def pre_commit(text: str) -> Parsed:
    """What the hooks of pre-commit install beside themselves.

    Raises:
        FormatError: it is not YAML.
    """
    problems: list[str] = []
    parsed = Parsed()
    for document in documents(text, problems):
        repositories = at(document.data, "repos")
        for index, one in enumerate(repositories if isinstance(repositories, list) else ()):
            hooks = at(one, "hooks")
            for place, hook in enumerate(hooks if isinstance(hooks, list) else ()):
                if at(hook, "language") in ("node", "golang", "rust", "ruby"):
                    continue
                given = at(hook, "additional_dependencies")
                for number, wanted in enumerate(given if isinstance(given, list) else ()):
                    path = ("repos", index, "hooks", place, "additional_dependencies", number)
                    line = document.line(path)
                    found = requirement(wanted, line) if isinstance(wanted, str) else None
                    if found:
                        parsed.add(found)
    if problems:
        raise FormatError(f"it is not YAML ({problems[0][:80]})")
    return parsed
