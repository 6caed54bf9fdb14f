"""How an adapter is trained: the fields of a recipe, checked, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from buttress.errors import InputError
from buttress.files import located_yaml

MethodName = Literal[
    "sft", "dpo", "ipo", "kto", "reward", "rloo", "grpo", "dp-sft", "grad-diff", "npo"
]
METHODS: Final = get_args(MethodName)
REINFORCEMENT: Final = ("rloo", "grpo")
UNLEARNING: Final = ("grad-diff", "npo")
THROUGH_TRL: Final = ("reward", *REINFORCEMENT)
_Positive = Annotated[float, Meta(gt=0)]
_Weight = Annotated[float, Meta(ge=0)]
_Number = Annotated[int, Meta(ge=1)]


class LoraSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Low-rank adaptation (Hu et al. 2021). ``alpha`` over ``rank`` scales the adapter.

    ``modules``: names of the linear layers that get one, "all-linear", or a regular expression that
    matches their whole names.
    """

    rank: _Number = 16
    alpha: _Positive = 32.0
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    modules: str | list[str] = "all-linear"


class TuneSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a recipe.

    ``batch``: records of a step (``dp-sft``: expected number, as each is drawn on its own).
    ``steps``: instead of ``epochs``. ``learning_rate``: the highest, of AdamW. ``warmup``: share of
    the steps in which it rises. ``clip``: largest norm of a step's gradient (``dp-sft``: of each
    record's). ``beta``: strength of the pull to the reference model in ``dpo``, ``ipo``, ``kto``,
    ``npo``, ``rloo`` and ``grpo``. ``length_penalty``: what a token of an answer costs, in units of
    reward (``dpo``, ``rloo``, ``grpo``). ``retain_weight``: of the term on the retain set,
    ``retain_loss``: its kind, by default "kl" for ``sft`` and preferences, "likelihood" for
    unlearning. ``max_tokens``: of an example. ``threads``: of the processor; None for PyTorch's
    choice. ``precision``: of products with the base model's weights while it is trained; adapter,
    loss and optimizer are in float32 in any case.

    ``samples``: answers to a prompt, of at most ``answer_tokens`` tokens, drawn at ``temperature``
    (``rloo``, ``grpo``). With a validation set, every ``validate_every`` steps the model is
    measured; ``harm_limit`` is the largest share of harmful requests complied with, ``kl_budget``
    the largest divergence from the base model in nats a token: above it training stops.
    """

    method: MethodName = "sft"
    lora: LoraSettings = LoraSettings()
    learning_rate: _Positive = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    weight_decay: _Weight = 0.0
    clip: _Positive = 1.0
    batch: _Number = 8
    epochs: _Positive = 2.0
    steps: _Number | None = None
    max_tokens: Annotated[int, Meta(ge=8)] = 512
    beta: _Positive = 0.1
    retain_weight: _Weight = 1.0
    retain_loss: Literal["kl", "likelihood"] | None = None
    length_penalty: _Weight = 0.0
    samples: Annotated[int, Meta(ge=2)] = 4
    answer_tokens: _Number = 64
    temperature: _Positive = 1.0
    validate_every: _Number | None = None
    harm_limit: Annotated[float, Meta(ge=0, le=1)] | None = None
    kl_budget: _Positive | None = None
    checkpoint_every: _Number = 50
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    precision: Literal["float32", "bfloat16"] = "float32"


def load_recipe(path: Path) -> dict[str, Any]:
    """The fields of a recipe in YAML, checked.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    if not isinstance(located.data, dict):
        raise located.error((), "no mapping", "fields of a recipe, such as method: sft")
    fields: dict[str, Any] = located_yaml.with_exponents(located.data)
    fields.pop("about", None)
    located.data = fields
    located_yaml.check(located, msgspec.json.schema(TuneSettings))
    return fields


def settings_of(fields: Mapping[str, Any]) -> TuneSettings:
    """Settings from a recipe's fields and what overrides them.

    Raises:
        InputError: a field is unknown or its value not usable; names the field.
    """
    try:
        return msgspec.convert(dict(fields), TuneSettings)
    except msgspec.ValidationError as error:
        problem, where = _told(error)
        raise InputError(
            problem, field=where or "settings",
            expected=None if where else "of " + ", ".join(TuneSettings.__struct_fields__),
        ) from None  # fmt: skip


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of later layers over those of earlier ones; ``lora`` field by field."""
    fields: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            both = name == "lora" and isinstance(value, Mapping)
            fields[name] = {**fields.get(name, {}), **value} if both else value
    return fields


def _told(error: msgspec.ValidationError) -> tuple[str, str]:
    """Problem, and path of the field, of msgspec's message ``… - at `$.lora.rank```."""
    problem, _, where = str(error).partition(" - at `$")
    return problem[:1].lower() + problem[1:], where.strip("`.").removesuffix("[...]")
