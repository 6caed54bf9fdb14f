"""Files that Python runs at its start by their names, where their folder is on its path.

Text files called ``.pth``: their lines that begin "import". The ending is PyTorch's too; such a
file is a zip archive or a pickle, never a text. ``sitecustomize.py`` and ``usercustomize.py``: all
of it (documentation of the module ``site``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import MAX_READ, ByteSource, FileSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.python_beside import calls
from buttress.probes.artifacts.scope import Scope

_CUSTOMISING: Final = ("sitecustomize.py", "usercustomize.py")
_READ: Final = MAX_READ
_LINE: Final = re.compile(rb"^import[ \t][^\r\n]*", re.M)
_EXPECTED: Final = re.compile(
    rb"import (?:_?distutils_hack|__editable__\w*|_virtualenv|\w+_finder)\b"
)


def matches(source: ByteSource, head: bytes) -> bool:
    """By the name, as Python's ``site`` does, and no control bytes."""
    if not (isinstance(source, FileSource) and is_text(head)):
        return False
    return source.name.endswith(".pth") or source.name in _CUSTOMISING


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Lines that ``site.addpackage`` executes, or what the file calls."""
    if source.size > _READ:
        message = f"Python reads this file at each start; only the first {_READ >> 20} MB were."
        yield scope.not_searched(_READ, message)
    if isinstance(source, FileSource) and source.name in _CUSTOMISING:
        if found := calls(source.read_at(0, _READ), scope.names):
            message = f"Python runs this file at each start, and it calls {', '.join(found)}."
            yield scope.issue("python-path-code", 0, message)
        return
    for line_found in _LINE.finditer(source.read_at(0, _READ)):
        line = line_found[0].decode("utf-8", "replace")
        if not _EXPECTED.match(line_found[0]):
            message = f"Python runs this line at each start: {shortened(line)!r}."
            yield scope.issue("python-path-code", line_found.start(), message, proof=line)
            return
