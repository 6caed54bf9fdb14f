"""Checks of commands that hand what they fetch, or what they hide, to a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from buttress.rules.downloaded_scripts import DOWNLOADED_SCRIPTS
from buttress.rules.installers import known_source
from buttress.rules.subject import CONTINUED, Check, Subject, SubjectMatch

# Commands that print or look for what they are given, and run none of it.
_PRINTS: Final = re.compile(
    r"(?i)(?:sudo\s+)?(?:echo|printf|print|die|log\w*|info|warn\w*|err\w*|fatal|fail|usage|say|msg|note|"
    r"notice|abort|bail|e?grep|fgrep|rg|ag|write-host|write-output|throw|message|puts|write-\w+)\b"
)
# Commands that run a text that they are given; an assignment does where it is used so later.
_RUNS_TEXT: Final = re.compile(
    r"(?i)(?:\S*/)?(?:\w*sh|eval|exec|source|ssh|sudo|su|env|docker|podman|kubectl|wsl|xargs|timeout|nohup|"
    r"python[\d.]*|node|perl|ruby|cmd|start-process|invoke-\w+|iex|run|entrypoint|then|do|else|if|while)$"
)
_ASSIGNED: Final = re.compile(
    r"(?:export\s+|local\s+|readonly\s+|declare\s+)?\$?(\w+)\+?\s*=\s*[\"']"
)
_SHOWN: Final = re.compile(r"[ \t]*(?:(\w+)=[\"']?\$\()?cat\b")
_HERE_STRING: Final = re.compile(r"(?ms)\bwrite-\w+[^\n]*@(['\"])[ \t]*\n.*?^\1@", re.I)
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_EXPORTED: Final = re.compile(r"\bexport\s+\w+=[^\n]*\Z")  # another program runs what it holds
_EMPTY: Final = re.compile(r"(?<=\w)(?:\"\"|'')(?=\w)")  # of a word, which a shell joins
_SECRET_MOUNT: Final = "--mount=type=secret"
_TOKEN_IN_ADDRESS: Final = re2.compile(
    r"https://(?:[A-Za-z0-9_.-]{1,60}:)?\$\{?\{?\s?[A-Za-z_.]{0,40}(?i:token|password|pat|secret)"
    r"[A-Za-z_]{0,20}\s?\}{0,2}@"
)
_MAX: Final = 200
_RUN_PRIVILEGED: Final = re2.compile(
    r"\b(?:(?:nvidia-)?docker|podman|nerdctl)\s+(?:container\s+)?run\b[^\n;&|]{0,400}\s(?:--privileged(?:\s|=true|$)|"
    r"--cap-add[=\s](?:ALL|SYS_ADMIN)\b|--pid[=\s]host\b|--security-opt[=\s]\S*unconfined)[^\n;&|]{0,200}"
)
_RUN_SOCKET: Final = re2.compile(
    r"(?:-v|--volume|--mount)[=\s]\S*(?:docker|containerd|podman)\.sock"
)
_ALL_RIGHTS: Final = re.compile(r"--privileged|--cap-add[=\s](?:ALL|SYS_ADMIN)\b|--pid[=\s]host\b")
_FOR_A_TERMINAL: Final = re.compile(
    r"\s(?:-(?:it|ti)d?\b|-i\s+-t\b|-t\s+-i\b|--interactive\b.*\s--tty\b)"
)
_BINFMT: Final = re.compile(r"\b(?:tonistiigi/binfmt|multiarch/qemu-user-static|linuxkit/binfmt)\b")


def _pipe_to_shell(subject: Subject) -> Iterator[SubjectMatch]:
    text = subject.value.replace(CONTINUED, "\v")  # a space that keeps the count of lines
    text = _EMPTY.sub("", text)
    printed = list(_printed(text)) if "<<" in text or "@" in text else []
    lines: set[int] = set()
    for pattern in DOWNLOADED_SCRIPTS:
        for number, match in enumerate(pattern.finditer(text)):
            if number >= _MAX:
                break
            start, end = match.span()
            if is_told(text, start, end) or any(low <= start < high for low, high in printed):
                continue
            before = text[:start]
            line = subject.line(()) + before.count("\n") + before.count("\v")
            if line not in lines:
                lines.add(line)
                yield SubjectMatch(line, "", known_source(_whole(text, start, end)))


def _whole(text: str, start: int, end: int) -> str:
    """A command with the address that stands behind what was found of it."""
    last = re.compile(r"[\n;&]").search(text, end)
    return text[start : last.start() if last else len(text)].replace("\v", " ")


def is_told(text: str, start: int, end: int) -> bool:
    """Whether a command only stands in a text that another prints or looks for."""
    first = max(text.rfind("\n", 0, start), text.rfind("\v", 0, start)) + 1
    line = text[first:start]
    quoted, sign, begin = False, "", 0
    for place, one in enumerate(line):
        if quoted:
            quoted = one != sign
        elif one in "\"'":
            quoted, sign = True, one
        elif one in ";&|({":
            begin = place + 1
    if not quoted:
        return False
    command = line[begin:].lstrip(" \t@-")
    if not _PRINTS.match(command) and not _is_text(command, text):
        return False
    return sign in text[end - 1 : text.find("\n", end) if "\n" in text[end:] else len(text)]


def _is_text(command: str, text: str) -> bool:
    """Whether a command takes a text to show: a function of the script, or a variable for it."""
    assigned = _ASSIGNED.match(command)
    if assigned:
        printed = list(_printed(text))
        return all(
            any(low <= one.start() < high for low, high in printed)
            for one in _uses(assigned[1]).finditer(text)
        )
    word = re.match(r"[A-Za-z_][\w-]*", command)
    if word is None or _RUNS_TEXT.match(word[0]):
        return False
    own = rf"(?m)^[ \t]*(?:function[ \t]+{re.escape(word[0])}\b|{re.escape(word[0])}[ \t]*\(\))"
    body = re.search(
        own + r"[^\n]*\n?(?:.*\n){0,8}?[^\n]*\b(?i:echo|printf|print|write-host)\b", text
    )
    return body is not None


def _uses(name: str) -> re.Pattern[str]:
    """Where what a variable holds is run."""
    runs = r"(?:\b(?:eval|exec|iex|Invoke-Expression)\b|\s-\w*c\b|^)[ \t]*[\"']?"
    return re.compile(rf"{runs}\$\{{?{re.escape(name)}\b", re.M | re.I)


def _printed(text: str) -> Iterator[tuple[int, int]]:
    """Here-documents that are only printed: ``cat <<EOF`` without a file to write to."""
    for match in _HEREDOC.finditer(text):
        first = text.rfind("\n", 0, match.start()) + 1
        after = text.find("\n", match.end())
        if after < 0:
            continue
        line = text[first:after]
        if not re.match(r"[ \t]*(?:\w+=[\"']?\$\()?cat\b", line) or re.search(
            r">(?!&)|\|", line.replace("<<", "")
        ):
            continue
        closing = re.compile(rf"^[ \t]*{re.escape(match[1])}[ \t]*$", re.M).search(text, after)
        yield after, closing.start() if closing else len(text)
    for match in _HERE_STRING.finditer(text):
        yield match.span()


def _docker_run(subject: Subject, pattern: re2.Pattern[str]) -> Iterator[SubjectMatch]:
    """Containers that are started with more than their own rights, unless it is only told."""
    text = subject.value
    joined = text.replace(CONTINUED, " ")
    for number, match in enumerate(pattern.finditer(text)):
        told = is_told(joined, match.start(), match.end())
        if number >= _MAX or (told and not _EXPORTED.search(text, 0, match.start())):
            continue
        before = text[: match.start()]
        line = subject.line(()) + before.count("\n") + before.count(CONTINUED)
        yield SubjectMatch(line, "", _documented(match[0], subject))


def _documented(command: str, subject: Subject) -> str:
    """Why a container's rights are what its vendor documents, or few, in words; else empty."""
    if _BINFMT.search(command):
        return "it installs emulators of processors and ends, as its vendor documents it"
    if "sock" in command:
        return ""
    if not _ALL_RIGHTS.search(command):
        return "a confinement is taken away, and no right is given"
    if subject.context.get("where") in ("gha", "gitlab"):
        return "in a pipeline, whose machine runs the commands of the project anyway"
    if _FOR_A_TERMINAL.search(command):
        return "somebody starts it by hand, for a terminal"
    return ""


def _token_in_address(subject: Subject, *, in_pipeline: bool) -> Iterator[SubjectMatch]:
    """A token in an address: in a pipeline it goes with a runner that is made for one job."""
    where = subject.context.get("where")
    if _SECRET_MOUNT in subject.value or (where in ("gha", "gitlab")) is not in_pipeline:
        return
    for match in _TOKEN_IN_ADDRESS.finditer(subject.value):
        before = subject.value[: match.start()]
        line = subject.line(()) + before.count("\n") + before.count(CONTINUED)
        lessened = "it stays on the machine that runs the script" if where == "script" else ""
        yield SubjectMatch(line, "", lessened)


CHECKS: Final[dict[str, Check]] = {
    "pipe-to-shell": _pipe_to_shell,
    "docker-run-privileged": lambda subject: _docker_run(subject, _RUN_PRIVILEGED),
    "docker-run-socket": lambda subject: _docker_run(subject, _RUN_SOCKET),
    "token-in-address": lambda subject: _token_in_address(subject, in_pipeline=False),
    "token-in-pipeline": lambda subject: _token_in_address(subject, in_pipeline=True),
}
