"""Training an adapter: one run, its checkpoints, its folder and its document."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from buttress import __version__
from buttress.data.reading import Readable, expand, read
from buttress.documents.schemas import as_object
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.report.tuning_card import tuning_card
from buttress.targets.adapters import CONFIG, base_of
from buttress.targets.fingerprint import file_digest, files_digest
from buttress.training import need_training
from buttress.training.settings import TuneSettings, load_recipe, merged, settings_of

if TYPE_CHECKING:
    from buttress.training.examples import ExampleSet

DOCUMENT: Final = "tune.json"
CARD: Final = "README.md"
RUN: Final = "tune-run.json"
_LIBRARIES: Final = ("torch", "transformers", "peft", "opacus")
_CURVE: Final = 1000
_PINNED: Final = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What to train on which weights.

    ``weights`` is a Hugging Face folder. ``method`` is one of ``training.settings.METHODS``; empty
    for the recipe's. ``retain``: records on which the model is to stay as it is. ``settings``
    override the fields of ``recipe``. ``epsilon`` and ``delta`` are for ``dp-sft``.
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
    resume: bool = False
    seed: int = 0
    device: str = "auto"


def tune(request: TuneRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """Train an adapter and write its folder; the document, which is in ``tune.json`` as well.

    Raises:
        InputError: weights, data, a setting or the folder of an earlier run is not usable.
        ButtressError: the saved adapter does not give what the trained one gave.
        MissingExtraError: torch, transformers or peft (for ``dp-sft`` also opacus) is not there.
    """
    need_training()
    run = _Run(request, _settings(request), say)
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
    private = settings.method == "dp-sft"
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
        if request.retain is not None:
            raise InputError(
                "not with dp-sft", field="--retain",
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
            "settings": msgspec.to_builtins(self.settings),
            "epsilon": request.epsilon,
            "delta": request.delta,
            "seed": request.seed,
        }
        path = request.out / RUN
        if path.exists():
            if not request.resume:
                raise InputError(
                    "holds a run", file=str(request.out), field="--out",
                    expected="a new folder, or --resume",
                )  # fmt: skip
            before = orjson.loads(path.read_bytes())
            for name, value in self.given.items():
                if before.get(name) != value:
                    raise InputError(
                        f"another run is to be resumed: {name} differs", file=str(request.out),
                        field="--resume", expected="the same weights, data and settings",
                    )  # fmt: skip
            return load_tuning(request.out) if (request.out / DOCUMENT).exists() else None
        for name in ("config.json", CONFIG, CARD):
            if (request.out / name).exists():
                raise InputError(
                    f"holds {name} of something else", file=str(request.out), field="--out",
                    expected="a new folder",
                )  # fmt: skip
        try:
            request.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(request.out), field="--out"
            ) from None
        write_whole(path, orjson.dumps(self.given) + b"\n", "--out")
        return None

    def carry_out(self) -> dict[str, Any]:
        """Train, save, check, write."""
        import torch

        from buttress.training.adapter import CHECKED, add_adapter, check_saved, save_adapter
        from buttress.training.answer_logits import all_log_probabilities
        from buttress.training.checkpoints import FOLDER
        from buttress.training.examples import ExampleReader
        from buttress.white_box.loading import load

        request, settings = self.request, self.settings
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self.say(f"loading {request.weights}")
        base, tokenizer = load(request.weights, device=request.device)
        whole = sum(one.numel() for one in base.parameters())
        reader = ExampleReader(tokenizer, self._most(base))
        data, told = self._read(request.data, reader, "--data")
        retain = retain_told = None
        if request.retain is not None:
            retain, retain_told = self._read(request.retain, reader, "--retain")
        model = add_adapter(base, settings.lora, request.seed)
        checkpoints = request.out / FOLDER
        losses, privacy = self._train(model, data, retain, checkpoints)
        self.say("saving, and loading anew")
        save_adapter(model, request.out, request.weights.resolve())
        examples = [*data.examples, *(one.chosen for one in data.pairs)][:CHECKED]
        trained = all_log_probabilities(model.eval(), examples)
        parameters = sum(one.numel() for one in model.parameters() if one.requires_grad)
        del model, base
        check = check_saved(
            request.out, request.weights.resolve(), examples, trained, request.device
        )
        document = {
            "schema": "buttress-tune/1",
            "version": __version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "method": settings.method,
            "weights": {
                "path": str(request.weights), "digest": self.given["weights"], "parameters": whole,
                "trained": parameters,
            },
            "data": told,
            "retain": retain_told,
            "settings": msgspec.to_builtins(settings),
            "seed": request.seed,
            "steps": len(losses) if privacy is None else privacy.pop("steps"),
            "loss": _loss(losses) if losses else None,
            "reload": {
                "examples": check.examples,
                "largest_difference": check.largest_difference,
                "change": check.change if privacy is None else None,
            },
            "privacy": privacy,
            "versions": {name: version(name) for name in _LIBRARIES if privacy or name != "opacus"},
        }  # fmt: skip
        write_whole(request.out / CARD, tuning_card(document).encode(), "--out")
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(request.out / DOCUMENT, text, "--out")
        shutil.rmtree(checkpoints, ignore_errors=True)
        return document

    def _most(self, model: Any) -> int:
        from buttress.white_box.token_statistics import positions

        return min(self.settings.max_tokens, positions(model) or self.settings.max_tokens)

    def _read(self, path: Path, reader: Any, option: str) -> tuple[ExampleSet, dict[str, Any]]:
        from buttress.training.objective import PREFERENCES

        records: list[dict[str, Any]] = []
        unreadable = 0
        for one in read(expand([path])):
            if isinstance(one, Readable):
                records.append(orjson.loads(one.line))
            else:
                unreadable += 1
        method = self.settings.method
        try:
            if method in PREFERENCES and option == "--data":
                found: ExampleSet = reader.pairs(records)
            else:
                found = reader.examples(
                    records,
                    labelled=method == "kto" and option == "--data",
                    whole=method == "dp-sft",
                )
        except InputError as error:
            raise InputError(
                error.problem, file=str(path), field=option, expected=error.expected
            ) from None
        answers = [*found.examples, *(one.chosen for one in found.pairs)]
        answers += [one.rejected for one in found.pairs]
        left_out = {"unreadable": unreadable, **found.left_out}
        told = {
            "path": str(path),
            "digest": data_digest(path),
            "records": len(records),
            "examples": found.size,
            "tokens": sum(one.learned for one in answers),
            "left_out": {name: count for name, count in sorted(left_out.items()) if count},
        }
        return found, told

    def _train(
        self, model: Any, data: ExampleSet, retain: ExampleSet | None, checkpoints: Path
    ) -> tuple[list[float], dict[str, Any] | None]:
        from buttress.training.loop import train
        from buttress.training.objective import terms_of

        request = self.request
        if request.epsilon is not None and request.delta is not None:
            from buttress.training.private import train_privately

            spent = train_privately(
                model, data.examples, self.settings, request.epsilon, request.delta,
                folder=checkpoints, say=self.say,
            )  # fmt: skip
            return [], {
                "epsilon": spent.epsilon, "delta": spent.delta, "target_epsilon": spent.target,
                "noise_multiplier": spent.noise_multiplier, "sample_rate": spent.sample_rate,
                "clip": spent.clip, "steps": spent.steps,
                "accountant": "Opacus, privacy loss random variables",
            }  # fmt: skip
        terms = terms_of(model, self.settings, data, retain, request.seed)
        losses = train(
            model, terms, self.settings, seed=request.seed, folder=checkpoints, say=self.say
        )
        return losses, None


def data_digest(path: Path) -> str:
    """SHA-256 over names and digests of the files of a data set.

    Raises:
        InputError: no such file or folder.
    """
    said = "\n".join(f"{one.name} {file_digest(one)}" for one in expand([path]))
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _loss(losses: list[float]) -> dict[str, Any]:
    tenth = max(1, len(losses) // 10)
    stride = -(-len(losses) // _CURVE)
    return {
        "first": sum(losses[:tenth]) / tenth,
        "last": sum(losses[-tenth:]) / tenth,
        "curve": [round(one, 6) for one in losses[::stride]],
    }
