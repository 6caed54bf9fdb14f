"""OpenVINO's intermediate representation (versions 10, 11): an XML graph, a file of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.byte_source import FileSource, ResourceMeter
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.xml_stream import Element
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_SETS: Final = re.compile(r"opset\d+|experimental|ie_internal_opset|gpu_opset|cpu_plugin_opset|")
_LIBRARY: Final = re.compile(r"\.(?:so|dll|dylib)(?:\.\d+)*\Z")
_TOLD: Final = 10


def issues(found: Iterator[Element], scope: Scope) -> Iterator[ArtifactIssue]:
    """Layers outside of the operator sets, weights outside of the file, libraries by name."""
    beside = _beside(scope)
    weights = beside.stat().st_size if beside else None
    custom: set[str] = set()
    told, reach = 0, 0
    for element in found:
        attributes = element.attributes
        if element.name == "layer":
            kind, version = attributes.get("type", ""), attributes.get("version", "")
            if not _SETS.fullmatch(version) and kind not in custom and len(custom) < _TOLD:
                custom.add(kind)
                message = (
                    f"The layer {shortened(kind)!r} of {shortened(version)!r} needs a native "
                    "library that is loaded beside the model."
                )
                yield scope.issue("openvino-custom-layer", element.offset, message)
        elif element.name == "data":
            end, problem = _extent(attributes, weights)
            reach = max(reach, end)
            if problem and told < _TOLD:
                told += 1
                yield scope.issue("openvino-malformed", element.offset, f"{problem}.")
        for key, value in attributes.items():
            if _LIBRARY.search(value):
                message = (
                    f"The attribute {shortened(key)!r} names the library {shortened(value)!r}."
                )
                yield scope.issue("openvino-custom-layer", element.offset, message)
    if beside is not None and weights is not None and 0 < reach < weights:
        yield from _rest(beside, reach, scope)


def _beside(scope: Scope) -> Path | None:
    """The file of weights, None where there is none beside the graph."""
    if scope.file is None:
        return None
    path = scope.file.with_suffix(".bin")
    try:
        return path if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None


def _rest(path: Path, reach: int, scope: Scope) -> Iterator[ArtifactIssue]:
    """What lies behind the last constant."""
    try:
        with FileSource(path, ResourceMeter()) as source:
            yield from after(source, reach, scope.child(path.name))
    except OSError:
        return


def _extent(attributes: dict[str, str], weights: int | None) -> tuple[int, str | None]:
    """Where a constant ends in the weights, and what is wrong with it."""
    numbers = []
    for key in ("offset", "size"):
        text = attributes.get(key, "0").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            return 0, f"A constant has the {key} {shortened(text)!r}"
        numbers.append(int(text))
    end = sum(numbers)
    if weights is not None and end > weights:
        return end, f"A constant ends at {end} of the weights, which have {weights} bytes"
    return end, None
