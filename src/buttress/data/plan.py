"""What a run of the pipeline does: its stages with their options, from the command line or YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress.data.stage import CorpusStage, RecordStage, Stage
from buttress.errors import InputError, PluginError
from buttress.extension import entry_points
from buttress.extension.settings import settings_schema, with_paths
from buttress.files import json_schema

if TYPE_CHECKING:
    from buttress.files import located_yaml

DEFAULT: Final = ("unicode", "exact", "near", "pii", "secrets")
SHARE: Final = "max_removed_share"
MAX_REMOVED_SHARE: Final = 0.5
# Stages that remove what the user asked to be removed: no share of it is alarming.
_DELIBERATE: Final = frozenset({"sources", "language"})
_PIPELINE: Final = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "source_field": {"type": "string"},
        "stages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "minProperties": 1, "maxProperties": 1},
                ]
            },
        },
    },
    "required": ["stages"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage by name, with options that were checked."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    max_removed_share: float | None = None

    @property
    def limit(self) -> float:
        """Largest share of a source's records that it may remove before it is an alarm."""
        if self.max_removed_share is not None:
            return self.max_removed_share
        return 1.0 if self.name in _DELIBERATE else MAX_REMOVED_SHARE

    def make(self) -> Stage:
        """The stage.

        Raises:
            InputError: an option is not usable.
            PluginError: it can't be made, or is no stage.
        """
        factory = entry_points.load("data_stages", self.name)
        try:
            with self.naming():
                stage = factory(**self.options)
        except InputError as error:
            raise InputError(
                error.problem,
                file=error.file,
                field=f"stage {self.name}: {error.field}" if error.field else f"stage {self.name}",
                expected=error.expected,
            ) from None
        if not isinstance(stage, (RecordStage, CorpusStage)):
            raise PluginError(f"data stage '{self.name}'", TypeError("no stage"))
        return stage

    def naming(self) -> AbstractContextManager[None]:
        """Runs code of the stage: an error of a plugin's is told under the stage's name."""
        return entry_points.naming_plugin("data_stages", self.name)

    def to_json(self) -> dict[str, Any]:
        """Name and options, for documents and digests."""
        options = {
            name: [str(one) for one in value]
            if isinstance(value, list)
            else str(value)
            if isinstance(value, Path)
            else value
            for name, value in self.options.items()
        }
        return {"name": self.name, "options": options, SHARE: self.limit}


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """Stages in order, and the fields that they read."""

    stages: tuple[StageSpec, ...]
    field: str = ""
    source_field: str = ""


def option_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a stage's options.

    Raises:
        InputError: no such stage.
    """
    schema = settings_schema(entry_points.load("data_stages", name))
    schema["properties"][SHARE] = {"type": "number", "minimum": 0, "maximum": 1}
    return schema


def from_command_line(given: Sequence[str], base: Path) -> tuple[StageSpec, ...]:
    """Stages from texts ``NAME[:OPTION=VALUE,…]``; a piece without ``=`` continues a list.

    Raises:
        InputError: an unknown stage or option, or a value of the wrong type.
    """
    return tuple(_from_text(text, base) for text in given)


def _from_text(text: str, base: Path) -> StageSpec:
    name, _, rest = text.partition(":")
    schema = option_schema(name.strip())
    options: dict[str, Any] = {}
    last = ""
    for piece in filter(None, rest.split(",")):
        key, equals, value = piece.partition("=")
        if equals and key.strip() in schema["properties"]:
            last = key.strip()
            options[last] = _value(value, schema["properties"][last])
        elif not equals and isinstance(options.get(last), list):
            options[last].append(piece)
        else:
            raise InputError(
                f"unknown option '{key.strip()}'", field=f"--stage {name}",
                expected=_known(schema),
            )  # fmt: skip
    return _checked(name.strip(), options, base)


def _known(schema: Mapping[str, Any]) -> str:
    return "of " + ", ".join(schema["properties"])


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    if schema.get("type") in ("array", ["array", "null"]):
        return [text] if text else []
    if schema.get("type") == "string" or "enum" in schema:
        return text
    from buttress.files.yaml_loader import parse_plain

    try:
        return parse_plain(text)
    except ValueError:
        return text


def load(path: Path) -> PipelinePlan:
    """A pipeline from YAML: ``stages``, a list of names or of ``NAME: {OPTION: VALUE}``.

    Raises:
        InputError: naming file, line and field.
    """
    from buttress.files import located_yaml

    located = located_yaml.load(path)
    located_yaml.check(located, _PIPELINE)
    stages = []
    for place, entry in enumerate(located.data["stages"]):
        name, options = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        where = ("stages", place) if isinstance(entry, str) else ("stages", place, name)
        if name not in entry_points.names("data_stages"):
            known = ", ".join(entry_points.names("data_stages"))
            raise located.error(where, f"unknown stage '{name}'", f"one of {known}")
        if not isinstance(options or {}, dict):
            raise located.error(where, "no options", "a mapping of options")
        stages.append(_checked(name, options or {}, path.parent, located, where))
    return PipelinePlan(
        tuple(stages), located.data.get("field", ""), located.data.get("source_field", "")
    )


def _checked(
    name: str,
    options: Mapping[str, Any],
    base: Path,
    located: located_yaml.Located | None = None,
    where: located_yaml.FieldPath = (),
) -> StageSpec:
    schema = option_schema(name)
    for path, problem, expected, _ in json_schema.violations(schema, dict(options)):
        if located is not None:
            raise located.error((*where, *path), problem, expected)
        option = ".".join(map(str, path))
        field = f"--stage {name}" + (f":{option}" if option else "")
        raise InputError(problem, field=field, expected=expected)
    resolved = with_paths(schema, options, base)
    for option, field_schema in schema["properties"].items():
        items = field_schema.get("items", {})
        if option in resolved and items.get("format") == "path":
            resolved[option] = [base / one for one in resolved[option] or ()]
    share = resolved.pop(SHARE, None)
    spec = StageSpec(name, resolved, share)
    try:
        spec.make()  # what the schema can't say is told now, not in the middle of a run
    except InputError as error:
        if located is None or error.file:
            raise
        option = (error.field or "").rpartition(": ")[2]
        place = (*where, option) if option in options else where
        raise located.error(place, error.problem, error.expected) from None
    return spec
