"""Follows the files of a project, one at a time, each after those that it imports."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from buttress.files.failure import failure
from buttress.files.notebook_code import NotebookPlace, notebook
from buttress.files.python_modules import Module, decoded, readable, words
from buttress.files.source_files import SourceFile, SourceReading, text_file
from buttress.files.tree import Tree, uri_of
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.hits import Hit, Result
from buttress.probes.source.code.layout import imports, module_of, packages
from buttress.probes.source.code.matcher import RuleMatcher, Survey
from buttress.probes.source.code.project import Project, View
from buttress.probes.source.code.solve import graph_of, solve
from buttress.probes.source.code.summaries import ModuleSummary

MAX_FUNCTIONS: Final = 30_000  # of one project, of which it is kept what they do
_MAX_IMPORTS: Final = 400  # of one file
_MAX_ROUNDS: Final = 12  # files in a row that something from outside is handed on through
_MAX_DEMANDED: Final = 2  # files that are followed within each other


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave out the collection of garbage meanwhile.

    A syntax tree is many objects at once, none of them garbage: the collector would look through
    all that is kept of other files again and again, which takes half of the whole time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True)
class Entry:
    """A file of the project. ``wanted``: it is inspected, not only asked by others."""

    path: Path
    location: str
    wanted: bool = True
    survey: Survey | None = None  # None before it was read
    imports: tuple[str, ...] = ()  # paths, as the file writes them


@dataclass(slots=True)
class AnalysisResult:
    """What was found: hits of each file between functions and inside, and notes on each file."""

    hits: dict[str, list[Hit]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)  # what does not parse
    cut: list[str] = field(default_factory=list)


class ProjectAnalysis:
    """The files of a project, by location."""

    def __init__(self, matcher: RuleMatcher, tree: Tree) -> None:
        self._matcher = matcher
        self._tree = tree
        self._own = packages(tree)
        self._entries: dict[str, Entry] = {}
        self._project = Project()
        self._results: dict[str, Result] = {}
        self._summaries: dict[str, ModuleSummary] = {}
        self._noted: dict[str, frozenset[bytes]] = {}  # names that matter to those who import it
        self._order: dict[str, int] = {}
        self._views: dict[str, View] = {}
        self._functions = 0
        self._demanded = 0
        self._seen: dict[bytes, list[str]] = defaultdict(list)  # word -> locations

    def add(self, path: Path, file: SourceFile) -> None:
        """A file that is inspected."""
        entry = Entry(path, file.location)
        self._survey(entry, readable(file.data))
        self._entries[file.location] = entry

    def add_neighbour(self, path: Path, location: str) -> None:
        """A file that is only read where one that is inspected asks for it."""
        if location not in self._entries:
            self._entries[location] = Entry(path, location, wanted=False)

    def follow(self) -> AnalysisResult:
        """Follow all files, and bring together what they give each other."""
        self._project = Project(self._entries, self._tree.root.name if self._tree.is_folder else "")
        self._project.follow = self._demand
        for location in self._in_order():
            self._visit(location)
        self._again()
        linked = AnalysisResult()
        solved, linked.cut = self._linked()
        for hit in solved:
            linked.hits.setdefault(hit.file, []).append(hit)
        for location, result in self._results.items():
            linked.notes[location], linked.broken[location] = [*result.cut], [*result.broken]
            local = {hit.key: hit for hit in result.hits}
            both = [hit for hit in linked.hits.get(location, ()) if hit.key not in local]
            linked.hits[location] = [*both, *result.hits]
        if self._functions >= MAX_FUNCTIONS:
            linked.cut.append(f"more than {MAX_FUNCTIONS:,} functions; flows between the rest")
        return linked

    def source(self, location: str) -> tuple[list[str], list[NotebookPlace] | None]:
        """The lines of a file as they were followed, and of a notebook the places of each."""
        entry = self._entries.get(location)
        data = self._read(entry) if entry is not None else None
        if data is None:
            return [], None
        if location.lower().endswith(".ipynb"):
            book = notebook(data)
            return (book.module.text.split("\n"), list(book.places)) if book else ([], None)
        return decoded(data).split("\n"), None

    def has(self, words: Iterable[str], location: str) -> bool:
        """Whether one of these words, which rules want to see, is in the program of a file.

        That is what lies in or below its folder; of a package, in or below the package.
        """
        folder = location.rpartition("/")[0]
        while f"{folder}/__init__.py" in self._entries and "/" in folder:
            folder = folder.rpartition("/")[0]
        below = f"{folder}/" if folder else ""
        return any(
            place.startswith(below) for one in words for place in self._seen.get(one.encode(), ())
        )

    def uri(self, location: str) -> str:
        """The percent-encoded path of a file whose name is odd; else empty."""
        entry = self._entries.get(location)
        return uri_of(str(entry.path), location) if entry is not None else ""

    def wanted(self, location: str) -> bool:
        """Whether a file is one of those that are inspected."""
        entry = self._entries.get(location)
        return entry is not None and entry.wanted

    def _survey(self, entry: Entry, data: bytes) -> None:
        entry.survey = self._matcher.survey(data, self._own)
        for word in entry.survey.seen:
            self._seen[word].append(entry.location)
        if not entry.location.lower().endswith(".ipynb"):
            entry.imports = tuple(dict.fromkeys(imports(data)))[:_MAX_IMPORTS]

    def _read(self, entry: Entry) -> bytes | None:
        for file in text_file(self._tree, entry.path, entry.location, SourceReading()):
            return readable(file.data)
        return None

    def _surveyed(self, entry: Entry) -> Survey:
        """What the words of a file tell, also of a neighbour that was not read yet."""
        if entry.survey is None:
            self._survey(entry, self._read(entry) or b"")
        assert entry.survey is not None
        return entry.survey

    def _view(self, location: str) -> View:
        view = self._views.get(location)
        if view is None:
            view = self._views[location] = self._project.view(location)
        return view

    def _asked(self, entry: Entry) -> Iterator[str]:
        """Locations of the files that a file imports."""
        view = self._view(entry.location)
        for path in entry.imports:
            dots = len(path) - len(path.lstrip("."))
            place = view.resolve(view.relative(dots, path[dots:]) if dots else path)
            if place is not None:
                yield self._project.files[place[0]]

    def _in_order(self) -> Iterator[str]:
        """Locations, each after those that it imports, as far as they are not in a circle."""
        seen: set[str] = set()
        for start, entry in self._entries.items():
            if not entry.wanted or start in seen:
                continue
            seen.add(start)
            stack = [(start, self._asked(entry))]
            while stack:
                location, asked = stack[-1]
                for other in asked:
                    if other not in seen:
                        seen.add(other)
                        self._surveyed(self._entries[other])
                        stack.append((other, self._asked(self._entries[other])))
                        break
                else:
                    stack.pop()
                    yield location

    def _visit(self, location: str) -> None:
        """Follow a file, if its words or those whom it imports give a reason."""
        if location in self._order:
            return
        entry = self._entries[location]
        survey, asked = self._surveyed(entry), list(self._asked(entry))
        if survey.alone or (survey.sources and asked) or self._mentions(entry, asked):
            self._follow(entry)

    def _linked(self) -> tuple[list[Hit], list[str]]:
        """Follow files whose functions are given something from outside, as far as it goes."""
        cut: list[str] = []
        for number in range(_MAX_ROUNDS + 1):
            modules = [self._summaries[one] for one in sorted(self._summaries)]
            graph = graph_of(modules)
            locations = [self._project.files[one] for one in sorted(graph.missing)]
            fresh = [one for one in locations if one not in self._order]
            if not fresh:
                break
            if number == _MAX_ROUNDS:
                cut.append(f"flows through more than {_MAX_ROUNDS} files; the rest")
                break
            for location in fresh:
                self._follow(self._entries[location])
        hits, more = solve(modules, graph)
        return hits, [*cut, *more]

    def _mentions(self, entry: Entry, asked: Iterable[str]) -> bool:
        """Whether it names what matters in files that it imports."""
        names: set[bytes] = set()
        for one in asked:
            names |= self._noted.get(one, frozenset())
        if not names:
            return False
        data = self._read(entry)
        return data is not None and not names.isdisjoint(words(data))

    def _follow(self, entry: Entry) -> None:
        data = self._read(entry)
        if data is None:
            return
        try:
            with _uncollected():
                self._follow_module(entry, module_of(entry.location, data))
        except Exception as error:
            self._results[entry.location] = Result((), broken=(failure(error),))

    def _follow_module(self, entry: Entry, module: Module | None) -> None:
        if module is None:
            self._results[entry.location] = Result(
                (), broken=("not a notebook in Python that can be parsed",)
            )
            return
        self._order.setdefault(entry.location, len(self._order))
        view = self._view(entry.location)
        result, summary = self._matcher.follow(
            module,
            self._surveyed(entry).possible,
            entry.location,
            view,
        )
        view.forget()
        self._results[entry.location] = result
        again = entry.location in self._summaries
        if again or self._functions < MAX_FUNCTIONS:
            self._functions += 0 if again else len(summary.functions)
            self._summaries[entry.location] = summary
            self._project.modules[summary.name] = summary
            self._noted[entry.location] = self._noteworthy(entry, summary)

    def _noteworthy(self, entry: Entry, summary: ModuleSummary) -> frozenset[bytes]:
        """Names of functions and classes for which files that import them are followed too."""
        carried = flows().carried
        names: set[str] = set()
        for function in summary.functions.values():
            returns = function.returns
            if returns is not None and (
                self._led(returns.path) or any(one.label in carried for one in returns.taints)
            ):
                names.add(function.local.split(".")[1])
        handed_on = {
            one for other in self._asked(entry) for one in self._noted.get(other, frozenset())
        }
        for name, value in summary.names.items():
            if (
                value.taints
                or self._led(value.path)
                or name.encode("utf-8", "replace") in handed_on
            ):
                names.add(name)
        return frozenset(one.encode("utf-8", "replace") for one in names if one)

    def _led(self, path: str) -> bool:
        """Whether a value may lead to a source, and not only to something of the project."""
        first = path.partition(".")[0].partition("(")[0]
        return first.encode("utf-8", "replace") not in self._own and flows().leads(path)

    def _again(self) -> None:
        """Follow files of a circle once more that were followed before what they import."""
        for location in sorted(self._summaries):
            entry = self._entries[location]
            later = [
                one
                for one in self._asked(entry)
                if self._order.get(one, -1) > self._order[location]
            ]
            if later and self._mentions(entry, later):
                self._follow(entry)

    def _demand(self, dotted: str, tainted: bool) -> None:
        """Follow a module now that is given something from outside, since it may clean it.

        Also one that may make a client of a model, or read a request, for another.
        """
        location = self._project.files.get(dotted)
        if location is None or self._demanded >= _MAX_DEMANDED or location in self._order:
            return
        self._surveyed(self._entries[location])
        if not tainted and not any(map(self._led, self._entries[location].imports)):
            return
        self._demanded += 1
        try:
            self._follow(self._entries[location])
        finally:
            self._demanded -= 1
