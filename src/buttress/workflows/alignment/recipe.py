"""A recipe: what is done to the model. YAML, shipped by name or a file of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.yaml_loader import load_yaml
from buttress.training.settings import TuneSettings

RecipeKind = Literal["train", "gate", "steering", "system-prompt", "guard-rules"]
WITHOUT_TRAINING: Final[tuple[RecipeKind, ...]] = (
    "system-prompt", "steering", "gate", "guard-rules",
)  # fmt: skip
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class TrainingRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is trained on the seen categories.

    ``refusals`` says how answers to harmful requests read; ``mid_answer`` is the share of them that
    refuse after some words of the model's own compliant answer. ``pairs``: records of each kind at
    most; None for all that is seen. ``validate``: pairs of seen requests that are not trained on
    and choose the state that is kept. ``keep`` adds the divergence from the unchanged model on its
    own harmless answers. ``settings`` are those of `buttress tune`, ``reward`` those of the reward
    model that ``rloo`` and ``grpo`` train first, on the same preferences.
    """

    method: Literal["sft", "dpo", "ipo", "kto", "rloo", "grpo"] = "sft"
    refusals: Literal["varied", "one-opener"] = "varied"
    mid_answer: Fraction = 0.0
    pairs: Annotated[int, msgspec.Meta(ge=1)] | None = None
    validate: Annotated[int, msgspec.Meta(ge=0)] = 0
    keep: bool = False
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    reward: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recipe. ``false_alarms`` is what a gate aims at, ``strengths`` what steering tries."""

    name: Annotated[
        str,
        msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", description="lower-case letters, digits, -"),
    ]
    kind: RecipeKind
    description: str = ""
    train: TrainingRecipe | None = None
    false_alarms: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.02
    strengths: Annotated[
        tuple[Positive, ...], msgspec.Meta(min_length=1, description="one or more")
    ] = (0.5, 1.0, 2.0)
    prompts: tuple[str, ...] = ()


def shipped_recipes() -> list[str]:
    """Names of the recipes in the package."""
    return sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir())


def load_recipe(name: str) -> Recipe:
    """A shipped recipe by its name, or one in a YAML file.

    Raises:
        InputError: no such recipe, or a field that is not usable.
    """
    if name in shipped_recipes():
        content = load_yaml(_folder().joinpath(f"{name}.yaml"))
    elif name.endswith((".yaml", ".yml")):
        located = located_yaml.load(Path(name))
        content = located.data = located_yaml.with_exponents(located.data)
        located_yaml.check(located, _schema())
    else:
        raise InputError(
            f"unknown recipe '{name}'", field="--recipe",
            expected=f"one of {', '.join(shipped_recipes())}, or a YAML file",
        )  # fmt: skip
    recipe = msgspec.convert(content, Recipe)
    if (recipe.kind == "train") != (recipe.train is not None):
        raise InputError(
            "missing" if recipe.train is None else "is of no use here", file=name,
            field="train", expected="settings of the training, where kind is train",
        )  # fmt: skip
    return recipe


def load_recipes(names: Sequence[str]) -> list[Recipe]:
    """Each of the recipes, in order.

    Raises:
        InputError: as ``load_recipe``, or two of one name.
    """
    found = [load_recipe(name) for name in names]
    for recipe in found:
        if [one.name for one in found].count(recipe.name) > 1:
            raise InputError(
                f"'{recipe.name}' stands twice", field="--recipe", expected="different names"
            )
    return found


def _schema() -> dict[str, Any]:
    """Schema of a recipe's file, down to the settings of its training."""
    schema, settings = msgspec.json.schema(Recipe), msgspec.json.schema(TuneSettings)
    schema["$defs"] |= settings["$defs"]
    for name in ("settings", "reward"):
        schema["$defs"]["TrainingRecipe"]["properties"][name] = {"$ref": settings["$ref"]}
    return schema


def _folder() -> Traversable:
    return resources.files("buttress.workflows.alignment").joinpath("recipes")
