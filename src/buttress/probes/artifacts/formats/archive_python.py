"""Python source within an archive: a handler of TorchServe, a wheel, a file put into a model.

It does not run because the archive is read; a server, an installer or an import runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.python_beside import MAX_BYTES, calls
from buttress.probes.artifacts.scope import Scope

# Members by which an archive is one of a model, so that no Python that reaches out is expected.
_MODEL: Final = ("MAR-INF/MANIFEST.json", "model.weights.h5", "data.pkl")
_MAX_FILES: Final = 200
ENDING: Final = ".py"


class Sources:
    """What is told of the Python files of one archive."""

    def __init__(self, names: Iterable[str]) -> None:
        self.of_model = any(name.endswith(_MODEL) for name in names)
        self._left = _MAX_FILES

    def issues(self, opened: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
        """What a member that is such a file by its name calls."""
        self._left -= 1
        if self._left < 0:
            if self._left == -1:
                scope.record_skip(f"only the first {_MAX_FILES} Python files were looked at")
            return
        source = opened.read_at(0, MAX_BYTES + 1)
        if len(source) > MAX_BYTES:
            message = f"Python source in the archive is larger than {MAX_BYTES >> 20} MB."
            yield scope.not_searched(MAX_BYTES, f"{message} It was not searched.")
            return
        found = calls(source, scope.names)
        if found:
            message = f"Python source in the archive calls {', '.join(found)}."
            severity: Severity | None = None if self.of_model else "low"
            yield scope.issue("archive-python-code", 0, message, severity=severity)
