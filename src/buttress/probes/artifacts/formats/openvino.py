"""OpenVINO's intermediate representation (versions 10, 11): an XML graph, a file of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.encodings.xml_stream import Element
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope, printable

_SETS: Final = re.compile(r"opset\d+|experimental|ie_internal_opset|gpu_opset|cpu_plugin_opset|")
_LIBRARY: Final = re.compile(r"\.(?:so|dll|dylib)(?:\.\d+)*\Z")
_TOLD: Final = 10


def issues(found: Iterator[Element], scope: Scope) -> Iterator[Issue]:
    """Layers outside of the operator sets, weights outside of the file, libraries by name."""
    weights = _weights(scope)
    custom: set[str] = set()
    told = 0
    for element in found:
        attributes = element.attributes
        if element.name == "layer":
            kind, version = attributes.get("type", ""), attributes.get("version", "")
            if not _SETS.fullmatch(version) and kind not in custom and len(custom) < _TOLD:
                custom.add(kind)
                message = (
                    f"The layer {printable(kind)!r} of {printable(version)!r} needs a native "
                    "library that is loaded beside the model."
                )
                yield scope.issue("openvino-custom-layer", element.offset, message)
        elif element.name == "data" and told < _TOLD and (problem := _problem(attributes, weights)):
            told += 1
            yield scope.issue("openvino-malformed", element.offset, f"{problem}.")
        for key, value in attributes.items():
            if _LIBRARY.search(value):
                message = (
                    f"The attribute {printable(key)!r} names the library {printable(value)!r}."
                )
                yield scope.issue("openvino-custom-layer", element.offset, message)


def _weights(scope: Scope) -> int | None:
    """Length of the file of weights, None where it is not beside the graph."""
    if scope.file is None:
        return None
    path = scope.file.with_suffix(".bin")
    try:
        return None if path.is_symlink() else path.stat().st_size
    except OSError:
        return None


def _problem(attributes: dict[str, str], weights: int | None) -> str | None:
    numbers = []
    for key in ("offset", "size"):
        text = attributes.get(key, "0").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            return f"A constant has the {key} {printable(text)!r}"
        numbers.append(int(text))
    if weights is not None and sum(numbers) > weights:
        return f"A constant ends at {sum(numbers)} of the weights, which have {weights} bytes"
    return None
