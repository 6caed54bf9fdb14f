"""Writes a new plugin: a package with one part of each kind, and tests that pass."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import yaml

from buttress.errors import InputError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST: Final = 40


def new_plugin(name: str, folder: Path) -> list[str]:
    """Write the plugin ``name`` into a new or empty folder.

    Returns:
        The paths of its files, relative to ``folder``.

    Raises:
        InputError: not a name, or that of a module that is there already; the folder holds
            something, or can't be written.
    """
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(module):
        raise InputError(
            f"'{name[:80]}' is no name", field="NAME",
            expected=f"a-z, 0-9 and -, a letter first, at most {_LONGEST}",
        )  # fmt: skip
    if not isinstance(yaml.safe_load(name), str):  # null, on, yes: its manifest would not name it
        raise InputError(f"YAML takes '{name}' for no text", field="NAME", expected="another name")
    if find_spec(module) is not None:
        raise InputError(
            f"there is a module '{module}' already", field="NAME", expected="a name of its own"
        )
    written = []
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError("is not empty", file=str(folder), expected="a new folder")
        for path, text in _texts(name, module):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(folder), expected="a folder to write in"
        ) from None
    return written


def _texts(name: str, module: str) -> list[tuple[str, str]]:
    """Path and text of each file; in the template's names ``__`` stands for ``/``."""

    def filled(text: str) -> str:
        return text.replace("PLUGIN-NAME", name).replace("PLUGIN_MODULE", module)

    home = resources.files("buttress.workflows").joinpath("plugin_template")
    files = []
    for file in home.iterdir():
        if file.name.endswith(".txt"):
            path = filled(file.name.removesuffix(".txt").replace("__", "/", 1))
            files.append((path, filled(file.read_text(encoding="utf-8"))))
    return sorted(files)
