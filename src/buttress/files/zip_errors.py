"""What the library for zip archives lets through."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from typing import Final

BAD_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    EOFError, OSError, ValueError, KeyError, OverflowError, IndexError,
)  # fmt: skip
"""Errors for archives that are damaged, encrypted or of an unknown kind."""
