"""Training an adapter: one run, its checkpoints, its folder and its document."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress import __version__
from buttress.data.inputs import expand
from buttress.documents.schemas import as_object
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.files.run_folder import begin_run, holds_this_run
from buttress.files.visible import printable_name
from buttress.protocols.judge import Judge
from buttress.report.tuning_card import tuning_card
from buttress.targets.adapters import CONFIG, base_of
from buttress.targets.fingerprint import file_digest, files_digest
from buttress.training import need_training, need_trl
from buttress.training.settings import (
    REINFORCEMENT,
    THROUGH_TRL,
    UNLEARNING,
    TuneSettings,
    load_recipe,
    merged,
    settings_of,
)

DOCUMENT: Final = "tune.json"
CARD: Final = "README.md"
RUN: Final = "tune-run.json"
_LIBRARIES: Final = ("torch", "transformers", "peft")
VALIDATION: Final = "validation"  # folder of the best state while a model is trained
_CURVE: Final = 1000
_PINNED: Final = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What to train on which weights.

    ``weights`` is a Hugging Face folder. ``method`` is one of ``training.settings.METHODS``; empty
    for the recipe's. ``retain``: records on which the model is to stay as it is. ``settings``
    override the fields of ``recipe``. ``epsilon`` and ``delta`` are for ``dp-sft``.
    ``reward_model`` scores answers for ``rloo`` and ``grpo``. ``validation``: requests, or pairs
    for ``reward``, by which the state that is kept is chosen; ``judge`` reads the answers to them,
    None for the offline judge. ``holdout``: records like those to be forgotten that were never
    trained on; with them unlearning is measured, and ``relearn`` records are trained on again.
    """

    weights: Path
    data: Path
    out: Path
    method: str = ""
    retain: Path | None = None
    recipe: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    epsilon: float | None = None
    delta: float | None = None
    reward_model: Path | None = None
    validation: Path | None = None
    judge: Judge | None = None
    holdout: Path | None = None
    relearn: int = 10
    resume: bool = False
    seed: int = 0
    device: str = "auto"


def tune(request: TuneRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """Train an adapter and write its folder; the document, which is in ``tune.json`` as well.

    Raises:
        InputError: weights, data, a setting or the folder of an earlier run is not usable.
        ButtressError: the saved adapter does not give what the trained one gave.
        MissingExtraError: torch, transformers or peft is not there, for ``dp-sft`` opacus, for
            ``reward``, ``rloo`` and ``grpo`` TRL.
    """
    need_training()
    settings = _settings(request)
    if settings.method in THROUGH_TRL:
        need_trl()
    run = _Run(request, settings, say)
    finished = run.begin()
    if finished is not None:
        say("the run is complete already")
        return finished
    return run.carry_out()


def load_tuning(folder: Path) -> dict[str, Any]:
    """The document of a finished run.

    Raises:
        InputError: there is none, or it is not valid.
    """
    path = folder / DOCUMENT
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(why, file=str(path), expected="the folder of `buttress tune`") from None
    as_object("tune", document)
    checked: dict[str, Any] = document
    return checked


def _settings(request: TuneRequest) -> TuneSettings:
    recipe = load_recipe(request.recipe) if request.recipe is not None else {}
    named = {"method": request.method} if request.method else {}
    settings = settings_of(merged(recipe, request.settings, named))
    if request.holdout is not None and settings.method not in UNLEARNING:
        raise InputError(
            f"not with {settings.method}", field="--holdout",
            expected="--method " + " or ".join(UNLEARNING),
        )  # fmt: skip
    private = settings.method == "dp-sft"
    reinforced = settings.method in REINFORCEMENT
    if reinforced != (request.reward_model is not None):
        raise InputError(
            "missing" if reinforced else "belongs to rloo and grpo", field="--reward-model",
            expected="the folder of a reward model" if reinforced else "--method rloo or grpo",
        )  # fmt: skip
    if request.retain is not None and settings.method in THROUGH_TRL:
        raise InputError(
            f"not with {settings.method}", field="--retain",
            expected="beta, which holds the model near the base" if reinforced else "no option",
        )  # fmt: skip
    if settings.precision != "float32" and settings.method in THROUGH_TRL:
        raise InputError(f"not with {settings.method}", field="precision", expected="float32")
    if request.validation is None:
        for name in ("validate_every", "harm_limit", "kl_budget"):
            if getattr(settings, name) is not None:
                raise InputError(
                    "needs requests to measure on", field=name, expected="--validation FILE"
                )
    for name in ("epsilon", "delta"):
        value = getattr(request, name)
        if private and value is None:
            raise InputError("missing", field=f"--{name}", expected="a number, for dp-sft")
        if not private and value is not None:
            raise InputError("belongs to dp-sft", field=f"--{name}", expected="--method dp-sft")
    if private:
        if not 0 < (request.epsilon or 0) <= 1000:
            raise InputError(
                f"{request.epsilon}", field="--epsilon", expected="above 0, at most 1000"
            )
        if not 0 < (request.delta or 0) < 1:
            raise InputError(f"{request.delta}", field="--delta", expected="between 0 and 1")
        for name in ("retain", "validation"):
            if getattr(request, name) is not None:
                raise InputError(
                    "not with dp-sft", field=f"--{name}",
                    expected="no second data set: its records would not be protected",
                )  # fmt: skip
    return settings


@dataclass(slots=True)
class _Run:
    request: TuneRequest
    settings: TuneSettings
    say: Say
    given: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> dict[str, Any] | None:
        """Make the folder, or check that its run is the same; its document if that is done."""
        request = self.request
        if base_of(request.weights) is not None:
            raise InputError(
                "holds an adapter", file=str(request.weights), field="WEIGHTS",
                expected="a whole model",
            )  # fmt: skip
        files = {path for kind in _PINNED for path in request.weights.glob(kind)}
        if not any(path.suffix == ".safetensors" for path in files):
            raise InputError(
                "no weights in it", file=str(request.weights), field="WEIGHTS",
                expected="a Hugging Face folder with safetensors",
            )  # fmt: skip
        self.given = {
            "weights": files_digest(files),
            "data": data_digest(request.data),
            "retain": data_digest(request.retain) if request.retain else None,
            "validation": data_digest(request.validation) if request.validation else None,
            "reward_model": _folder_digest(request.reward_model) if request.reward_model else None,
            "holdout": data_digest(request.holdout) if request.holdout else None,
            "relearn": request.relearn if request.holdout else None,
            "settings": msgspec.to_builtins(self.settings),
            "epsilon": request.epsilon,
            "delta": request.delta,
            "seed": request.seed,
        }
        if holds_this_run(request.out, RUN, self.given, resume=request.resume):
            return load_tuning(request.out) if (request.out / DOCUMENT).exists() else None
        for name in ("config.json", CONFIG, CARD):
            if (request.out / name).exists():
                raise InputError(
                    f"holds {name} of something else", file=str(request.out), field="--out",
                    expected="a new folder",
                )  # fmt: skip
        begin_run(request.out, RUN, self.given)
        return None

    def carry_out(self) -> dict[str, Any]:
        """Train, save, check, write."""
        from buttress.training.checkpoints import FOLDER
        from buttress.workflows.tune_training import train_and_save

        request, settings = self.request, self.settings
        checkpoints = request.out / FOLDER
        done = train_and_save(request, settings, checkpoints, self.say)
        document = {
            "schema": "buttress-tune/1",
            "version": __version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "method": settings.method,
            "weights": {
                "path": str(request.weights), "digest": self.given["weights"],
                "parameters": done.parameters, "trained": done.trained,
            },
            "data": done.data,
            "retain": done.retain,
            "reward_model": None if request.reward_model is None else {
                "path": str(request.reward_model), "digest": self.given["reward_model"],
            },
            "settings": msgspec.to_builtins(settings),
            "seed": request.seed,
            "steps": done.steps,
            "loss": _loss(done.losses) if done.losses else None,
            "curves": {name: _curve(values) for name, values in done.curves.items()},
            "validation": done.validation,
            "reload": {
                "examples": done.check.examples,
                "largest_difference": done.check.largest_difference,
                "change": done.check.change if done.privacy is None else None,
            },
            "privacy": done.privacy,
            "unlearning": done.unlearning,
            "versions": {
                name: version(name) for name in _libraries(settings.method)
            },
        }  # fmt: skip
        write_whole(request.out / CARD, tuning_card(document).encode(), "--out")
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(request.out / DOCUMENT, text, "--out")
        for folder in (checkpoints, request.out / VALIDATION):
            shutil.rmtree(folder, ignore_errors=True)
        return document


def _folder_digest(folder: Path) -> str:
    files = {path for kind in _PINNED for path in folder.glob(kind)}
    if not files:
        raise InputError(
            "holds no model", file=str(folder), field="--reward-model",
            expected="the folder of a reward model",
        )  # fmt: skip
    return files_digest(path for path in files if path.name != DOCUMENT)


def _libraries(method: str) -> list[str]:
    if method == "dp-sft":
        return [*_LIBRARIES, "opacus"]
    return [*_LIBRARIES, "trl"] if method in THROUGH_TRL else list(_LIBRARIES)


def data_digest(path: Path) -> str:
    """SHA-256 over names and digests of the files of a data set.

    Raises:
        InputError: no such file or folder.
    """
    said = "\n".join(f"{printable_name(one.name)} {file_digest(one)}" for one in expand([path]))
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _loss(losses: list[float]) -> dict[str, Any]:
    tenth = max(1, len(losses) // 10)
    return {
        "first": sum(losses[:tenth]) / tenth,
        "last": sum(losses[-tenth:]) / tenth,
        "curve": _curve(losses),
    }


def _curve(values: list[float]) -> list[float]:
    stride = -(-len(values) // _CURVE)
    return [round(one, 6) for one in values[::stride]]
