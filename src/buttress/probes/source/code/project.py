"""The modules of a project: which file an import leads to, and what is defined where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from buttress.probes.source.code.summaries import ClassSummary, FunctionSummary, ModuleSummary
from buttress.probes.source.code.values import Value

Definition = FunctionSummary | ClassSummary | Value
_MAX_HOPS: Final = 8  # names that only lead on, and bases of bases
_MAX_PARTS: Final = 12  # of a path that is looked up


@dataclass(frozen=True)
class View:
    """The project as one of its files sees it.

    ``package`` is the dotted name that relative imports count from, and ``bases`` are the packages
    in which absolute ones are looked for, nearest first; each empty or with a dot at its end.
    """

    project: Project
    package: str = ""
    bases: tuple[str, ...] = ()
    _known: dict[str, tuple[str, str] | None] = field(default_factory=dict, compare=False)

    def mine(self, path: str) -> bool:
        """Whether a path may lead to something of the project."""
        if path[:1] in (".", ":"):
            return True
        first = path.partition(".")[0].partition("(")[0]
        return first == self.project.root != "" or any(
            first in self.project.children(base) for base in self.bases
        )

    def relative(self, level: int, module: str) -> str:
        """The path of ``from ..module import``: of the project, or with dots where it leads out."""
        if not self.project.is_empty:
            parts = self.package.split(".") if self.package else []
            if level - 1 <= len(parts):
                inside = parts[: len(parts) - (level - 1)]
                return ":" + ".".join([*inside, module] if module else inside)
        return "." * level + module

    def resolve(self, path: str) -> tuple[str, str] | None:
        """The module that a path leads to, and the name in it; None where it leads elsewhere."""
        if path not in self._known:
            self._known[path] = self._resolve(path)
        return self._known[path]

    def forget(self) -> None:
        """Forget what was looked up, which is quickly found again."""
        self._known.clear()

    def _resolve(self, path: str) -> tuple[str, str] | None:
        plain = path.replace("()", "")
        if "[" in plain or "(" in plain:
            return None
        parts = plain.lstrip(":").split(".")[:_MAX_PARTS]
        bases = ("",) if path.startswith(":") else self.bases
        if len(parts) > 1 and parts[0] == self.project.root:
            parts, bases = parts[1:], ("",)
        for base in bases:
            if parts[0] not in self.project.children(base):
                continue
            for number in range(len(parts), 0, -1):
                name = base + ".".join(parts[:number])
                if name in self.project.files:
                    return name, ".".join(parts[number:])
        return None


class Project:
    """The files of a project by the dotted names of their modules, and those that were followed."""

    def __init__(self, locations: Iterable[str] = (), root: str = "") -> None:
        self.files: dict[str, str] = {}
        self.modules: dict[str, ModuleSummary] = {}
        self.follow: Callable[[str, bool], None] | None = None  # follows a module on request
        self._children: dict[str, set[str]] = {}
        self._packages: set[str] = set()
        for location in locations:
            name, _, ending = location.rpartition(".")
            if ending not in ("py", "pyw"):
                continue
            folder, _, stem = name.rpartition("/")
            if stem == "__init__":
                self._packages.add(folder)
            dotted = (folder if stem == "__init__" else name).replace("/", ".")
            self.files.setdefault(dotted, location)
            parts = dotted.split(".")
            for number, part in enumerate(parts):
                base = ".".join(parts[:number])
                self._children.setdefault(f"{base}." if base else "", set()).add(part)
        # Where the root is a package itself, its modules name it.
        self.root = root if "" in self._packages else ""

    @property
    def is_empty(self) -> bool:
        """Whether there are no modules: a text alone."""
        return not self.files

    def children(self, base: str) -> set[str]:
        """The first names below a package."""
        return self._children.get(base, set())

    def name(self, location: str) -> str:
        """The dotted name of a file's module; one that nothing leads to for what is no module."""
        if not location:
            return ""
        name, _, ending = location.rpartition(".")
        if not name:
            name, ending = location, ""
        folder, _, stem = name.rpartition("/")
        dotted = (folder if stem == "__init__" else name).replace("/", ".")
        return dotted if self.files.get(dotted) == location else f"{dotted}~{ending}"

    def view(self, location: str) -> View:
        """The project as a file sees it."""
        folder = location.rpartition("/")[0]
        package = folder.replace("/", ".")
        bases = []
        above: str | None = folder
        while above is not None:
            # A folder with __init__.py is no place that absolute imports start from.
            if above not in self._packages:
                bases.append(f"{above.replace('/', '.')}." if above else "")
            above = (above.rpartition("/")[0] if "/" in above else "") if above else None
        if "src" in self.children("") and "src" not in self._packages:
            bases.append("src.")
        return View(self, package, tuple(dict.fromkeys(bases)))

    def find(self, dotted: str, name: str, hops: int = 0) -> Definition | None:
        """What a name stands for in a module that was followed, as other modules see it."""
        module = self.modules.get(dotted)
        return self.find_in(module, name, hops) if module is not None else None

    def find_in(self, module: ModuleSummary, name: str, hops: int = 0) -> Definition | None:
        """The same of a module that is being followed: its functions, also those of bases."""
        path = f".{name}"
        found = module.functions.get(path) or module.classes.get(path)
        if found is not None or hops >= _MAX_HOPS:
            return found
        owner, _, method = path.rpartition(".")
        cls = module.classes.get(owner) if owner else None
        if cls is not None:
            for base in cls.bases:
                inherited = self.look_up(module, f"{base}.{method}", hops + 1)
                if isinstance(inherited, FunctionSummary):
                    return inherited
            return None
        first, dot, rest = name.partition(".")
        value = module.names.get(first)
        if value is None:
            return None
        if not rest and not module.view.mine(value.path):
            return module.exported(value)
        led = self.look_up(module, f"{value.path}{dot}{rest}", hops + 1) if value.path else None
        if led is not None:
            return led
        return None if rest else module.exported(value)

    def inherited(
        self, cls: ClassSummary, name: str, hops: int = 0
    ) -> tuple[ClassSummary, Value] | None:
        """An attribute that a class has from a base, and the base."""
        for base in cls.bases if hops < _MAX_HOPS else ():
            above = self.look_up(cls.module, base)
            if isinstance(above, ClassSummary):
                value = above.attribute(name)
                if value is not None:
                    return above, value
                found = self.inherited(above, name, hops + 1)
                if found is not None:
                    return found
        return None

    def look_up(self, module: ModuleSummary, path: str, hops: int = 0) -> Definition | None:
        """What a path stands for, as a module sees it."""
        plain = path.replace("()", "")
        if plain.startswith("."):
            return self.find_in(module, plain[1:], hops)
        place = module.view.resolve(plain)
        if place is None:
            return None
        if place[0] == module.name and module.name not in self.modules:
            return self.find_in(module, place[1], hops)
        return self.find(*place, hops) if place[1] else None

    def missing(self, module: ModuleSummary, path: str, hops: int = 0) -> str | None:
        """The module that was not followed and that is needed to say what a path stands for."""
        plain = path.replace("()", "")
        owner, name = module, plain[1:]
        if not plain.startswith("."):
            place = module.view.resolve(plain)
            if place is None or not place[1]:
                return None
            found = self.modules.get(place[0])
            if found is None:
                return place[0]
            owner, name = found, place[1]
        if hops >= _MAX_HOPS:
            return None
        first, dot, rest = name.partition(".")
        cls = owner.classes.get(f".{first}")
        if cls is not None:
            led = [f"{base}.{rest}" for base in cls.bases]
        else:
            value = owner.names.get(first)
            led = [f"{value.path}{dot}{rest}"] if value is not None and value.path else []
        wanted = (self.missing(owner, one, hops + 1) for one in led if owner.view.mine(one))
        return next((one for one in wanted if one is not None), None)
