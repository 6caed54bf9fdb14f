"""Checks of the commands that start MCP servers: what they fetch, and with which rights it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.utils import canonicalize_name

from buttress.probes.agents.servers import Package, words
from buttress.provenance.dependencies.lookalike import lookalike, malicious
from buttress.provenance.dependencies.versions import Ecosystem
from buttress.rules.downloaded_scripts import runs_download
from buttress.rules.shell import tag_and_digest
from buttress.rules.subject import Check, Subject, SubjectMatch

_SHELLS: Final = {"bash", "sh", "zsh", "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh"}
_SHELL_SERVER: Final = re.compile(
    r"(?i)(?:^|[-_/@])(?:shell|terminal|bash|exec|command|commands|cli-runner|desktop-commander|"
    r"run-commands?|ssh|powershell|iterm)(?:$|[-_/@]|mcp)"
)
# Runs of a program's text from an address: uv and deno take one where others take a file.
_RUN_ADDRESS: Final = re.compile(
    r"(?:^|[\\/])(?:uv|deno|bun|pipx)(?:\.exe)?(?:\s+-\S+){0,4}(?:\s+(?:run|serve))?"
    r"(?:\s+(?:--?(?:with|from|python|p|index|project|directory|config|import-map)\s+\S+|-\S+)){0,10}"
    r"\s+https?://\S"
)
_WITH_VALUE: Final = {
    "-e", "--env", "-v", "--volume", "--mount", "--name", "--network", "-p", "--env-file", "-w",
    "--workdir", "-u", "--user", "--entrypoint", "--add-host", "--platform",
}  # fmt: skip


def _unpinned(subject: Subject) -> Iterator[SubjectMatch]:
    package = _package(subject)
    if (
        package
        and not _is_address(package.given)
        and package.version in ("", "latest", "next", "*")
    ):
        yield SubjectMatch(_line(subject, package), package.given)


def _repository(subject: Subject) -> Iterator[SubjectMatch]:
    package = _package(subject)
    if (
        package
        and _is_address(package.given)
        and not re.search(r"[@#][0-9a-f]{40}\b", package.given)
    ):
        yield SubjectMatch(_line(subject, package), package.given)


def _is_address(text: str) -> bool:
    return (
        bool(re.match(r"git\+|https?://|github:|git@|[\w.-]+/[\w.-]+(?:#|$)", text))
        or "@ git+" in text
    )


def _package(subject: Subject) -> Package | None:
    package = subject.context["package"]
    return package if isinstance(package, Package) else None


def _line(subject: Subject, package: Package) -> int:
    return subject.line(("args", package.index))


def _lookalike(subject: Subject) -> Iterator[SubjectMatch]:
    package = _package(subject)
    if package and (found := lookalike(*_compared(package))):
        yield SubjectMatch(
            _line(subject, package), f"{package.name} is like {found.target}, {found.how}"
        )


def _malicious(subject: Subject) -> Iterator[SubjectMatch]:
    package = _package(subject)
    if not package:
        return
    name, ecosystem = _compared(package)
    known = malicious().get((ecosystem, name))
    if known and (not known.versions or package.version in known.versions):
        yield SubjectMatch(
            _line(subject, package), f"{package.name}: {known.what} ({known.source})"
        )


def _compared(package: Package) -> tuple[str, Ecosystem]:
    if package.ecosystem == "npm":
        return package.name, "npm"
    return canonicalize_name(package.name), "PyPI"


def _shell(subject: Subject) -> Iterator[SubjectMatch]:
    given = words(subject.value)
    package = _package(subject)
    runs = given[0].replace("\\", "/").rpartition("/")[2].lower() if given else ""
    bare = (
        runs in _SHELLS
        and not package
        and not any(one in ("-c", "/c", "-Command") for one in given)
    )
    script = runs in _SHELLS and bare and len(given) > 1
    named = package.name if package else ""
    if (bare and not script) or _SHELL_SERVER.search(named):
        yield SubjectMatch(subject.line(("command",)), named or runs)


def _remote_script(subject: Subject) -> Iterator[SubjectMatch]:
    command = " ".join(words(subject.value))
    if runs_download(command) or _RUN_ADDRESS.search(command):
        yield SubjectMatch(subject.line(("command",)))


def _docker(subject: Subject) -> list[str]:
    given = words(subject.value)
    runs = given[0].rpartition("/")[2] if given else ""
    return given[2:] if runs in ("docker", "podman") and given[1:2] == ["run"] else []


def _docker_image(subject: Subject) -> Iterator[SubjectMatch]:
    rest = _docker(subject)
    skip = False
    for one in rest:
        if skip:
            skip = False
        elif one in _WITH_VALUE:
            skip = True
        elif not one.startswith("-"):
            _, tag, digest = tag_and_digest(one)
            if not digest and tag in ("", "latest"):
                yield SubjectMatch(subject.line(("args",)), one)
            return


def _docker_rights(subject: Subject) -> Iterator[SubjectMatch]:
    text = " ".join(_docker(subject))
    match = re.search(
        r"--privileged|docker\.sock|--pid[= ]host|(?:-v|--volume)[= ](?:/|~|\$HOME|\$\{HOME\}):|"
        r"src=(?:/|~|\$HOME),", text,
    )  # fmt: skip
    if match:
        yield SubjectMatch(subject.line(("args",)), match[0])


CHECKS: Final[dict[str, Check]] = {
    "unpinned-package": _unpinned,
    "repository-package": _repository,
    "lookalike-package": _lookalike,
    "malicious-package": _malicious,
    "shell-server": _shell,
    "remote-script": _remote_script,
    "docker-image": _docker_image,
    "docker-rights": _docker_rights,
}
