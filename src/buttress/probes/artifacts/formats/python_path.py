"""Text files called ``.pth``: in a folder of packages, Python runs their lines that begin "import".

The ending is PyTorch's too; such a file is a zip archive or a pickle, never a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope, printable
from buttress.probes.artifacts.source import FileSource, Source

_READ: Final = 1 << 20
_LINE: Final = re.compile(rb"^import[ \t][^\r\n]*", re.M)
_EXPECTED: Final = re.compile(
    rb"import (?:_?distutils_hack|__editable__\w*|_virtualenv|\w+_finder)\b"
)


def matches(source: Source, head: bytes) -> bool:
    """By the name, as Python's ``site`` does, and no control bytes."""
    return isinstance(source, FileSource) and source.name.endswith(".pth") and is_text(head)


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Lines that ``site.addpackage`` executes."""
    for found in _LINE.finditer(source.read_at(0, _READ)):
        line = found[0].decode("utf-8", "replace")
        if not _EXPECTED.match(found[0]):
            message = f"Python runs this line at each start: {printable(line)!r}."
            yield scope.issue("python-path-code", found.start(), message, proof=line)
            return
