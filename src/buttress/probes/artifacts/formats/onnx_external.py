"""Weights of an ONNX model that lie in other files (onnx.proto3, ``external_data``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from buttress.files.byte_source import FileSource, ResourceMeter
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_MAX_KEPT: Final = 1_000
_TOLD: Final = 10


@dataclass(slots=True)
class _Place:
    """A file that is named: where first, how far tensors reach into it, and by which one."""

    offset: int
    reach: int = 0
    name: str = ""
    whole: bool = True  # the length of every tensor in it is known


@dataclass(slots=True)
class External:
    """All places of one model."""

    places: dict[str, _Place] = field(default_factory=dict)
    cut: int = 0  # where the first file is named that was not kept

    def add(
        self, entries: Sequence[tuple[str, str]], name: str, needed: int | None, at: int
    ) -> str | None:
        """A tensor's entries; ``needed``: bytes that its dimensions need. Gives what is wrong."""
        values = dict(entries)
        locations = [value for key, value in entries if key == "location"] or [""]
        for location in locations:  # given twice, readers may differ in which they take
            if len(self.places) < _MAX_KEPT:
                self.places.setdefault(location, _Place(at))
            elif location not in self.places:
                self.cut = self.cut or at
        span = []
        for key in ("offset", "length"):
            text = values.get(key, "0") or "0"
            if not text.isascii() or not text.isdecimal() or len(text) > 18:
                return f"The tensor {shortened(name)!r} has the {key} {shortened(text)!r}."
            span.append(int(text))
        place = self.places.get(locations[-1])
        if place is None:
            return None
        length = span[1] if "length" in values else needed
        reach = span[0] + (length or 0)
        place.whole = place.whole and length is not None
        if reach > place.reach:
            place.reach, place.name = reach, name
        return None

    def issues(self, scope: Scope) -> Iterator[ArtifactIssue]:
        """Places outside of the folder, files that are too short, and what lies behind tensors."""
        yield from scope.first(self._issues(scope), _TOLD)
        if self.cut:
            message = f"The model names more than {_MAX_KEPT:,} files; not all were looked at."
            yield scope.not_searched(self.cut, message)

    def _issues(self, scope: Scope) -> Iterator[ArtifactIssue]:
        for location, place in sorted(self.places.items()):
            if leads_out(location) or "://" in location or not location or "\0" in location:
                message = (
                    f"The model reads weights from {shortened(location)!r}, outside its folder."
                )
                yield scope.issue("onnx-external-data", place.offset, message)
            elif scope.file is not None:
                yield from _beside(scope.file.parent, location, place, scope)


def _beside(folder: Path, location: str, place: _Place, scope: Scope) -> Iterator[ArtifactIssue]:
    path, shown = folder / location, shortened(location)
    try:
        target = path.resolve()
        if not _belongs(target, folder.resolve()):
            message = (
                f"The model reads weights from {shown!r}, a link that leads out of its folder."
            )
            yield scope.issue("onnx-external-data", place.offset, message)
            return
        with FileSource(target, ResourceMeter()) as source:
            if source.size < place.reach:
                message = (
                    f"The tensor {shortened(place.name)!r} ends at {place.reach} in {shown!r}, "
                    f"which has {source.size} bytes."
                )
                yield scope.issue("protobuf-malformed", place.offset, message)
            elif place.whole:
                shared = sum(1 for _ in folder.glob("*.onnx")) > 1  # others may use the rest
                yield from after(source, place.reach, scope.child(location), told=shared)
    except (OSError, RuntimeError, ValueError):
        return  # it is not there, which the loader will tell


def _belongs(target: Path, folder: Path) -> bool:
    """Within the folder; or in the store of a hub's cache, where snapshots hold links only."""
    if target.is_relative_to(folder):
        return True
    parents = [folder, *folder.parents][:6]
    return any(
        one.parent.name == "snapshots" and target.parent == one.parent.parent / "blobs"
        for one in parents
    )
