"""Reads ``buttress.yaml``, the manifest that describes a system."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import re2

from buttress import extension
from buttress.answers.own_refusals import OwnRefusals, Searches
from buttress.errors import InputError
from buttress.extension.settings import settings_schema
from buttress.files import json_schema, located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.files.shown_url import without_keys
from buttress.system.known import KnownNames
from buttress.system.model import (
    TARGET_SOURCES,
    Asset,
    Budget,
    JudgeSettings,
    Price,
    Profile,
    PromptSource,
    System,
    Use,
)

PACK: Final = "pack:"  # in front of the name of what an installed pack holds
FILE_NAME: Final = "buttress.yaml"
LENGTH: Final = 512  # tokens of an answer of a service
LOCAL_LENGTH: Final = 160
_PACE: Final = frozenset({"concurrency", "timeout_s", "price"})
_OWN_FIELDS: Final = {
    "id", "kind", "description", "path", "url", "system_prompt", "system_prompt_file",
    "max_tokens", "price",
}  # fmt: skip


class _Base(NamedTuple):
    """Where a manifest lies, and what it may name."""

    folder: Path
    known: KnownNames


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of the manifest, as published for editors."""
    whole = _schema("manifest.schema.json")
    return {**whole, "properties": {**whole["properties"], "watch": watch_schema()}}


@cache
def watch_schema() -> Mapping[str, Any]:
    """The JSON Schema of the section ``watch``, which may be a file of its own."""
    return _schema("watch.schema.json")


def _schema(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = orjson.loads(
        resources.files("buttress.system").joinpath(name).read_bytes()
    )
    return loaded


def load(path: Path, known: KnownNames) -> System:
    """Read a manifest.

    Args:
        path: the file, or the folder that holds ``buttress.yaml``.
        known: what the manifest may name.

    Raises:
        InputError: naming file, line, field and what is expected there.
    """
    if path.is_dir():
        path = path / FILE_NAME
    if not path.exists():
        raise InputError(
            "no such file", file=str(path), expected="a manifest; `buttress init` writes one"
        )
    return parse(located_yaml.load(path), path.resolve().parent, known)


def _digest(data: Any) -> str:
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _without_pace(data: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest without what only says how long, how fast and for how much is asked."""

    def target(settings: Any) -> Any:
        if not isinstance(settings, Mapping):
            return settings
        return {name: value for name, value in settings.items() if name not in _PACE}

    kept = {name: value for name, value in data.items() if name not in {"budget", "judge"}}
    kept["assets"] = [target(asset) for asset in data["assets"]]
    kept["attacker"] = target(data.get("attacker"))
    judge = dict(data.get("judge", {}))
    return kept | {
        "judge": judge
        | {
            "target": target(judge.get("target")),
            "members": [target(member) for member in judge.get("members", ())],
        }
    }


def parse(located: Located, folder: Path, known: KnownNames) -> System:
    """Make a system from parsed YAML; relative paths are taken from ``folder``.

    Raises:
        InputError: as ``load``.
    """
    located_yaml.check(located, schema())
    base = _Base(folder, known)
    data: dict[str, Any] = located.data
    assets = _assets(located, base)
    budget = data.get("budget", {})
    judge = data.get("judge", {})
    if "id" not in judge and judge.keys() - {"calibration"}:
        expected = "offline, llm, panel or guard, or one that a package registers"
        raise located.error(("judge",), "'id' is missing", expected)
    if "settings" in judge:
        _check_registered(located, ("judge",), "judges", judge["id"], judge["settings"])
    return System(
        name=data["name"],
        purpose=data.get("purpose", "").strip(),
        owner=data.get("owner", ""),
        assets=assets,
        profile=_profile(located, known),
        base=folder,
        digest=_digest(data),
        run_digest=_digest(_without_pace(data)),
        languages=tuple(dict.fromkeys(data.get("languages", ("en", "zh")))),
        prompts=tuple(_prompts(located, base)) or (PromptSource("buttress"),),
        judge=JudgeSettings(
            id=judge.get("id", "offline"),
            model=judge.get("model"),
            calibration=_existing(located, base, ("judge", "calibration")),
            target=judge.get("target"),
            rubric=judge.get("rubric"),
            settings=judge.get("settings", {}),
            members=tuple(judge.get("members", ())),
            rule=judge.get("rule"),
            quorum=judge.get("quorum"),
        ),
        refusals=_refusals(located),
        attacker=_attacker(located, base, assets),
        attacks=tuple(
            dict.fromkeys(
                _attack(located, base, index) for index in range(len(data.get("attacks", ())))
            )
        ),
        data={name: _there(located, base, ("data", name)) for name in data.get("data", {})},
        options={name: _option(value, folder) for name, value in data.get("options", {}).items()},
        policy=_policy(located, base),
        risks=_existing(located, base, ("risks",)),
        budget=Budget(calls=budget)
        if isinstance(budget, int)
        else Budget(
            calls=budget.get("calls", None if budget else Budget().calls),
            minutes=budget.get("minutes"),
            cost=budget.get("cost"),
            tokens=budget.get("tokens"),
        ),
        file=located.file,
        lines={name: line for name in data if (line := located.line((name,)))},
    )


def _refusals(located: Located) -> OwnRefusals:
    texts: list[str] = []
    patterns: list[Searches] = []
    quiet = re2.Options()
    quiet.log_errors = False
    for index, entry in enumerate(located.data.get("refusals", ())):
        if isinstance(entry, str):
            texts.append(entry)
            continue
        try:
            patterns.append(re2.compile(entry["pattern"], quiet))
        except re2.error as error:
            raise located.error(
                ("refusals", index, "pattern"), f"no regular expression ({error})", "RE2 syntax"
            ) from None
    return OwnRefusals(tuple(texts), tuple(patterns))


def _profile(located: Located, known: KnownNames) -> Profile:
    data = located.data.get("profile", {})
    uses = tuple(Use(use["name"], float(use["share"])) for use in data.get("uses", ()))
    if uses and abs(sum(use.share for use in uses) - 1) > 0.01:
        total = sum(use.share for use in uses)
        raise located.error(
            ("profile", "uses"), f"shares add up to {total:.3g}", "shares that add up to 1"
        )
    categories = data.get("categories", {})
    if categories:
        valid = known.categories()
        for name in categories:
            if name not in valid:
                raise located.error(
                    ("profile", "categories", name),
                    f"unknown category '{name}'",
                    "one of " + ", ".join(valid),
                )
        if not any(categories.values()):
            raise located.error(
                ("profile", "categories"), "all weights are 0", "at least one weight above 0"
            )
    return Profile(
        users=data.get("users", ""),
        requests_per_day=float(data.get("requests_per_day", Profile().requests_per_day)),
        uses=uses,
        categories={name: float(weight) for name, weight in categories.items()},
    )


def _prompts(located: Located, base: _Base) -> list[PromptSource]:
    entries = located.data.get("prompts", ())
    if not entries:
        return []
    sources = []
    unpublished = base.known.unpublished_sets()
    valid = ("buttress", *base.known.prompt_sets(), *unpublished)
    for index, entry in enumerate(entries):
        if entry["set"] not in valid:
            raise located.error(
                ("prompts", index, "set"),
                f"unknown prompt set '{entry['set']}'",
                "one of " + ", ".join(valid),
            )
        path = _existing(located, base, ("prompts", index, "path"))
        if path is None and entry["set"] in unpublished:
            raise located.error(
                ("prompts", index), "'path' is missing", "the bank's file: nobody publishes one"
            )
        sources.append(PromptSource(entry["set"], path, entry.get("split")))
    return sources


def _assets(located: Located, base: _Base) -> tuple[Asset, ...]:
    assets: list[Asset] = []
    taken: set[str] = set()
    for index, entry in enumerate(located.data["assets"]):
        kind = entry["kind"]
        name = entry.get("id") or _free_id(kind, taken)
        if name in taken:
            raise located.error(("assets", index, "id"), f"'{name}' is taken", "a unique id")
        taken.add(name)
        assets.append(_asset(located, base, index, name))
    return tuple(assets)


def _free_id(kind: str, taken: set[str]) -> str:
    number = 1
    while (name := kind if number == 1 else f"{kind}-{number}") in taken:
        number += 1
    return name


def _asset(located: Located, base: _Base, index: int, name: str) -> Asset:
    entry = located.data["assets"][index]
    where = ("assets", index)
    sources = [source for source in TARGET_SOURCES if source in entry]
    settings = {key: value for key, value in entry.items() if key not in _OWN_FIELDS}
    if sources == ["endpoint"] and "max_tokens" in entry:
        settings["longest"] = entry["max_tokens"]  # as it says, also where thinking needs more
    if settings and entry["kind"] != "model":
        field = next(iter(settings))
        raise located.error(
            (*where, field), f"'{field}' belongs to an asset of kind model", "path or url"
        )
    if len(sources) > 1:
        raise located.error(
            (*where, sources[1]),
            f"'{sources[0]}' and '{sources[1]}' both say what answers",
            "one of " + ", ".join(TARGET_SOURCES),
        )
    if settings and not sources:
        field = next(iter(settings))
        raise located.error(
            (*where, field),
            f"'{field}' without a model that answers",
            "one of " + ", ".join(TARGET_SOURCES) + " beside it",
        )
    if not sources and "path" not in entry and "url" not in entry:
        choices = (*TARGET_SOURCES, "path") if entry["kind"] == "model" else ("path", "url")
        raise located.error(where, "the asset has no location", "one of " + ", ".join(choices))
    _check_target(located, base, index, sources)
    paths = [found for found in [_existing(located, base, (*where, "path"))] if found]
    weights = str(entry.get("weights", ""))
    if weights and not weights.startswith("package:"):
        paths.append((base.folder / weights).resolve())
    price = entry.get("price", {})
    return Asset(
        id=name,
        kind=entry["kind"],
        location=_location(entry, sources),
        settings=settings,
        paths=tuple(paths),
        system_prompt=_system_prompt(located, base, index),
        max_tokens=entry.get("max_tokens") or _length(sources),
        price=Price(**{key: float(value) for key, value in price.items()}),
        description=entry.get("description", ""),
        url=str(entry.get("url", "")),
        file=located.file,
        line=located.line(("assets", index)),
    )


def _location(entry: dict[str, Any], sources: list[str]) -> str:
    """Where an asset is, without keys."""
    if not sources:
        return str(entry.get("path") or entry["url"])
    value = entry[sources[0]]
    if isinstance(value, dict):
        value = value.get("url", "")
    text = str(value)
    return without_keys(text) if sources[0] in {"endpoint", "http"} else text


def _length(sources: list[str]) -> int:
    """Tokens of an answer: as HarmBench has it for services, fewer where each takes long."""
    local = not sources or sources[0] in {"weights", "replay", "script"}
    return LOCAL_LENGTH if local else LENGTH


def _check_target(located: Located, base: _Base, index: int, sources: list[str]) -> None:
    """What can be said wrong about a target without opening it."""
    entry = located.data["assets"][index]
    where = ("assets", index)
    named = "model" in entry or "/deployments/" in str(entry.get("endpoint"))  # Azure's URL does
    if sources == ["endpoint"] and not named:
        raise located.error(where, "'model' is missing", "the model's name at the endpoint")
    if "where" in entry and sources != ["replay"]:
        raise located.error((*where, "where"), "'where' selects recorded answers", "replay: FILE")
    if "settings" in entry and sources != ["target"]:
        raise located.error((*where, "settings"), "settings without 'target'", "target: NAME")
    if sources == ["target"]:
        _check_registered(located, (*where,), "targets", entry["target"], entry.get("settings"))
    for source in ("replay", "script"):
        _existing(located, base, (*where, source))
    weights = str(entry.get("weights", ""))
    if weights and not weights.startswith("package:"):
        _existing(located, base, (*where, "weights"))


def _check_registered(
    located: Located,
    where: tuple[str | int, ...],
    kind: str,
    name: str,
    given: dict[str, Any] | None,
) -> None:
    """A third party's target or judge: that it is there and takes the settings."""
    if name not in extension.names(kind):
        raise located.error(
            (*where, kind[:-1] if kind == "targets" else "id"),
            f"unknown {kind[:-1]} '{name}'",
            "one of " + ", ".join(extension.names(kind)),
        )
    schema = settings_schema(extension.load(kind, name))
    schema["properties"].pop("target", None)  # of a judge, opened from its own field
    schema["required"] = [field for field in schema["required"] if field != "target"]
    for violation in json_schema.violations(schema, given or {}):
        settings = f"a setting that {name} takes: " + ", ".join(schema["properties"])
        place = (*where, "settings", *violation.path)
        raise located.error(place, violation.problem, violation.expected or settings)


def _system_prompt(located: Located, base: _Base, index: int) -> str:
    entry = located.data["assets"][index]
    where = ("assets", index, "system_prompt_file")
    if "system_prompt_file" not in entry:
        return str(entry.get("system_prompt", ""))
    if "system_prompt" in entry:
        raise located.error(where, "given beside 'system_prompt'", "one of the two")
    path = _existing(located, base, where)
    assert path is not None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise located.error(where, f"'{path}' is not readable", "a text file in UTF-8") from None


def _attacker(located: Located, base: _Base, assets: tuple[Asset, ...]) -> dict[str, Any] | None:
    settings: dict[str, Any] | None = located.data.get("attacker")
    if settings is None:
        return None
    if "asset" in settings:
        able = [asset.id for asset in assets if asset.is_target]
        if settings["asset"] not in able:
            raise located.error(
                ("attacker", "asset"),
                f"'{settings['asset']}' answers no questions",
                "one of " + ", ".join(able) if able else "an asset of kind model that answers",
            )
        return settings
    if not any(source in settings for source in TARGET_SOURCES):
        expected = "asset, or one of " + ", ".join(TARGET_SOURCES)
        raise located.error(("attacker",), "no model that answers", expected)
    for source in ("script", "weights"):
        if source in settings and not str(settings[source]).startswith("package:"):
            _existing(located, base, ("attacker", source))
    return settings


def _attack(located: Located, base: _Base, index: int) -> str:
    """An attack's name, or the absolute path of a file of templates."""
    name = located.data["attacks"][index]
    if name.startswith(PACK):
        return str(_in_pack(located, base, ("attacks", index), name, ("attack-templates",)))
    beside = base.folder / name
    return str(beside.resolve()) if beside.is_file() else str(name)


def _option(value: str | bool, folder: Path) -> str:
    """As ``--set`` takes it; what names a file or folder beside the manifest becomes its path."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    beside = folder / value
    return str(beside.resolve()) if value and beside.exists() else value


def _there(located: Located, base: _Base, field: tuple[str | int, ...]) -> Path:
    path = _existing(located, base, field)
    assert path is not None
    return path


def _policy(located: Located, base: _Base) -> str:
    """A policy's name, or the absolute path of its file."""
    name = located.data.get("policy", "default")
    if name.startswith(PACK):
        return str(_in_pack(located, base, ("policy",), name, ("policy",)))
    beside = base.folder / name
    return str(beside) if beside.is_file() else str(name)


def _in_pack(
    located: Located, base: _Base, field: FieldPath, name: str, kinds: tuple[str, ...] = ()
) -> Path:
    try:
        return base.known.in_pack(name, kinds)
    except InputError as error:
        raise located.error(field, error.problem, error.expected) from None


def _existing(located: Located, base: _Base, field: tuple[str | int, ...]) -> Path | None:
    """The path at that field, which must exist; None where the field is absent."""
    value: Any = located.data
    for part in field:
        if isinstance(value, dict) and part not in value:
            return None
        value = value[part]
    if str(value).startswith(PACK):
        return _in_pack(located, base, field, str(value))
    try:
        path = (base.folder / str(value)).resolve()
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        raise located.error(field, f"no such file or folder: {value}", "a path that exists")
    return path
