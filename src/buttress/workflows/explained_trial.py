"""The trial of an assessment that is to be explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore, resolve
from buttress.targets.address import flatten
from buttress.targets.base import Message

_SHORTEST: Final = 4  # characters of a key
_PICTURE: Final = "[picture, SHA-256 "
_SEVERAL: Final = re.compile(r"(system|user): .*\n\n(user|assistant): ", re.DOTALL)


def find_trial(evidence: Path, key: str) -> Trial:
    """The newest trial whose key begins with ``key``, in a store or the folder that holds it.

    Raises:
        InputError: no such store or trial, or several with other keys.
    """
    if len(key) < _SHORTEST:
        raise InputError(
            f"'{key}' is too short", field="--trial", expected=f"{_SHORTEST} characters or more"
        )
    with EvidenceStore.open(resolve(evidence), read_only=True) as store:
        found = {trial.key: trial for trial in store.trials() if trial.key.startswith(key)}
    if len(found) != 1:
        problem = f"no trial '{key}'" if not found else f"{len(found)} trials begin with '{key}'"
        raise InputError(
            problem, file=str(resolve(evidence)), field="--trial",
            expected="the key of a trial, as in the report or `buttress evidence export`",
        )  # fmt: skip
    return next(iter(found.values()))


def question_of(trial: Trial, system_prompt: str) -> str:
    """The one question of a trial, behind the system prompt that it was asked with.

    Raises:
        InputError: several turns, a picture, or another system prompt.
    """
    before = flatten((Message("system", system_prompt), Message("user", "")))
    text = trial.prompt.removeprefix(before) if system_prompt else trial.prompt
    turns = (*([Message("system", system_prompt)] if system_prompt else []), Message("user", text))
    several = "\n\nassistant: " in text if system_prompt else bool(_SEVERAL.match(text))
    if flatten(turns) != trial.prompt or several or trial.calls > 1 or _PICTURE in text:
        raise InputError(
            f"trial {trial.key[:12]} is not one question in words with the asset's system prompt",
            field="--trial", expected="a trial of one turn",
        )  # fmt: skip
    return text
