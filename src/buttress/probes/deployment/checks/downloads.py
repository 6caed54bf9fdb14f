"""Checks of commands that fetch a file and run it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.probes.deployment.checks.shells import is_told
from buttress.rules.installers import known_source
from buttress.rules.subject import CONTINUED, Check, Subject, SubjectMatch

_DOWNLOAD: Final = re.compile(r"\b(curl|wget|aria2c|axel)\b([^\n;&|]{1,600})")
_ADDRESS: Final = re.compile(r"[a-z]{3,5}://[^\s\"'<>]+|\$\{?\w+\}?[^\s\"'<>]*")
_OUTPUT: Final = {
    "curl": re.compile(
        r"\s(?:-[a-zA-Z]*o\s*|--output[= ]\s*)[\"']?([^\s\"']+)|>\s*[\"']?([^\s\"']+)"
    ),
    "wget": re.compile(
        r"\s(?:-[a-zA-Z]*O\s*|--output-document[= ]\s*)[\"']?([^\s\"']+)|>\s*[\"']?([^\s\"']+)"
    ),
    "aria2c": re.compile(r"\s(?:-o\s*|--out[= ]\s*)[\"']?([^\s\"']+)|>\s*[\"']?([^\s\"']+)"),
    "axel": re.compile(r"\s(?:-o\s*|--output[= ]\s*)[\"']?([^\s\"']+)|>\s*[\"']?([^\s\"']+)"),
}
_OWN_NAME: Final = re.compile(r"\s(?:-[a-zA-Z]*O[a-zA-Z]*|--remote-name(?:-all)?)(?:\s|$)")
_CHECKED: Final = re.compile(
    r"(?i)\b(?:sha(?:1|224|256|384|512)?sum|shasum|md5sum|b2sum|gpg2?\s+--(?:verify|batch)|gpgv|cosign|"
    r"minisign|signify|openssl\s+dgst|slsa-verifier|get-filehash)\b"
)
# A credential goes along: what only its holder may fetch, a stranger does not put there.
_WITH_CREDENTIAL: Final = re.compile(
    r"(?i)(?:-H|--header)[= ]?\s*[\"'](?:authorization|private-token|x-\w+-token|job-token)\s*:|"
    r"\s(?:-u|--user|--oauth2-bearer|--netrc(?:-file)?)[= ]"
)
_NO_FILE: Final = ("-", "/dev/null", "/dev/stdout", "/dev/stderr")
_INTERPRETERS: Final = r"(?:ba|z|da|k)?sh|source|\.|python[\d.]*|perl|ruby|node|pwsh"
_MAX_DOWNLOADS: Final = 200


def _run_unchecked(subject: Subject) -> Iterator[SubjectMatch]:
    """A file that was downloaded is run in the same script, and nothing compares its digest."""
    text = subject.value.replace(CONTINUED, "\v")  # a space that keeps the count of lines
    for number, match in enumerate(_DOWNLOAD.finditer(text)):
        if number >= _MAX_DOWNLOADS:
            return
        name = _file(match[1], match[2])
        if not name:
            continue
        run = _runs(name).search(text, match.end())
        if run is None or is_told(text, run.start(1), run.end()):
            continue
        if _CHECKED.search(text, match.start(), run.start()):
            continue
        before = text[: run.start(1)]
        line = subject.line(()) + before.count("\n") + before.count("\v")
        own = _WITH_CREDENTIAL.search(match[2])
        why = "it is fetched with a credential of one's own" if own else known_source(match[0])
        yield SubjectMatch(line, name, why)


def _file(command: str, arguments: str) -> str:
    """The name of the file that a download is written to; empty where it is none."""
    address = _ADDRESS.search(arguments)
    if address is None:
        return ""
    output = _OUTPUT[command].search(arguments)
    if output is None and command == "curl" and not _OWN_NAME.search(arguments):
        return ""
    path = (output[1] or output[2]) if output else re.split(r"[?#]", address[0])[0]
    name = "" if path in _NO_FILE else path.rstrip("/").rpartition("/")[2]
    return name if len(name) > 1 or "/" in path.rstrip("/") else ""


def _runs(name: str) -> re.Pattern[str]:
    """A command that runs the file, alone or by an interpreter."""
    file = rf"[\"']?(?:[\w.~${{}}-]*/)*{re.escape(name)}[\"']?(?=[\s;&|)]|$)"
    begin = (
        r"(?:^|[\n;&|`]|(?<!\w)\(|\bthen|\bdo|-c\s+[\"'])\s*(?:[A-Z_]+=\S*\s+)*"
        r"(?:sudo\s+(?:-\S+\s+)*)?"
    )
    by = rf"(?:/usr)?(?:/bin/)?(?:{_INTERPRETERS})\s+(?:-[\w-]+\s+)*{file}"
    return re.compile(rf"{begin}({by}|{file})")


CHECKS: Final[dict[str, Check]] = {"download-run": _run_unchecked}
