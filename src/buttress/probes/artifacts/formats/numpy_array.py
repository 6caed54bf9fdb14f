"""NumPy's .npy: a Python literal as header, then raw numbers or, for objects, a pickle (NEP 1)."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from buttress.files.byte_source import ByteSource, Rest
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

if TYPE_CHECKING:
    import numpy as np

_MAGIC: Final = b"\x93NUMPY"
_PYTHON2_LONG: Final = re.compile(r"(?<![\w'])([0-9]+)L\b")  # Python 2 wrote 3L, as NumPy knows
_MAX_HEADER: Final = 10_000  # numpy's own limit for headers that it evaluates


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the magic number, and a header that may be a dictionary."""
    return head.startswith(_MAGIC) and b"{" in head[10:13]


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Check the header; examine the pickle that an array of objects is."""
    found = described(source)
    if found is None:
        message = "The array's header is not what NumPy writes, or longer than what it evaluates."
        yield scope.issue("numpy-malformed", 8, message)
        return
    dtype, shape, data = found
    if dtype.hasobject:
        yield from scope.child("objects").descend(Rest(source, data))
        return
    needed = math.prod(shape) * dtype.itemsize
    last = source.read_at(data + needed - 1, 2) if needed else b"?" + source.read_at(data, 1)
    if not last:
        message = f"The array announces {needed} bytes, which the file does not have."
        yield scope.issue("numpy-malformed", 8, message)
    elif len(last) == 2 and source.whole:
        if source.read_at(data + needed, len(_MAGIC)) != _MAGIC:
            yield from after(source, data + needed, scope, unexplained="low")
        else:  # NumPy writes several arrays into one file where it is asked to
            yield from scope.child(f"array@{data + needed}").descend(Rest(source, data + needed))


def described(source: ByteSource) -> tuple[np.dtype[Any], tuple[int, ...], int] | None:
    """Type, shape, and where the data begins; None where the header is wrong."""
    start = source.read_at(0, 12)
    wide = len(start) == 12 and start[6] >= 2
    length = int.from_bytes(start[8 : 12 if wide else 10], "little")
    data = (12 if wide else 10) + length
    header = _header(source.read_at(data - length, length)) if length <= _MAX_HEADER else None
    return None if header is None else (*header, data)


def _header(text: bytes) -> tuple[np.dtype[Any], tuple[int, ...]] | None:
    import numpy as np

    try:
        spelled = _PYTHON2_LONG.sub(r"\1", text.decode("latin-1").strip())
        fields = ast.literal_eval(spelled)
        shape = fields["shape"]
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            return None
        return np.lib.format.descr_to_dtype(fields["descr"]), shape
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError):
        return None
    except (RecursionError, MemoryError, OverflowError):
        return None
