"""Is an imported name needed by a framework, known to be dangerous, or neither?

An allowlist: what is in neither list is *unknown*, and reported. The lists are data
(``allowed.yaml``, ``dangerous.yaml``), each entry with its reason.
"""

from __future__ import annotations

import _compat_pickle
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

from buttress.probes.artifacts.issue import load_yaml

Kind = Literal["allowed", "dangerous", "code", "conditional", "unknown"]
_WINDOW: Final = 6  # parts of the longest dotted name in the lists
_ENDS: Final = 16  # parts at either end of a long dotted name that are looked at
_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]*\Z")


@dataclass(frozen=True, slots=True)
class Judgement:
    """``code``: makes functions or classes from bytecode or parts. ``conditional``: dangerous
    unless the arguments show that this use is harmless."""

    kind: Kind
    reason: str


_UNKNOWN: Final = Judgement("unknown", "no framework that we know of needs it")


@dataclass(frozen=True, slots=True)
class _Lists:
    allowed: dict[tuple[str, str], str]
    packages: dict[str, tuple[re.Pattern[str], str]]
    modules: dict[str, Judgement]  # dangerous whatever is taken from them
    names: dict[str, Judgement]  # dangerous dotted names
    conditional: dict[str, str]


@lru_cache(maxsize=4_096)
def judge(module: str, name: str) -> Judgement:
    """Judge ``module.name`` as a stream names it; ``name`` may be dotted.

    Names of Python 2 are also judged under the name that Python 3 maps them to, as its unpickler
    does for protocols below 3.
    """
    candidates = [(module, name)]
    renamed = _compat_pickle.NAME_MAPPING.get((module, name))
    moved = _compat_pickle.IMPORT_MAPPING.get(module)
    if renamed is not None:
        candidates.append(renamed)
    elif moved is not None:
        candidates.append((moved, name))
    judgements = [_one(*candidate) for candidate in candidates]
    for kind in ("dangerous", "code", "conditional", "allowed"):
        for judgement in judgements:
            if judgement.kind == kind:
                return judgement
    return _UNKNOWN


def _one(module: str, name: str) -> Judgement:
    lists = _lists()
    if reason := lists.allowed.get((module, name)):
        return Judgement("allowed", reason)
    if reason := lists.conditional.get(f"{module}.{name}"):
        return Judgement("conditional", reason)
    if judgement := _danger(lists, module, name):
        return judgement
    package = module
    while package:
        if package in lists.packages:
            pattern, reason = lists.packages[package]
            if pattern.fullmatch(name):
                return Judgement("allowed", reason)
        package = package.rpartition(".")[0]
    return _UNKNOWN


def _danger(lists: _Lists, module: str, name: str) -> Judgement | None:
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
            return Judgement("dangerous", f"{part} reaches into the interpreter")
    return lists.names.get(f"*.{parts[-1]}")


@cache
def _lists() -> _Lists:
    here = Path(__file__).parent
    allowed = load_yaml(here / "allowed.yaml")
    dangerous = load_yaml(here / "dangerous.yaml")
    exact: dict[tuple[str, str], str] = {}
    packages: dict[str, tuple[re.Pattern[str], str]] = {}
    for one in allowed["globals"]:
        for module in one["modules"]:
            for name in one["names"]:
                exact[module, name] = one["why"]
    for one in allowed["packages"]:
        pattern = re.compile(one["names"]) if "names" in one else _CLASS
        for package in one["packages"]:
            packages[package] = (pattern, one["why"])
    modules, names = (
        {
            name: Judgement("code" if one.get("code") else "dangerous", one["why"])
            for one in dangerous[part]
            for name in one[part]
        }
        for part in ("modules", "names")
    )
    conditional = {name: one["why"] for one in dangerous["conditional"] for name in one["names"]}
    return _Lists(exact, packages, modules, names, conditional)


@cache
def listed_words() -> frozenset[bytes]:
    """Every module and name in the lists, as a stream spells them."""
    lists = _lists()
    words = {word for pair in lists.allowed for word in pair} | set(lists.packages)
    for dotted in (*lists.names, *lists.modules, *lists.conditional):
        words |= {dotted, *dotted.rsplit(".", 1)}
    return frozenset(word.encode() for word in words)
