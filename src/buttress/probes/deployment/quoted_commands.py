"""Commands that stand as quoted texts in settings: of builds, tasks and new machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.rules import patterns
from buttress.rules.shell import shell
from buttress.rules.subject import Subject

_FILES: Final = re.compile(
    r"^(?:netlify|fly|mise|pixi|pyproject|railway)\.toml$|.*\.(?:tf|hcl|nomad)$"
)
_OPENED: Final = re.compile(r"<<[-~]?[ \t]*([A-Za-z_]\w{0,60})[ \t\r]*$|(\"\"\"|''')")
_QUOTED: Final = patterns.compiled(r"\"((?:\\.|[^\"\\])*)\"|'([^']*)'")


def holds_quoted(path: Path) -> bool:
    """Whether a file of that name may have commands among its quoted texts: TOML and HCL."""
    return bool(_FILES.match(path.name.lower()))


def quoted(text: str) -> Iterator[Subject]:
    """Texts of several words in quotation marks, and those that go over lines, as scripts."""
    end, start = "", 0
    block: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if end:
            if line.strip() == end or (not end[0].isalnum() and end in line):
                yield shell("\n".join(block), start, where="script")
                end, block = "", []
            else:
                block.append(line)
        elif line.lstrip().startswith(("#", "//")):
            continue
        elif (opened := _OPENED.search(line)) and line.count(opened[2] or "\0") < 2:
            end, start = opened[1] or opened[2], number + 1
        else:
            for one in _QUOTED.finditer(line):
                value = one[1] or one[2] or ""
                if " " in value:
                    yield shell(value.replace('\\"', '"'), number, where="script")
    if block:
        yield shell("\n".join(block), start, where="script")
