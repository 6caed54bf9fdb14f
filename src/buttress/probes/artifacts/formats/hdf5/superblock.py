"""Where an HDF5 file says that it ends (HDF5 File Format Specification 3.0, section II.A)."""

from __future__ import annotations

from typing import Final

from buttress.files.byte_source import ByteSource

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_PLACES: Final = (0, 512, 1024, 2048)
_WIDTHS: Final = (2, 4, 8)  # bytes of an address
_FIRST_ADDRESS: Final = {0: 24, 1: 28, 2: 12, 3: 12}  # offset of the base address, by version


def end_of_file(source: ByteSource) -> int | None:
    """The end-of-file address of the superblock, None where there is none that can be read.

    It counts from the beginning of the file, also where a user block lies in front.
    """
    place = next((at for at in _PLACES if source.read_at(at, 8) == _SIGNATURE), None)
    if place is None:
        return None
    block = source.read_at(place, 96)
    version = block[8] if len(block) > 13 else -1
    first = _FIRST_ADDRESS.get(version)
    width = block[13 if version in (0, 1) else 9] if first is not None else 0
    if first is None or width not in _WIDTHS:
        return None
    field = block[first + 2 * width : first + 3 * width]  # base, free space or extension, end
    if len(field) < width or field == b"\xff" * width:
        return None
    return int.from_bytes(field, "little")
