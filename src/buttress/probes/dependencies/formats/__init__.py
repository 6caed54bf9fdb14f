"""Formats of files that name dependencies, each by the names of its files."""

from __future__ import annotations

import re
from typing import Final

from buttress.probes.dependencies.dependency import Parser
from buttress.probes.dependencies.formats import conda, locks, npm, projects, requirements

MAX_BYTES: Final = 8 << 20
_FORMATS: Final[tuple[tuple[re.Pattern[str], Parser], ...]] = (
    (re.compile(r"^(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)$"),
     requirements.parse),
    (re.compile(r"^pyproject\.toml$"), projects.pyproject),
    (re.compile(r"^setup\.cfg$"), projects.setup_cfg),
    (re.compile(r"^(?:poetry|uv|pdm)\.lock$"), locks.toml_lock),
    (re.compile(r"^pylock(?:\..+)?\.toml$"), locks.toml_lock),
    (re.compile(r"^Pipfile\.lock$"), locks.pipfile_lock),
    (re.compile(r"^(?:.*[-_.])?(?:environment|conda)(?:[-_.].*)?\.ya?ml$"), conda.parse),
    (re.compile(r"^(?:package-lock|npm-shrinkwrap)\.json$"), npm.parse),
)  # fmt: skip
_IN_FOLDER: Final = re.compile(r"^[\w.-]+\.(?:txt|in)$")


def parser(folder: str, name: str) -> Parser | None:
    """The parser of a file by its name and that of its folder; None where it is of no format."""
    for pattern, found in _FORMATS:
        if pattern.match(name):
            return found
    return requirements.parse if folder == "requirements" and _IN_FOLDER.match(name) else None
