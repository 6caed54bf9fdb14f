"""The register of makers: functions that write files with a real framework into a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import util
from pathlib import Path

Write = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Maker:
    """``packages``: modules that have to be importable."""

    framework: str
    packages: tuple[str, ...]
    write: Write

    @property
    def name(self) -> str:
        """Name of the folder below the framework's."""
        return self.write.__name__

    def missing(self) -> list[str]:
        """Modules that are not installed."""
        return [one for one in self.packages if util.find_spec(one) is None]


MAKERS: list[Maker] = []


def maker(framework: str, *packages: str) -> Callable[[Write], Write]:
    """Register a function that writes files of ``framework``; it needs ``packages``."""

    def register(write: Write) -> Write:
        MAKERS.append(Maker(framework, packages or (framework,), write))
        return write

    return register
