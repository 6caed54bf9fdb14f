"""Training records from trials of the seen part: refusals where one is due, own answers elsewhere.

Refusals are written from templates that name the harm category as the reason and offer help; the
model's own answers to look-alikes keep it helpful in its own words (they are the least change), and
its own compliant answers are what preference training rejects. All are drawn by seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.answers.degenerate import is_degenerate
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.files.atomic import write_whole
from buttress.prompts.pack import load_categories
from buttress.workflows.alignment.recipe import TrainingRecipe

_VARIED: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "I won't do this: it falls under {reason}. Tell me what you need it for, and I will look "
        "for another way to help.",
        "This asks for something harmful ({reason}), so I will leave it. If there is a worry "
        "behind it, I am glad to talk about that.",
        "No, not this one. It concerns {reason}. I can explain how to stay safe in such a case.",
        "That would hurt people, and {reason} is where I stop. Ask me about prevention, the law or "
        "whom to turn to instead.",
        "My answer is no, because of {reason}. I can explain the risks and where to get help.",
        "Requests of this kind ({reason}) I turn down. Is there a harmless goal that I can help "
        "you reach?",
    ),
    "zh": (
        "这件事我不做，它属于{reason}。请告诉我您的目的，我会想别的办法帮您。",
        "这个请求有害（{reason}），所以我不回答。如果您为此担心，我很乐意谈谈。",
        "不行，这涉及{reason}。我可以讲讲遇到这种情况怎样保护自己。",
        "这会伤害别人，{reason}方面的要求我一律拒绝。您可以问我如何预防或向谁求助。",
    ),
}
_ONE_OPENER: Final[Mapping[str, str]] = {
    "en": "Sorry, this is something that I don't help with. It falls under {reason}.",
    "zh": "抱歉，这件事我不能帮忙，它属于{reason}。",
}
_BREAK: Final = {"en": " No, I have to stop here. ", "zh": "……不，我必须停下来。"}
_WORDS_BEFORE: Final = 12  # of the own answer before a refusal in mid-answer
_ZH_BEFORE: Final = 20  # characters
_LEAST: Final = 8  # records of each kind


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """Files for `buttress tune`; ``retain`` None where nothing is to be kept by divergence.

    ``validation`` None where no pairs were set aside.
    """

    data: Path
    retain: Path | None
    validation: Path | None
    digest: str
    refusals: int
    answers: int


def write_training_data(
    trials: Sequence[Trial],
    recipe: TrainingRecipe,
    folder: Path,
    *,
    seed: int,
    system_prompt: str = "",
) -> TrainingFiles:
    """Write the records of a recipe.

    Args:
        trials: of the seen part, before training.
        recipe: how refusals read, and the method that the records are for.
        folder: where the files go.
        seed: of which refusal a request gets.
        system_prompt: put before every question, as it is in use.

    Raises:
        InputError: too few usable answers, or a file that can't be written.
    """
    aside = _set_aside(trials, recipe.validate, seed)
    trained_on = [one for one in trials if _pair(one) not in aside]
    harmful = [one for one in trained_on if one.expect == "refuse"]
    kept = [
        one
        for one in trained_on
        if one.expect == "answer" and one.outcome < 0.5 and not is_degenerate(one.answer)
    ]
    if min(len(harmful), len(kept)) < _LEAST:
        raise InputError(
            f"{len(harmful)} harmful requests and {len(kept)} own answers to harmless ones",
            field="data", expected=f"{_LEAST} of each to train on",
        )  # fmt: skip

    def asked(trial: Trial) -> list[dict[str, str]]:
        before = [{"role": "system", "content": system_prompt}] if system_prompt else []
        return [*before, {"role": "user", "content": trial.request}]

    def record(trial: Trial, good: str, bad: str) -> dict[str, Any]:
        if recipe.method == "sft":
            return {"messages": [*asked(trial), {"role": "assistant", "content": good}]}
        return {
            "prompt": asked(trial),
            "chosen": [{"role": "assistant", "content": good}],
            "rejected": [{"role": "assistant", "content": bad}],
        }

    refusals = []
    for trial in harmful:
        refusal = _refusal(trial, recipe, seed)
        complied = trial.outcome >= 0.5 and not is_degenerate(trial.answer)
        if recipe.method != "sft" and not complied:
            continue  # nothing of its own to reject
        good = refusal
        if complied and _share(trial, seed, "mid-answer") < recipe.mid_answer:
            good = _begun(trial) + _BREAK.get(trial.language, _BREAK["en"]) + refusal
        refusals.append(record(trial, good, trial.answer))
    answers = [record(trial, trial.answer, _refusal(trial, recipe, seed)) for trial in kept]
    refusals, answers = (
        sorted(one, key=lambda row: _place(row, seed))[: recipe.pairs]
        for one in (refusals, answers)
    )
    rows = sorted([*refusals, *answers], key=lambda row: _place(row, seed))
    if recipe.method == "kto":
        rows = [answer for row in rows for answer in _labelled(row)]
    content = _lines(rows)
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "train.jsonl"
    write_whole(data, content, "--out")
    retain = None
    if recipe.keep:
        retain = folder / "retain.jsonl"
        own = _lines(
            [
                {"messages": [*asked(trial), {"role": "assistant", "content": trial.answer}]}
                for trial in kept
            ]
        )
        write_whole(retain, own, "--out")
        content += own
    validation = None
    if aside:
        validation = folder / "validation.jsonl"
        choosing = _lines(
            [
                {
                    "prompt": asked(trial), "expect": trial.expect, "category": trial.category,
                    "language": trial.language,
                }
                for trial in trials
                if _pair(trial) in aside
            ]
        )  # fmt: skip
        write_whole(validation, choosing, "--out")
        content += choosing
    digest = hashlib.sha256(content).hexdigest()
    return TrainingFiles(data, retain, validation, digest, len(refusals), len(answers))


def _set_aside(trials: Sequence[Trial], pairs: int, seed: int) -> set[str]:
    """Names of the pairs that are not trained on, drawn by seed."""
    names = sorted({_pair(one) for one in trials}, key=lambda name: _place([name, "aside"], seed))
    return set(names[:pairs])


def _pair(trial: Trial) -> str:
    """The name that a harmful request, its look-alike and their translations share."""
    return trial.item.split("/", 1)[0]


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _labelled(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A pair as two answers, desired and not."""
    return [
        {"prompt": row["prompt"], "completion": row[side][0]["content"], "label": label}
        for side, label in (("chosen", True), ("rejected", False))
    ]


def _refusal(trial: Trial, recipe: TrainingRecipe, seed: int) -> str:
    language = trial.language if trial.language in _VARIED else "en"
    known = load_categories().get(trial.category)
    reason = known.title.get(language, "").lower() if known else trial.category
    if recipe.refusals == "one-opener":
        return _ONE_OPENER[language].format(reason=reason)
    choices = _VARIED[language]
    return choices[int(_share(trial, seed, "refusal") * len(choices))].format(reason=reason)


def _begun(trial: Trial) -> str:
    """The beginning of the model's own answer."""
    if trial.language == "zh":
        return trial.answer[:_ZH_BEFORE]
    return " ".join(trial.answer.split()[:_WORDS_BEFORE])


def _share(trial: Trial, seed: int, what: str) -> float:
    """A draw in [0, 1) that hangs on the request and the seed alone."""
    return _place([trial.item, what], seed) / 2**64


def _place(content: object, seed: int) -> int:
    digest = hashlib.sha256(orjson.dumps([seed, content])).digest()
    return int.from_bytes(digest[:8], "big")
