"""Commands that install packages: in images, scripts, pipelines and notebooks.

Only what they name is taken up. How they install it (indexes, hosts, repositories) is looked at by
the rules for commands of the probes ``infrastructure`` and ``unsafe-code``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from buttress.files.notebook_code import notebook as notebook_code
from buttress.provenance.dependencies.dependency import Dependency, Parsed, requirement
from buttress.provenance.dependencies.formats import conda

_MAX_COMMAND: Final = 8_000  # characters
_INSTALL: Final = re.compile(
    r"(?:^|[\s;&|(\[\"'!%/}])(?P<tool>(?:uv\s+)?pip[0-9.]{0,5}|pipx|uv|poetry|pdm|conda|mamba|"
    r"micromamba|npm|pnpm|yarn|bun)[\"']?[,\s]+[\"']?(?P<verb>(?:tool\s+|global\s+)?(?:install|add|i))\b[\"']?,?"
)
# Tools that fetch a package and run it: what comes first names it, or an option does.
_RUN: Final = re.compile(
    r"(?:^|[\s;&|(\[\"'!%/}])(?P<tool>npx|bunx|(?:pnpm|yarn)\s+dlx|uvx|uv\s+(?:tool\s+)?run|"
    r"pipx\s+run)[\"']?[,\s]+"
)
_OF_NPM: Final = ("npx", "bunx", "dlx")
_PACKAGE: Final = ("-p", "--package", "--from", "--with", "--spec")
_QUICK: Final = re.compile(r"install| add | i |npx|bunx|dlx|uvx|uv\s+(?:tool\s+)?run|pipx\s+run")
_VALUE: Final = re.compile(
    r"\s*(?:ARG\s+|ENV\s+|export\s+)?([A-Za-z_]\w{0,60})=[\"']?([\w.+-]{1,60})[\"']?\s*"
)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w{1,60})\}|(\w{1,60}))")
_END: Final = re.compile(r"&&|\|\||[;|)\n]|(?<!\S)#")
# Options that take the next word.
_WITH_VALUE: Final = frozenset((
    "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f",
    "--find-links", "-t", "--target", "--prefix", "--root", "--src", "--platform",
    "--python-version", "--python", "--abi", "--implementation", "--only-binary", "--no-binary",
    "--trusted-host", "--cache-dir", "--proxy", "--timeout", "--retries", "--log",
    "--progress-bar", "--config-settings", "--global-option", "--report", "--upgrade-strategy",
    "--use-feature", "--index", "--index-strategy", "--channel", "--name", "-n", "-p", "--file",
    "--registry", "-e", "--editable", "--extra", "--group", "--cert", "--client-cert",
    "--root-user-action", "--default-index", "--exclude-newer", "--with", "--torch-backend",
    "--no-build-isolation-package",
))  # fmt: skip
_TOLD: Final = re.compile(r"\b(?:echo|printf|print|log|warn|error|die|fail|info)\b")
_NPM: Final = re.compile(r"(@[\w.~-]{1,200}/[\w.~-]{1,200}|[\w~-][\w.~-]{0,200})(?:@(.{1,100}))?")
_AT_VERSION: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)@(\d[\w.+!-]*)$")
_PYTHON: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[^\]]*\])?")


def parse(text: str) -> Parsed:
    """What the commands of a Dockerfile, a script or a pipeline install."""
    parsed = Parsed()
    known: dict[str, str] = {}
    for line, command in _commands(text):
        if value := _VALUE.fullmatch(command):
            known[value[1]] = value[2]
            continue
        _take(_filled(command, known), line, parsed)
    return parsed


def _filled(command: str, known: Mapping[str, str]) -> str:
    """A command with variables that an earlier line sets to a single word."""
    if not known or "$" not in command:
        return command
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), command)


def notebook(text: str) -> Parsed:
    """What the cells of a notebook install (``!pip``, ``%pip``, ``%conda``, cells of a shell)."""
    parsed = Parsed()
    if "install" not in text:
        return parsed
    found = notebook_code(text.encode("utf-8", "replace"))
    for line, command in found.module.commands if found else ():
        place = found.places[min(line, len(found.places)) - 1] if found and found.places else None
        _take(command, place.line if place else 1, parsed)
    return parsed


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """Lines with what continues them, each with its number."""
    parts: list[str] = []
    first, size = 0, 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        if not parts:
            first, size = number, 0
        elif line.lstrip().startswith("#"):
            continue  # a comment does not end the command of a Dockerfile
        more = line.endswith("\\")
        if size < _MAX_COMMAND:
            parts.append(line[:-1] if more else line)
            size += len(line)
        if not more:
            whole = " ".join(parts)
            if _QUICK.search(whole) or _VALUE.fullmatch(whole):
                yield first, whole[: 2 * _MAX_COMMAND]
            parts = []
    if parts:
        yield first, " ".join(parts)


def _take(command: str, line: int, parsed: Parsed) -> None:
    if command.lstrip().startswith("#"):
        return
    _take_run(command, line, parsed)
    place = 0
    while (match := _INSTALL.search(command, place)) is not None:
        before = re.split(r"&&|[;|\n]", command[place : match.start()])[-1]
        end = _END.search(command, match.end())
        place = end.start() if end else len(command)
        if _TOLD.search(before):
            continue
        tool = match["tool"].split()[-1]
        rest = command[match.end() : place]
        if '",' in match[0]:  # the form of a list, as in JSON
            rest = re.sub(r'"\s*[,\]]\s*', " ", rest).replace('"', " ")
        for word in _names(rest):
            one = _package(tool, word, line)
            if one is not None:
                parsed.add(one)


def _take_run(command: str, line: int, parsed: Parsed) -> None:
    """Packages that are fetched and run in one command."""
    place = 0
    while (match := _RUN.search(command, place)) is not None:
        before = re.split(r"&&|[;|\n]", command[place : match.start()])[-1]
        end = _END.search(command, match.end())
        place = end.start() if end else len(command)
        if _TOLD.search(before):
            continue
        rest = command[match.end() : place]
        if '",' in match[0]:
            rest = re.sub(r'"\s*[,\]]\s*', " ", rest).replace('"', " ")
        words = match["tool"].split()
        tool = "npm" if words[-1] in _OF_NPM else "pip"
        for word in _run(rest, named_only=words[:2] == ["uv", "run"]):
            one = _package(tool, word, line)
            if one is not None:
                parsed.add(one)


def _run(rest: str, *, named_only: bool) -> Iterator[str]:
    """What a command fetches: by its options, else its first word."""
    words = iter(_split(rest))
    named = named_only
    for word in words:
        option, mark, value = word.partition("=")
        if option in _PACKAGE:
            named = named or option != "--with"
            yield from (value if mark else next(words, "")).split(",")
        elif not word.startswith("-"):
            if not named:
                yield word
            return


def _split(rest: str) -> list[str]:
    try:
        return shlex.split(rest[:_MAX_COMMAND])
    except ValueError:  # an open quote
        return [word.strip("\"'") for word in rest[:_MAX_COMMAND].split()]


def _names(rest: str) -> Sequence[str]:
    """The words of a command that are no options, nor what belongs to one."""
    found, skip = [], False
    for word in _split(rest):
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _WITH_VALUE
        elif word[:1] in "<>" or word in ("2>&1",):
            skip = word in ("<", ">", ">>")
        else:
            found.append(word)
    return found


def _package(tool: str, word: str, line: int) -> Dependency | None:
    """What a word names; None for paths, addresses, variables and whatever else."""
    if any(sign in word for sign in "$`{}\\*?") and "==" not in word.partition("*")[0]:
        return None
    if tool in ("npm", "pnpm", "yarn", "bun"):
        match = _NPM.fullmatch(word)
        if not match or word.endswith((".tgz", ".json")):
            return None
        version = match[2] or ""
        exact = bool(re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", version))
        return Dependency(match[1], "npm", line, version if exact else "", "" if exact else version)
    if tool in ("conda", "mamba", "micromamba"):
        below = Parsed()
        conda.package(word, line, below)
        return below.dependencies[0] if below.dependencies else None
    word = _AT_VERSION.sub(r"\1==\2", word)  # of uvx
    if not _PYTHON.match(word) or "/" in word or word.endswith((".whl", ".zip", ".gz", ".txt")):
        return None
    one = requirement(word, line)
    return None if one is None or one.address else one
