"""Models in XML: PMML and OpenVINO. Entities are reported, never expanded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.xml_stream import (
    Element,
    Outline,
    XmlEncodingError,
    XmlError,
    elements,
    root,
)
from buttress.probes.artifacts.formats import openvino, pmml
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_ROOTS: Final[dict[str, Callable[[Iterator[Element], Scope], Iterator[ArtifactIssue]]]] = {
    "PMML": pmml.issues,
    "net": openvino.issues,
}
_TOLD: Final = 20
_TAG: Final = 512  # bytes of the last end tag


def matches(source: ByteSource, head: bytes) -> bool:
    """By the name of the outermost element, or of the document type."""
    return root(source, head) in _ROOTS


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """What the document declares, then what its elements ask for."""
    outline = Outline()
    name = root(source, source.read_at(0, 512))
    found = elements(source, outline, texts=name == "PMML")
    try:
        for number, issue in enumerate(_ROOTS[name](found, scope)):
            if number < _TOLD:
                yield issue
    except XmlError as error:
        if outline.end and (close := source.read_at(outline.end, _TAG).find(b">")) >= 0:
            at = outline.end + close + 1
            yield from after(source, at, scope, unexplained="low", blank=b"\0 \t\r\n")
            return
        hidden: Severity | None = "medium" if isinstance(error, XmlEncodingError) else None
        message = f"The model's XML can't be used: {error}."
        yield scope.issue("xml-malformed", 0, message, severity=hidden)
    for sentence in outline.entities[:_TOLD]:
        severity: Severity | None = None if outline.external else "medium"
        message = f"The model's XML {shortened(sentence)}; the rest was not read."
        yield scope.issue("xml-entities", 0, message, severity=severity)
