"""Is an imported name needed by a framework, known to be dangerous, or neither?

An allowlist: what is in neither list is *unknown*, and reported. The lists are data, each entry
with its reason; JSON, since reading them is a good part of the time that a small file takes.

``allowed.json``: what real frameworks put into their files, as known from what they emit; it is not
enough that a package is popular. ``packages`` stands for the classes of a package and of its
submodules (CamelCase only, unless ``names`` has a pattern), and only where such classes do nothing
but keep state when they are given their state; ``excluded`` packages are no part of them. ``calls``
says how frameworks use a name (``Calls``): what a constructor does with arguments that an attacker
chose is another question than what it does with none. ``texts: expected`` marks names whose
arguments are paths, time zones or expressions by their nature.

``dangerous.json``: of ``modules`` whatever is taken counts, from submodules too. Among ``names``,
``*.NAME`` holds in any module. ``conditional`` names are dangerous unless their arguments are
constants that show a harmless use.
"""

from __future__ import annotations

import _compat_pickle
import re
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from buttress.probes.artifacts.pickles.added import NOTHING, Added

Kind = Literal["allowed", "dangerous", "code", "conditional", "unknown"]
# any: with plain data. empty: without arguments. bare: by NEWOBJ without arguments, so that no
# constructor runs. never: kept by reference.
Calls = Literal["any", "empty", "bare", "never"]
_WINDOW: Final = 6  # parts of the longest dotted name in the lists
_ENDS: Final = 16  # parts at either end of a long dotted name that are looked at
_CLASS: Final = "[A-Z][A-Za-z0-9]*"


class NameJudgement(NamedTuple):
    """``code``: makes functions or classes from bytecode or parts. ``conditional``: dangerous
    unless the arguments show that this use is harmless. ``pack``: the one that says so, if any.
    ``calls``: how frameworks use an allowed name. ``texts``: whether paths, time zones or
    expressions are expected among its arguments."""

    kind: Kind
    reason: str
    pack: str = ""
    calls: Calls = "any"
    texts: bool = False


_UNKNOWN: Final = NameJudgement("unknown", "no framework that we know of needs it")


class _Lists(NamedTuple):
    allowed: dict[str, list[tuple[frozenset[str], NameJudgement]]]  # module -> names
    packages: dict[str, list[tuple[str, NameJudgement]]]  # package -> pattern of names
    excluded: frozenset[str]  # packages within those that are no part of them
    modules: dict[str, NameJudgement]  # dangerous whatever is taken from them
    names: dict[str, NameJudgement]  # dangerous dotted names
    conditional: dict[str, str]


class NameLists:
    """Our own lists, and the names that packs add to them."""

    def __init__(self, added: Added = NOTHING) -> None:
        self.added = added
        self.judge = lru_cache(maxsize=4_096)(self._judge)
        self.judge_import = lru_cache(maxsize=4_096)(self._judge_import)

    def _judge(self, module: str, name: str) -> NameJudgement:
        """Judge ``module.name`` as a stream names it; ``name`` may be dotted.

        Names of Python 2 are also judged under the name that Python 3 maps them to, as its
        unpickler does for protocols below 3.
        """
        candidates = [(module, name)]
        renamed = _compat_pickle.NAME_MAPPING.get((module, name))
        moved = _compat_pickle.IMPORT_MAPPING.get(module)
        if renamed is not None:
            candidates.append(renamed)
        elif moved is not None:
            candidates.append((moved, name))
        judgements = [self._judge_spelling(*candidate) for candidate in candidates]
        for kind in ("dangerous", "code", "conditional", "allowed"):
            for judgement in judgements:
                if judgement.kind == kind:
                    return judgement
        return _UNKNOWN

    def _judge_import(self, module: str, name: str) -> NameJudgement:
        """As ``judge``, for a pickle, in which a pack may allow what is otherwise unknown."""
        found = self.judge(module, name)
        told = self.added.allowed.get((module, name)) if found.kind == "unknown" else None
        return found if told is None else NameJudgement("allowed", told.why, told.pack)

    def _judge_spelling(self, module: str, name: str) -> NameJudgement:
        if told := self.added.danger(module, name):
            return NameJudgement("dangerous", f"{told.why} (pack {told.pack})", told.pack)
        lists = _lists()
        for names, judgement in lists.allowed.get(module, ()):
            if name in names:
                return judgement
        if reason := lists.conditional.get(f"{module}.{name}"):
            return NameJudgement("conditional", reason)
        if danger := _danger(lists, module, name):
            return danger
        package = module
        while package and package not in lists.excluded:
            for pattern, judgement in lists.packages.get(package, ()):
                if re.fullmatch(pattern, name):
                    return judgement
            package = package.rpartition(".")[0]
        return _UNKNOWN

    @cached_property
    def words(self) -> frozenset[bytes]:
        """Every module and name in the lists, as a stream spells them."""
        return _own_words().union(word.encode() for word in self.added.words())


def _danger(lists: _Lists, module: str, name: str) -> NameJudgement | None:
    """Look for a dangerous name from the module on, and from each part of a dotted name on.

    ``torch.serialization`` + ``os.system`` reaches ``os`` as an attribute of an innocent module.
    """
    stem = module.split(".")[:_WINDOW] if module else []
    tail = name.split(".")
    if len(tail) > 2 * _ENDS:
        tail = tail[:_ENDS] + tail[-_ENDS:]
    first = len(stem)
    parts = stem + tail
    dotted = [
        (begin, end, ".".join(parts[begin:end]))
        for begin in (0, *range(max(first, 1), len(parts)))
        for end in range(begin + 1, min(len(parts), begin + _WINDOW + 1) + 1)
    ]
    for _, end, one in dotted:
        if end > first and (found := lists.names.get(one)):
            return found
    for _, _, one in dotted:
        if found := lists.modules.get(one):
            return found
    for part in parts[first:]:
        if part.startswith("__") and part.endswith("__"):
            return NameJudgement("dangerous", f"{part} reaches into the interpreter")
    return lists.names.get(f"*.{parts[-1]}")


@cache
def _lists() -> _Lists:
    import json

    here = Path(__file__).parent
    allowed, dangerous = (
        json.loads((here / name).read_bytes()) for name in ("allowed.json", "dangerous.json")
    )
    exact: dict[str, list[tuple[frozenset[str], NameJudgement]]] = {}
    packages: dict[str, list[tuple[str, NameJudgement]]] = {}
    for one in allowed["globals"]:
        entry = frozenset(one["names"]), _allowed(one)
        for module in one["modules"]:
            exact.setdefault(module, []).append(entry)
    for one in allowed["packages"]:
        for package in one["packages"]:
            packages.setdefault(package, []).append((one.get("names", _CLASS), _allowed(one)))
    excluded = frozenset(name for one in allowed["excluded"] for name in one["packages"])
    modules, names = (
        {
            name: NameJudgement("code" if one.get("code") else "dangerous", one["why"])
            for one in dangerous[part]
            for name in one[part]
        }
        for part in ("modules", "names")
    )
    conditional = {name: one["why"] for one in dangerous["conditional"] for name in one["names"]}
    return _Lists(exact, packages, excluded, modules, names, conditional)


def _allowed(entry: dict[str, Any]) -> NameJudgement:
    return NameJudgement(
        "allowed", entry["why"], calls=entry.get("calls", "any"), texts="texts" in entry
    )


@cache
def _own_words() -> frozenset[bytes]:
    lists = _lists()
    words = lists.allowed.keys() | lists.packages.keys()
    words = words.union(*(names for entries in lists.allowed.values() for names, _ in entries))
    for dotted in (*lists.names, *lists.modules, *lists.conditional):
        words |= {dotted, *dotted.rsplit(".", 1)}
    return frozenset(word.encode() for word in words)


OWN_LISTS: Final = NameLists()
