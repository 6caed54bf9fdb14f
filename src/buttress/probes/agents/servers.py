"""Definitions of MCP servers and settings of agents, as subjects of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.jsonc import JsoncDocument
from buttress.files.located_yaml import FieldPath
from buttress.probes.agents.texts import subjects as texts
from buttress.rules.shell import variable
from buttress.rules.subject import Subject, at_line

_KEYS: Final = ("mcpServers", "mcp_servers", "context_servers", "servers", "mcp")
_MAX_DEPTH: Final = 20
_RUNNERS: Final = {"npx": "npm", "bunx": "npm", "pnpx": "npm", "uvx": "PyPI", "pipx": "PyPI"}
_LIKE_NPX: Final = {("pnpm", "dlx"), ("yarn", "dlx"), ("npm", "exec"), ("npm", "x")}
_WITH_VALUE: Final = {"--python", "-p", "--with", "--index-url", "--registry", "--call", "-c"}


@dataclass(frozen=True, slots=True)
class Package:
    """What a command fetches and runs: its name, version, and the argument that says so."""

    name: str
    version: str
    ecosystem: str
    given: str
    index: int


def settings(document: JsoncDocument) -> Iterator[Subject]:
    """The settings as a whole, each server in them, and their variables."""
    data = document.data
    if isinstance(data, list):  # tasks of Zed
        yield Subject("agent.settings", {"tasks": data}, lambda below: document.line(below[1:]))
    if not isinstance(data, dict):
        return
    yield Subject("agent.settings", data, document.line)
    for key in ("settings", "tasks"):  # of a workspace of VS Code, as in files of their own
        if isinstance(data.get(key), dict):
            yield Subject("agent.settings", data[key], _below(document, (key,)))
    for path, prompt in _hook_prompts(data):
        for subject in texts("rules", prompt, 1):
            yield Subject(subject.kind, subject.value, _at(document, path), {"name": ""},
                          breaks=False)  # fmt: skip
    yield from _variables(document, data.get("env"), ("env",))
    for path, name, server in _servers(data, (), 0):
        context = {"name": name, "package": package(server)}
        yield Subject("mcp.server", server, _below(document, path), context)
        for key in ("env", "headers"):
            yield from _variables(document, server.get(key), (*path, key))
    for key, value in document.twice:
        yield Subject("json.twice", {"key": key}, at_line(value))


def _hook_prompts(data: dict[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    """What hooks have a model do by itself: of Kiro one a file, of others at any depth."""
    then = data.get("then")
    if "when" in data and isinstance(then, dict) and isinstance(then.get("prompt"), str):
        yield ("then", "prompt"), then["prompt"]
    places: list[tuple[FieldPath, Any]] = [(("hooks",), data.get("hooks"))]
    while places:
        path, value = places.pop()
        if len(path) > _MAX_DEPTH:
            continue
        if isinstance(value, dict) and isinstance(value.get("prompt"), str):
            yield (*path, "prompt"), value["prompt"]
        pairs = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        places += [((*path, key), one) for key, one in pairs]


def _at(document: JsoncDocument, path: FieldPath) -> Any:
    return lambda _: document.line(path)


def _below(document: JsoncDocument, path: FieldPath) -> Any:
    return lambda below: document.line((*path, *below))


def _servers(
    value: Any, path: FieldPath, depth: int
) -> Iterator[tuple[FieldPath, str, dict[str, Any]]]:
    """Servers under one of the usual keys, at any place: some files keep them by project."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for key, one in value.items():
        if key in _KEYS and isinstance(one, dict):
            for name, server in one.items():
                if isinstance(server, dict) and (
                    {"command", "url", "serverUrl", "httpUrl"} & set(server)
                ):
                    yield (*path, key, name), name, server
        elif key == "mcp_config" and isinstance(one, dict):  # the manifest of a package
            yield (*path, key), str(key), one
        else:
            yield from _servers(one, (*path, key), depth + 1)


def _variables(document: JsoncDocument, value: Any, path: FieldPath) -> Iterator[Subject]:
    for name, one in value.items() if isinstance(value, dict) else ():
        if isinstance(one, str):
            bare = re.sub(r"^(?i:bearer|basic|token)\s+", "", one)
            called = "auth_token" if name.lower() == "authorization" else name
            yield variable(called.replace("-", "_"), bare, document.line((*path, name)), "agent")


def words(server: Mapping[str, Any]) -> list[str]:
    """Command and arguments of a server."""
    command, arguments = server.get("command"), server.get("args")
    if isinstance(command, list):
        arguments, command = command[1:], command[0] if command else ""
    first = command.split() if isinstance(command, str) else []
    rest = [one for one in arguments if isinstance(one, str)] if isinstance(arguments, list) else []
    return [*first, *rest]


def package(server: Mapping[str, Any]) -> Package | None:
    """The package that a server's command fetches; None where it fetches none."""
    given = words(server)
    if given and given[0].rpartition("/")[2].lower() in ("cmd", "cmd.exe") and "/c" in given:
        given = given[given.index("/c") + 1 :]  # as on Windows
    if not given:
        return None
    runner = (
        given[0].replace("\\", "/").rpartition("/")[2].removesuffix(".cmd").removesuffix(".exe")
    )
    rest = given[1:]
    if (runner, *rest[:1]) in _LIKE_NPX:
        runner, rest = "npx", rest[1:]
    elif runner == "uv" and rest[:2] == ["tool", "run"]:
        runner, rest = "uvx", rest[2:]
    elif runner == "pipx" and rest[:1] == ["run"]:
        rest = rest[1:]
    if runner not in _RUNNERS:
        return None
    found = _first(
        rest, "--package" if runner == "npx" else "--from" if runner == "uvx" else "--spec"
    )
    if not found:
        return None
    arguments = server.get("args")
    index = arguments.index(found) if isinstance(arguments, list) and found in arguments else 0
    ecosystem = _RUNNERS[runner]
    name, version = (_npm if ecosystem == "npm" else _pypi)(found)
    return Package(name, version, ecosystem, found, index)


def _first(rest: list[str], option: str) -> str:
    skip = False
    for place, one in enumerate(rest):
        if skip:
            skip = False
        elif one.startswith(f"{option}="):
            return one.partition("=")[2]
        elif one == option:
            return rest[place + 1] if place + 1 < len(rest) else ""
        elif one in _WITH_VALUE and not (one == "-p" and option == "--package"):
            skip = True
        elif one == "-p":
            return rest[place + 1] if place + 1 < len(rest) else ""
        elif not one.startswith("-"):
            return one
    return ""


def _npm(text: str) -> tuple[str, str]:
    scope, name = ("@", text[1:]) if text.startswith("@") else ("", text)
    name, _, version = name.partition("@")
    return scope + name, version


def _pypi(text: str) -> tuple[str, str]:
    match = re.match(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==|@)\s*([^\s,;]+)$", text)
    if match and "://" not in match[2]:
        return match[1], match[2]
    return re.split(r"[\[<>=!~;\s@]", text, maxsplit=1)[0], ""
