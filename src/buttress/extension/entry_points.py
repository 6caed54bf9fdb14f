"""Extension points: what third-party packages can add by an entry point.

A package registers, for example, ``[project.entry-points."buttress.attacks"]`` with
``my-attack = "my_package:MyAttack"``; the built-in parts register in the same way, so there is one
mechanism. Entry points are read lazily: naming them costs no import of the part itself.

They are read from the ``entry_points.txt`` of installed distributions (PyPA "Entry points
specification"), without ``importlib.metadata``, whose import takes half the time of a small scan.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from buttress.errors import InputError, PluginError
from buttress.extension.contained import naming

GROUPS: Final = {
    "probes": ("buttress.probes", "buttress.inspections"),  # all, those that ask and that inspect
    "inspections": ("buttress.inspections",),
    "live_probes": ("buttress.live_probes",),
    "attacks": ("buttress.attacks",),
    "judges": ("buttress.judges",),
    "targets": ("buttress.targets",),
    "reports": ("buttress.reports",),
    "data_stages": ("buttress.data_stages",),
    "pack_contents": ("buttress.pack_contents",),
    "pack_signatures": ("buttress.pack_signatures",),
}
_PROBES: Final = ("probes", "inspections", "live_probes")
_METADATA: Final = (".dist-info", ".egg-info")


@cache
def names(kind: str) -> dict[str, str]:
    """Names registered for ``kind`` (a key of ``GROUPS``), sorted, each as ``module:attribute``."""
    registered = _registered()
    found = {
        name: value
        for group in GROUPS[kind]
        for name, value in registered.get(group, {}).items()
    }  # fmt: skip
    return dict(sorted(found.items()))


def load(kind: str, name: str) -> Any:
    """The object registered as ``name``.

    Raises:
        InputError: no such name; the message lists the valid ones.
        PluginError: the part's module can't be imported, or lacks the attribute; a probe has
            another id than its name here, or no version.
    """
    known = names(kind)
    if name not in known:
        raise InputError(
            f"unknown {kind[:-1].replace('_', ' ')} '{name}'", expected="one of " + ", ".join(known)
        )
    from importlib import import_module

    label = f"{kind[:-1]} '{name}' ({known[name]})"
    module, _, attributes = known[name].partition("[")[0].partition(":")
    with naming(label):  # a missing extra says itself what is to be done
        part: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            part = getattr(part, attribute)
    if kind in _PROBES and not (
        getattr(part, "id", None) == name and isinstance(getattr(part, "version", None), str)
    ):
        wrong = TypeError("its id has to be the name of its entry point, its version a text")
        raise PluginError(label, wrong)
    return part


@contextmanager
def naming_plugin(kind: str, name: str) -> Iterator[None]:
    """Run code of the part registered as ``name``; one of our own fails as the rest of us does.

    Raises:
        PluginError: the part is not ours, and raised an error that no user caused.
    """
    if names(kind).get(name, "").startswith("buttress."):
        yield
    else:
        with naming(f"{kind[:-1].replace('_', ' ')} '{name}'"):
            yield


@cache
def _registered() -> dict[str, dict[str, str]]:
    """Our groups of all distributions; the first on ``sys.path`` wins, as for imports."""
    groups: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        if os.path.isfile(folder):  # packages in a zip: rare, and left to the library
            return _registered_anywhere()
        for distribution, text in _texts(folder):
            if distribution not in seen:
                seen.add(distribution)
                _add(text, groups)
    return groups


def _registered_anywhere() -> dict[str, dict[str, str]]:
    from importlib.metadata import entry_points

    return {
        group: {point.name: point.value for point in entry_points(group=group)}
        for groups in GROUPS.values()
        for group in groups
    }


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    """Name and ``entry_points.txt`` of each distribution of a folder that mentions us."""
    try:
        names_in = sorted(os.listdir(folder or "."))
    except OSError:
        return
    for name in names_in:
        if not name.endswith(_METADATA):
            continue
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                text = file.read()
        except OSError:
            continue
        if b"buttress." in text:
            distribution = name.rpartition(".")[0].partition("-")[0].lower().replace("_", "-")
            yield distribution, text.decode("utf-8", "replace")


def _add(text: str, groups: dict[str, dict[str, str]]) -> None:
    """Read the INI form in which entry points are kept."""
    group: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = groups.setdefault(line[1:-1].strip(), {})
        elif line and line[0] not in "#;" and "=" in line:
            name, _, value = line.partition("=")
            group.setdefault(name.strip(), value.strip())
