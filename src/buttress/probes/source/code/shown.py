"""What a finding shows of files: lines, cells, and the way from a source to where it does harm."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from buttress.files.notebook_code import NotebookPlace
from buttress.files.source_files import SourceFile
from buttress.files.visible import printable
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.hits import Hit
from buttress.probes.source.code.linking import ProjectAnalysis
from buttress.rules.credentials.scanner import SecretRules
from buttress.rules.reporting import without_secrets

_EXAMPLES: Final = frozenset({"example", "examples"})
_OPENED: Final = re.compile(
    r"\btransport\s*=\s*[\"'](?:sse|https?|streamable)|"
    r"\b(?:host|server_name)\s*=\s*[\"'](?:0\.0\.0\.0|::)[\"']|\bshare\s*=\s*True\b"
)


class ShownFile:
    """A file with findings."""

    def __init__(
        self, linking: ProjectAnalysis, location: str, secrets: SecretRules | None = None
    ) -> None:
        self._secrets = secrets
        self.location = location
        self.uri = linking.uri(location)
        self.lines, self._places = linking.source(location)
        self._linking = linking
        self._others: dict[str, list[NotebookPlace] | None] = {location: self._places}

    def line(self, line: int, location: str = "") -> int:
        """The line of the file for one of the module that was followed."""
        location = location or self.location
        if location not in self._others:
            self._others[location] = (
                self._linking.source(location)[1] if location.lower().endswith(".ipynb") else None
            )
        places = self._others[location]
        if places is None:
            return line
        return places[line - 1].line if 0 < line <= len(places) else 1

    def program_has(self, words: Iterable[str]) -> bool:
        """Whether one of these words is in the program to which the file belongs."""
        return self._linking.has(words, self.location)

    def is_opened_to_others(self, hit: Hit) -> bool:
        """Whether the form or server from which a value comes listens to others, in its file."""
        start = hit.taint.file if hit.taint is not None and hit.taint.file else self.location
        lines = self.lines if start == self.location else self._linking.source(start)[0]
        return any(map(_OPENED.search, lines))

    def note(self, line: int) -> str:
        """The cell of a notebook, in words."""
        places = self._places
        return f"in cell {places[line - 1].cell}" if places and 0 < line <= len(places) else ""

    def is_test(self, hit: Hit) -> bool:
        """Whether the place, its source, or a call between that is no example, belongs to tests.

        An example shows how what it calls is meant to be used, which counts for critical rules; see
        ``by_example``.
        """
        places = {self.location}
        if hit.taint is not None:
            places.add(hit.taint.file or self.location)
            shows = hit.rule.severity == "critical"
            places.update(
                one.file for one in hit.taint.steps if not (shows and _is_example(one.file))
            )
        return any(SourceFile(one, b"").is_test for one in places)

    def by_example(self, hit: Hit) -> bool:
        """Whether a call on the way lies in an example."""
        return hit.taint is not None and any(_is_example(one.file) for one in hit.taint.steps)

    def proof(self, hit: Hit) -> str:
        """The line, without secrets; and of a flow inside one function its source."""
        text = self.lines[hit.line - 1] if hit.line <= len(self.lines) else ""
        proof = without_secrets(text.strip().encode("utf-8", "replace"), self._secrets)
        taint = hit.taint
        if taint is not None and not taint.steps and taint.line != hit.line:
            proof = f"{proof}  ← line {self.line(taint.line)}: {_plain(taint.path)}"
        return proof

    def way(self, hit: Hit) -> str:
        """The way between functions as a sentence with file and line of each step; else nothing."""
        taint = hit.taint
        if taint is None or not taint.steps:
            return ""
        source = f"{flows().title(taint.label)}, {_plain(taint.path)}"
        places = [(source, taint.file, taint.line)]
        places += [(f"{one.what}()", one.file, one.line) for one in taint.steps]
        if not hit.moved:
            places.append((hit.it, self.location, hit.line))
        shown = [
            f"{printable(what)} ({printable(file)}:{self.line(line, file)})"
            for what, file, line in places
        ]
        end = f" → {printable(hit.it)} ({printable(hit.file)})" if hit.moved else ""
        return f" Way: {' → '.join(shown)}{end}."


def _is_example(location: str) -> bool:
    return not _EXAMPLES.isdisjoint(location.lower().split("/")[:-1])


def _plain(path: str) -> str:
    return path.lstrip("?.:").removeprefix("builtins.")
