"""Finds console examples and files in a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Command:
    """A line after ``$`` and the output that the page shows; ``…`` in it stands for anything."""

    line: str
    output: list[str] = field(default_factory=list)

    def matches(self, text: str) -> bool:
        """Whether ``text`` is such an output; spaces count as one."""
        if not self.output:
            return True
        wanted = r"\s+".join(
            ".*" if line.strip() == "…" else _pattern(line) for line in self.output
        )
        return re.search(rf"(?<!\S){wanted}", " ".join(text.split()), re.DOTALL) is not None


def _pattern(line: str) -> str:
    return ".*?".join(
        r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("…")
    )


def files(page: str) -> Iterator[tuple[str, str]]:
    """Names and contents of files that a page gives: a name in backticks, a colon, a block."""
    for found in _FILE.finditer(page):
        yield found[1], found[2]


def commands(page: str) -> Iterator[Command]:
    """The commands of a page's console blocks, in order."""
    for kind, body in _BLOCK.findall(page):
        if kind != "console":
            continue
        current: Command | None = None
        for line in body.splitlines():
            if line.startswith("$ "):
                if current:
                    yield current
                current = Command(re.split(r"\s+# ", line[2:])[0].strip())
            elif current:
                current.output.append(line)
        if current:
            yield current
