"""Which formats a stretch of bytes has. By content: a name can be chosen by an attacker.

More than one may apply: a file that begins as a pickle can end as a zip archive, and different
loaders would read different halves of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from buttress.probes.artifacts.formats import (
    chat_template,
    compressed,
    flax,
    gguf,
    hdf5,
    json_config,
    keras,
    numpy_array,
    pickled,
    protobuf_model,
    safetensors,
    seven_zip_archive,
    tar_archive,
    tflite,
    xml_model,
    yaml_config,
    zip_archive,
)
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.source import ExpansionError, Source

HEAD: Final = 512  # bytes that recognition may look at, a tar header


class Format(Protocol):
    """A module of ``formats``."""

    def matches(self, source: Source, head: bytes, /) -> bool:
        """Whether the bytes look like this format; ``head`` is their first 512."""
        ...

    def inspect(self, source: Source, scope: Scope) -> Iterator[Issue]:
        """What is wrong with it."""
        ...


FORMATS: Final[tuple[Format, ...]] = (
    pickled,
    zip_archive,
    safetensors,
    gguf,
    numpy_array,
    hdf5,
    keras,
    tar_archive,
    compressed,
    seven_zip_archive,
    json_config,
    yaml_config,
    chat_template,
    xml_model,
    tflite,
    flax,
    protobuf_model,
)


def examine(source: Source, scope: Scope) -> Iterator[Issue]:
    """Issues of every format that ``source`` has; ``scope.tally.recognised`` counts the formats."""
    try:
        head = source.read_at(0, HEAD)
        if not head:
            return
        for form in FORMATS:
            if form.matches(source, head):
                scope.tally.recognised += 1
                yield from form.inspect(source, scope)
    except ExpansionError as error:
        yield scope.bomb(error)
