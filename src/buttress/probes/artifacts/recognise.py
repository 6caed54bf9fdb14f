"""Which formats a stretch of bytes has. By content: a name can be chosen by an attacker.

More than one may apply: a file that begins as a pickle can end as a zip archive, and different
loaders would read different halves of it.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Final, Protocol, cast

from buttress.files.byte_source import ByteSource, ExpansionError, Rest
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.sniffers import HEAD


class Format(Protocol):
    """A module of ``formats``."""

    def matches(self, source: ByteSource, head: bytes, /) -> bool:
        """Whether the bytes look like this format; ``head`` is their first 512."""
        ...

    def inspect(self, source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
        """What is wrong with it."""
        ...


# Modules of ``formats``, each imported for the first file that its hint does not rule out.
FORMATS: Final[tuple[tuple[str, Callable[[ByteSource, bytes], bool]], ...]] = (
    ("pickled", sniffers.pickled),
    ("zip_archive", sniffers.zipped),
    ("safetensors", sniffers.safetensors),
    ("gguf", sniffers.gguf),
    ("numpy_array", sniffers.numpy_array),
    ("hdf5", sniffers.hdf5),
    ("keras", sniffers.json_object),
    ("paddle_json", sniffers.json_text),
    ("tar_archive", sniffers.tarred),
    ("compressed", sniffers.compressed),
    ("seven_zip_archive", sniffers.seven_zip),
    ("asar_archive", sniffers.electron_archive),
    ("wxapkg_archive", sniffers.mini_program),
    ("json_config", sniffers.json_text),
    ("yaml_config", sniffers.marked_text),
    ("chat_template", sniffers.marked_text),
    ("graph_text", sniffers.marked_text),
    ("xml_model", sniffers.xml),
    ("tflite", sniffers.tflite),
    ("flax", sniffers.message_pack),
    ("protobuf_model", sniffers.protobuf),
    ("paddle_params", sniffers.paddle_params),
    ("core_ml_weights", sniffers.core_ml_weights),
    ("opaque_weights", sniffers.opaque_weights),
)
# Formats that are known by their shape alone, which raw numbers may have by chance.
_UNMARKED: Final = frozenset(
    (
        "flax", "protobuf_model", "paddle_params", "paddle_json", "json_config", "yaml_config",
        "chat_template", "graph_text",
    )
)  # fmt: skip
# Configurations and templates, which no loader takes from a source file, a notebook, a script or a
# text for people. Other probes read those.
_SOURCE: Final = frozenset(
    ("keras", "paddle_json", "json_config", "yaml_config", "chat_template", "graph_text")
)
_CODE: Final = (
    ".py", ".pyi", ".pyx", ".ipynb", ".md", ".mdx", ".rst", ".sh", ".bash", ".zsh", ".mk",
    ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".css", ".scss",
    ".svelte", ".go", ".rs", ".java", ".kt", ".scala", ".swift", ".cs", ".rb", ".php", ".lua",
    ".jl", ".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cu", ".cuh", ".ps1", ".tex", ".bib", ".pl",
    "makefile", "dockerfile",
)  # fmt: skip
# A template begins with a brace as well, and is none of these.
_DATA: Final = frozenset(("keras", "paddle_json", "json_config"))
_TEMPLATES: Final = (".jinja", ".jinja2", ".j2")
_PIECE: Final = 1 << 20
# For files that have no other format.
_LAST_RESORTS: Final = ("python_path", "stray_pickle", "endless_message")


@cache
def _format(name: str) -> Format:
    return cast(Format, import_module(f"buttress.probes.artifacts.formats.{name}"))


@cache
def candidates(first: int) -> tuple[tuple[str, Callable[[ByteSource, bytes], bool]], ...]:
    """Those of ``FORMATS`` that a file with this first byte may have."""
    every = frozenset(range(256))
    return tuple(one for one in FORMATS if first in sniffers.FIRST.get(one[1], every))


def examine(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of every format that ``source`` has; ``scope.tally.recognised`` counts the formats."""
    try:
        head = source.read_at(0, HEAD)
        if not head:
            return
        before = scope.tally.recognised
        left_out = _UNMARKED if scope.raw else _left_out(scope.name.lower())
        for name, possible in candidates(head[0]):
            if possible(source, head) and name not in left_out:
                yield from _inspected(name, source, head, scope)
        if scope.tally.recognised == before and (blanks := _blank_lines(source, head)):
            # Readers of JSON, YAML, XML and templates pass over them.
            yield from examine(Rest(source, blanks), scope._replace(base=blanks))
        if scope.tally.recognised == before and scope.depth == 0:
            # Not for members of archives: they are too many, tensors most of them.
            for name in _LAST_RESORTS:
                yield from _inspected(name, source, head, scope, count=0)
    except ExpansionError as error:
        yield scope.bomb(error)


def _blank_lines(source: ByteSource, head: bytes) -> int:
    """Offset of the first line that has anything, where that is not in the head; else 0."""
    piece, at, line = head.removeprefix(BOM_UTF8), 0, 0
    while piece and not piece.strip():
        line = max(line, at + piece.rfind(b"\n") + 1)
        at += _PIECE if at else len(head)
        piece = source.read_at(at, _PIECE)
    if not at or not piece:
        return 0
    within = piece.rfind(b"\n", 0, len(piece) - len(piece.lstrip())) + 1
    return at + within if within else line or len(head)


def _left_out(name: str) -> frozenset[str]:
    """Formats that a file of that name does not have, whatever it looks like."""
    if name.endswith(_CODE):
        return _SOURCE
    return _DATA if name.endswith(_TEMPLATES) else frozenset()


def _inspected(
    name: str, source: ByteSource, head: bytes, scope: Scope, *, count: int = 1
) -> Iterator[ArtifactIssue]:
    """Issues of one format, where the bytes have it; ``count``: add to what is recognised.

    A mistake in one parser must neither end the scan nor keep the other formats from being looked
    at, nor pass for *nothing found*: it is told.
    """
    try:
        form = _format(name)
        if form.matches(source, head):
            scope.tally.recognised += count
            yield from form.inspect(source, scope)
    except (ExpansionError, OSError):  # the file's or the disk's doing
        raise
    except Exception as error:
        from buttress.files.failure import failure

        message = f"In this file, {failure(error, f'formats.{name}')}."
        yield scope.issue("inspector-failed", 0, message, proof=f"{type(error).__name__}: {error}")
