"""Commands that download a script, or decode one, and hand it to an interpreter unseen."""

from __future__ import annotations

import re
from typing import Final

_FETCH: Final = r"\b(?:curl|wget|aria2c|fetch|lynx\s+-(?:source|dump))\b"
_SUDO: Final = r"(?:sudo\s+(?:-\S+\s+)*)?(?:env\s+)?(?:[A-Z_]+=\S*\s+)*"
_SHELL: Final = r"(?:/usr)?(?:/bin/)?(?:ba|z|da|k)?sh\b"
# An interpreter that reads its program from its input: with -c or -m that is data.
_READS: Final = (
    r"(?:/usr)?(?:/bin/)?(?:python[\d.]*|perl|ruby|node|php)(?:\s+-[uBEsSIw]\b)*\s*(?:-(?=\s|$))?\s*"
    r"(?=$|[\n;&|)}\"'`])"
)
_RUNS: Final = rf"(?:{_SHELL}|{_READS})"
_EXPANDED: Final = rf"(?:\$\(|`|<\()\s*{_FETCH}"
DOWNLOADED_SCRIPTS: Final = tuple(
    re.compile(one)
    for one in (
        # fetched, passed through other programs, and run
        rf"{_FETCH}[^\n;&|]{{0,400}}(?:\|(?!\|)[^\n;&|]{{0,200}}){{0,4}}\|\s*[({{]?\s*{_SUDO}{_RUNS}",
        rf"{_FETCH}[^\n;&|]{{0,400}}\|\s*(?:xargs\b[^\n;&|]{{0,80}}?\s|ssh\s[^\n;&|]{{0,80}}?\s){_SHELL}",
        rf"[({{]\s*{_FETCH}[^\n;&|]{{0,400}};?\s*[)}}]\s*\|\s*{_SUDO}{_RUNS}",
        rf"(?:{_SHELL}(?:\s+-\w*c)?|\bsource|\beval|(?:^|(?<=[\s;&|(]))\.)\s+[\"']?{_EXPANDED}",
        rf"\b(?:python[\d.]*|perl|ruby|node|php)\s+-[cer]\s+[\"']?{_EXPANDED}",
        rf"{_SHELL}\s*<<<\s*[\"']?{_EXPANDED}",
        rf"\b(?P<name>\w+)=[\"']?(?:\$\(|`)\s*{_FETCH}[^\n]{{0,400}}?[\n;&](?:.{{0,2000}}?\n)??.{{0,300}}?"
        r"(?:\beval|\bsh\s+-c|<<<)\s+[\"']?\$\{?(?P=name)\b",
        r"base64\s+(?:-d|--decode|-D)\b[^\n;&|]{0,80}\|\s*" + _SUDO + _SHELL,
        r"(?i:\b(?:iwr|irm|curl|wget|Invoke-WebRequest|Invoke-RestMethod)\b[^\n;|]{0,400}\|\s*"
        r"(?:iex|Invoke-Expression)\b|\b(?:iex|Invoke-Expression)\b[^\n;|]{0,100}"
        r"(?:\.DownloadString|\biwr\b|\birm\b|Invoke-WebRequest|Invoke-RestMethod))",
    )
)  # fmt: skip
# Code of Python and Node that evaluates what it fetches.
_EVALUATED: Final = re.compile(
    r"\b(?:exec|eval)\s*\(\s*(?:compile\(\s*)?(?:await\s+)?\(?(?:\w+\.){0,4}"
    r"(?:urlopen|get|fetch)\s*\("
)


def runs_download(command: str) -> bool:
    """Whether a command runs what it downloads; for commands that run by themselves."""
    return bool(_EVALUATED.search(command)) or any(
        one.search(command) for one in DOWNLOADED_SCRIPTS
    )
