"""The constitution under which answers are criticised and revised (Bai et al. 2022)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from buttress.files.located_yaml import parse
from buttress.probes.behaviour.charter.principles import (
    Principle,
    load_principles,
    read_principles,
)


def load_constitution(path: Path | None = None) -> tuple[Principle, ...]:
    """The principles of a YAML file, in its order; ours where no path is given.

    Raises:
        InputError: not such a file; names line and field.
    """
    if path is not None:
        return load_principles(path)
    file = resources.files("buttress.oversight") / "data" / "constitution.yaml"
    return read_principles(parse(file.read_text(encoding="utf-8"), "constitution.yaml"))
