"""Names that imitate those of much used packages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.yaml_loader import load_yaml
from buttress.provenance.dependencies.versions import Ecosystem

_DATA: Final = Path(__file__).parent / "data"
_LEAST: Final = 5  # letters of a name of which misspellings are looked for
_LONG: Final = 8
_AFFIXES: Final = re.compile(r"^(?:python3?|py)-(.+)$|^(.+)-(?:python3?|py|lib|pip)$")
# What people, and models that write code, add to a name that they half remember. Of PyPI only:
# there hardly an honest package is called so.
_OWNER: Final = re.compile(r"^(?:hf|huggingface)-(.+)$")
_DEVICE: Final = re.compile(r"^(.+)-(?:gpu|cuda|cpu)$")
_INTERFACE: Final = re.compile(r"^(.+)-(?:cli|sdk|api|client)$")
_DOUBLED: Final = 4  # letters of a name of which those with a letter doubled are looked for
_DIGITS: Final = str.maketrans("013457", "oieast")
_LIKE_LETTERS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("l", "i"))
_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What a name imitates, and how."""

    target: str
    how: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Malicious:
    """A package that was publicly documented to do harm; all versions where none are named."""

    what: str
    source: str
    versions: frozenset[str]

    def holds(self, version: str, ecosystem: Ecosystem) -> bool:
        """Whether an exact version is one of those; of PyPI by PEP 440, builds of it too."""
        if version in self.versions:
            return True
        if ecosystem != "PyPI" or not version:
            return False
        from packaging.version import InvalidVersion, Version

        try:
            wanted = Version(Version(version).public)
        except InvalidVersion:
            return False
        return any(Version(one) == wanted for one in self.versions)


@cache
def malicious() -> dict[tuple[str, str], Malicious]:
    """Documented malicious packages by ecosystem and name."""
    return {
        (one["ecosystem"], one["name"]): Malicious(
            one["what"], one["source"], frozenset(str(item) for item in one.get("versions", ()))
        )
        for one in load_yaml(_DATA / "malicious.yaml")["packages"]
    }


def lookalike(name: str, ecosystem: Ecosystem) -> Lookalike | None:
    """What a name imitates, compared as the ecosystem compares names; None for honest ones."""
    names = _names(ecosystem)
    if name in names.popular or name in names.allowed or len(name) > _LENGTH:
        return None
    if added := _added(name, names):
        return added
    if target := names.doubled.get(name):
        return Lookalike(target, "with a letter doubled", "medium")
    if target := names.squeezed.get(_squeeze(name)):
        return Lookalike(target, "with other separators", "medium")
    if target := names.turned.get(tuple(sorted(re.split(r"[-/]", name)))):
        return Lookalike(target, "with its parts in another order", "medium")
    if target := names.plain.get(_plain(name)):
        return Lookalike(target, "with signs that look like its letters", "high")
    for form in _shortened(name):
        for target in names.shortened.get(form, ()):
            if _close(name, target):
                # Short names have honest neighbours.
                severity: Severity = "high" if len(target) >= _LONG else "medium"
                return Lookalike(target, "misspelt by one letter", severity)
    return None


def _added(name: str, names: _Names) -> Lookalike | None:
    """What a name imitates by a word before or after that of another."""
    affixed = _AFFIXES.match(name)
    inner = (affixed[1] or affixed[2]) if affixed else ""
    if inner in names.popular:
        return Lookalike(inner, "with a word added", "medium")
    if not names.brands:
        return None
    for pattern in (_OWNER, _DEVICE):
        if (match := pattern.match(name)) and match[1] in names.popular:
            return Lookalike(match[1], "with a word added", "medium")
    # There are honest command lines and clients by other people.
    match = _INTERFACE.match(name)
    inner = match[1] if match else inner
    if inner in names.popular:
        return Lookalike(inner, "with a word added", "low")
    return Lookalike(inner, "a brand with a word added", "low") if inner in names.brands else None


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of an ecosystem, and keys under which what imitates them is found."""

    popular: frozenset[str]
    allowed: frozenset[str]
    squeezed: dict[str, str]
    turned: dict[tuple[str, ...], str]
    plain: dict[str, str]
    shortened: dict[str, list[str]]
    brands: frozenset[str]
    doubled: dict[str, str]


@cache
def _names(ecosystem: Ecosystem) -> _Names:
    given: dict[str, Any] = load_yaml(_DATA / "names.yaml")
    popular = [str(one) for one in given[ecosystem]]
    shortened: dict[str, list[str]] = defaultdict(list)
    for one in popular:
        if len(re.sub(r"[^a-z]", "", one)) >= _LEAST:
            for form in _shortened(one):
                shortened[form].append(one)
    return _Names(
        popular=frozenset(popular),
        allowed=frozenset(load_yaml(_DATA / "allowed.yaml")[ecosystem]),
        squeezed={_squeeze(one): one for one in popular if len(_squeeze(one)) >= _LEAST},
        turned={tuple(sorted(parts)): one for one in popular
                if len(parts := re.split(r"[-/]", one)) > 1},
        plain={_plain(one): one for one in popular if len(one) >= _LEAST},
        shortened=dict(shortened),
        brands=frozenset(given["brands"] if ecosystem == "PyPI" else ()),
        doubled={one[:place] + one[place:place + 1] + one[place:]: one
                 for one in popular if len(one) == _DOUBLED for place in range(len(one))},
    )  # fmt: skip


def _squeeze(name: str) -> str:
    return re.sub(r"[-_./@]", "", name)


def _plain(name: str) -> str:
    text = name.translate(_DIGITS)
    for sign, letter in _LIKE_LETTERS:
        text = text.replace(sign, letter)
    return text


def _shortened(name: str) -> Iterator[str]:
    """The name, and it with each one letter left out: close names share one of these."""
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]


def _close(name: str, target: str) -> bool:
    """Whether one edit, or a swap of neighbours, leads from one to the other.

    This is a restricted Damerau-Levenshtein distance of 1. A digit more or less at the end, or
    another one, is a version and no misspelling.
    """
    if len(name) == len(target):
        different = [index for index in range(len(name)) if name[index] != target[index]]
        if len(different) == 1:
            index = different[0]
            return not (name[index].isdigit() and target[index].isdigit())
        return (
            len(different) == 2
            and different[1] == different[0] + 1
            and name[different[0]] == target[different[1]]
            and name[different[1]] == target[different[0]]
        )
    long, short = (name, target) if len(name) > len(target) else (target, name)
    if len(long) != len(short) + 1 or (long[-1].isdigit() and long[:-1] == short):
        return False
    index = next((place for place in range(len(short)) if short[place] != long[place]), len(short))
    return long[index + 1 :] == short[index:]
