"""The code of a notebook's cells as one module; magics and commands for the shell taken out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.python_modules import MAX_WORDS, Module, parse, words

_MAX_NODES: Final = 400_000  # brackets and braces: beyond, parsing would take too much memory
_MAX_MISSED: Final = 100  # lines that are not found: each costs a look through the whole file
_SHELL_CELLS: Final = ("bash", "sh", "shell", "script", "system", "sx")
_PYTHON_CELLS: Final = (
    "time", "timeit", "capture", "prun", "python", "python3", "px", "local_cache", "memit",
)  # fmt: skip
_ASSIGNED: Final = re.compile(r"^(\s*)([\w, ]+?)\s*=\s*([!%])(.*)$")
_TIMED: Final = re.compile(r"^(\s*)%(?:time|timeit|prun|memit)\s+(?:-\S+\s+(?:\d+\s+)?)*(.*)$")
_PACKAGES: Final = re.compile(r"(?:pip|conda|mamba|uv|sx|system)\b")
_HELP: Final = re.compile(r"^\s*\?{1,2}[\w.]+\s*$|^\s*[\w.]+\?{1,2}\s*$")


@dataclass(frozen=True, slots=True)
class NotebookPlace:
    """A line of the module: the line of the file, the cell (from 1), and the line in the cell."""

    line: int
    cell: int
    in_cell: int


@dataclass(frozen=True, slots=True)
class Notebook:
    """The module, and for each of its lines (the first at index 0) where it stands."""

    module: Module
    places: Sequence[NotebookPlace]


def notebook(data: bytes) -> Notebook | None:
    """The code cells of a notebook in Python, one after the other.

    Cells that do not parse are left out and told in the module's ``broken``. None where the bytes
    are no notebook, or one of another language.
    """
    if data.count(b"[") + data.count(b"{") > _MAX_NODES:
        return None
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return None
    cells = _cells(loaded)
    if cells is None or not _is_python(loaded.get("metadata")):
        return None
    lines = _FileLines(data)
    body: list[ast.stmt] = []
    texts: list[str] = []
    places: list[NotebookPlace] = []
    commands: list[tuple[int, str]] = []
    broken: list[str] = []
    size = 0
    for number, cell in enumerate(cells, 1):
        source = _source(cell)
        if source is None:
            continue
        size += len(words(source.encode("utf-8", "replace")))
        if size > MAX_WORDS:
            broken.append(f"cell {number}: more than {MAX_WORDS:,} words of code; the rest")
            break
        offset = len(places)
        own = source.split("\n")
        found = lines.of_cell(_given(cell), len(own))
        places += [NotebookPlace(line, number, index) for index, line in enumerate(found, 1)]
        code, shell = plain(own)
        commands += [(offset + line, command) for line, command in shell]
        statements, problem = parse(code)
        if problem:
            broken.append(f"cell {number}: {problem}")
        for statement in statements:
            if offset:
                ast.increment_lineno(statement, offset)
        body += statements
        texts.append(source)
    return Notebook(Module(body, "\n".join(texts), commands, broken), places)


def plain(lines: Sequence[str]) -> tuple[str, list[tuple[int, str]]]:
    """A cell's lines as Python, and its commands for a shell with their lines (from 1)."""
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    head = lines[first].strip() if first is not None else ""
    if first is not None and head.startswith("%%"):
        magic, _, rest = head[2:].partition(" ")
        below = lines[first + 1 :]
        if magic in _SHELL_CELLS:
            return "", [
                (first + 2 + index, line) for index, line in enumerate(below) if line.strip()
            ]
        if magic in _PYTHON_CELLS or (magic == "writefile" and rest.rstrip().endswith(".py")):
            code, shell = plain(below)
            return "\n" * (first + 1) + code, [(line + first + 1, one) for line, one in shell]
        return "", []
    code_lines: list[str] = []
    commands: list[tuple[int, str]] = []
    continued: list[str] | None = None
    for number, line in enumerate(lines, 1):
        if continued is not None:
            continued.append(line.rstrip("\\").strip())
            code_lines.append("")
            if not line.endswith("\\"):
                start, text = number - len(continued) + 1, " ".join(continued)
                commands.append((start, text))
                continued = None
            continue
        code, command = _split(line)
        code_lines.append(code)
        if command is not None and command.endswith("\\"):
            continued = [command.rstrip("\\").strip()]
        elif command is not None:
            commands.append((number, command))
    if continued is not None:
        commands.append((len(lines) - len(continued) + 1, " ".join(continued)))
    return "\n".join(code_lines), commands


def _split(line: str) -> tuple[str, str | None]:
    """A line as Python, and the command for a shell in it."""
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if stripped.startswith("!"):
        return f"{indent}pass", stripped.lstrip("!").strip()
    if stripped.startswith("%"):
        timed = _TIMED.match(line)
        if timed and timed[2]:
            return f"{timed[1]}{timed[2]}", None
        command = stripped.lstrip("%")
        return f"{indent}pass", command if _PACKAGES.match(command) else None
    assigned = _ASSIGNED.match(line)
    if assigned:
        command = assigned[4].strip()
        shell = command if assigned[3] == "!" or _PACKAGES.match(command) else None
        return f"{assigned[1]}{assigned[2]} = None", shell
    return (f"{indent}pass", None) if _HELP.match(line) else (line, None)


def _cells(notebook: Any) -> list[Any] | None:
    """The cells; before nbformat 4 they stand in worksheets."""
    if not isinstance(notebook, dict):
        return None
    if isinstance(found := notebook.get("cells"), list):
        return found
    if not isinstance(sheets := notebook.get("worksheets"), list):
        return None
    below = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for part in below if isinstance(part, list) for cell in part]


def _given(cell: dict[str, Any]) -> Any:
    """What a code cell holds; before nbformat 4 it is its input."""
    return cell.get("source", cell.get("input"))


def _source(cell: Any) -> str | None:
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    source = _given(cell)
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(one, str) for one in source):
        return "".join(source)
    return None


def _is_python(metadata: Any) -> bool:
    for name, key in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(name) if isinstance(metadata, dict) else None
        language = part.get(key) if isinstance(part, dict) else None
        if isinstance(language, str):
            return language.lower().startswith(("python", "ipython"))
    return True


class _FileLines:
    """Finds the lines of cells in the notebook's file, where they are written as JSON."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = self._missed = 0
        self._counted, self._line = 0, 1

    def of_cell(self, source: str | list[str], count: int) -> list[int]:
        """The line of the file for each of ``count`` lines of a cell; cells in their order."""
        pieces = [source] if isinstance(source, str) else source
        found: list[int] = []
        for index, piece in enumerate(pieces):
            line = self._find(piece, first=index == 0)
            found += [line] * (piece.count("\n") or (index == len(pieces) - 1))
            if index == len(pieces) - 1 and "\n" in piece:
                found.append(line)
        last = found[-1] if found else self._line
        return (found + [last] * count)[:count]

    def _find(self, piece: str, *, first: bool) -> int:
        if self._missed > _MAX_MISSED:
            return self._line
        for ascii_only in (False, True):
            written = json.dumps(piece, ensure_ascii=ascii_only).encode("utf-8", "replace")
            if first:
                # After its own key: an output before it may hold the same text.
                match = re.compile(
                    rb'"(?:source|input)"\s{0,20}:[\s\[]{0,60}' + re.escape(written)
                ).search(self._data, self._place)
                place = match.end() - len(written) if match else -1
            else:
                place = self._data.find(written, self._place)
            if place >= 0:
                self._line += self._data.count(b"\n", self._counted, place)
                self._counted = self._place = place
                self._place += len(written)
                return self._line
        self._missed += 1
        return self._line
