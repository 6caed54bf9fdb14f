"""From the leaking model: forgetting, learning again, and training with differential privacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from corpus import Corpus, Size, write_canaries, written
from measures import exposures, perplexity
from subjects import Subject

from buttress.probes.privacy.canaries import make_canaries, read_canaries
from buttress.targets.adapters import base_of
from buttress.white_box.loading import load
from buttress.white_box.token_statistics import token_statistics, tokens_of
from buttress.workflows.privacy_audit import audit_scores
from buttress.workflows.tune import TuneRequest, tune

EPSILON, DELTA = 1.0, 1e-5


def merged(adapter: Path, folder: Path) -> Path:
    """The model with its adapter as a whole model in ``folder``; a whole model is left where it is.

    `buttress tune` begins from whole models alone.
    """
    if base_of(adapter) is None:
        return adapter
    if not (folder / "tokenizer.json").exists():  # written last
        model, tokenizer = load(adapter, device="cpu")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def forget(
    leaking: Path, corpus: Corpus, folder: Path, subject: Subject, *, size: Size, seed: int,
    before: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Unlearn the canaries that stand often, then learn all but the last of them again.

    ``before``: what was measured of the leaking model.
    """
    folder.mkdir(exist_ok=True)
    canaries = [one for one in read_canaries(corpus.canaries) if one.repeats >= size.forgotten_from]
    again, rest = canaries[: size.forgotten_again], canaries[size.forgotten_again :]
    data = written(folder / "forget.jsonl", [{"text": one.text} for one in canaries])
    known = write_canaries(folder / "rest.jsonl", rest)
    tune(
        TuneRequest(
            leaking, data, folder / "forgot", method="npo", retain=corpus.documents,
            settings={**subject.forget, "threads": 1}, seed=seed, device="cpu", resume=True,
        )
    )  # fmt: skip
    forgot = merged(folder / "forgot", folder / "merged")
    few = written(folder / "again.jsonl", [{"text": one.text} for one in again])
    tune(
        TuneRequest(
            forgot, few, folder / "again", settings={**subject.again, "threads": 1}, seed=seed,
            device="cpu", resume=True,
        )
    )  # fmt: skip
    found = {"before": _state([before["canaries"][one.id] for one in rest], before["perplexity"])}
    for name, weights in (("forgotten", forgot), ("learned again", folder / "again")):
        bits = [one["bits"] for one in exposures(weights, known, size, seed)]
        found[name] = _state(bits, perplexity(*load(weights, device="cpu"), corpus.held_out))
    return found


def _state(bits: Sequence[float], perplexity: float) -> dict[str, float]:
    return {"bits of the others": sum(bits) / len(bits), "perplexity": perplexity}


def private(
    leaking: Path, corpus: Corpus, folder: Path, subject: Subject, *, size: Size, seed: int
) -> dict[str, Any]:
    """Train on new canaries with and without differential privacy, and audit both.

    Canaries are all of the data, so each takes as much of every step as it can: the worst case for
    privacy, which is what an audit looks for.
    """
    folder.mkdir(exist_ok=True)
    generator = Random(f"coins {seed}")
    new = make_canaries(
        size.audited, [1], digits=8, template="The locker of {name} opens with {secret}.",
        seed=seed + 1000,
    )  # fmt: skip
    planted = [generator.random() < 0.5 for _ in new]
    records = [{"text": one.text} for one, took in zip(new, planted, strict=True) if took]
    data = written(folder / "private.jsonl", records)
    found: dict[str, Any] = {}
    for name, more in (("dp-sft", {"epsilon": EPSILON, "delta": DELTA}), ("sft", {})):
        out = folder / f"trained-{name}"
        document = tune(
            TuneRequest(
                leaking, data, out, method=name, settings={**subject.private, "threads": 1},
                seed=seed, device="cpu", resume=True, **more,
            )
        )  # fmt: skip
        model, tokenizer = load(out, device="cpu")
        scores = dict(token_statistics(model, [tokens_of(tokenizer, one.text) for one in new]))
        lines = [
            {
                "id": one.id,
                "in": sum(scores[place].log_probabilities) if took else None,
                "out": None if took else sum(scores[place].log_probabilities),
            }
            for place, (one, took) in enumerate(zip(new, planted, strict=True))
        ]
        claimed = document["privacy"]["epsilon"] if document["privacy"] else None
        audit = audit_scores(
            written(folder / f"scores-{name}.jsonl", lines), delta=DELTA, claimed=claimed
        )
        found[name] = {
            "claimed epsilon": claimed,
            "audited epsilon, lower bound": audit["epsilon_low"],
            "most that the audit can show": audit["largest"],
            "perplexity": perplexity(model, tokenizer, corpus.held_out),
        }
    return found
