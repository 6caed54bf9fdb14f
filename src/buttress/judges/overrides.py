"""A calibration file: a user's own labels, which replace what a judge ships with.

Written by ``buttress judge calibrate``, read by the judges. The form is a JSON object::

    {"schema": "buttress-judge-calibration/1",
     "judge": {"id": "offline", "version": "1+0123456789ab"},
     "tasks": {"refuse": {"counts": {"tp": 40, "fn": 2, "tn": 55, "fp": 3},
                          "threshold": 0.5, "source": "answers.jsonl, 100 labels"}}}

``counts`` are as counted. ``systems``, where the labels are of several models or settings, has a
table [tp, fn, tn, fp] for each; without it the labels are taken to be of the system assessed.
``threshold`` is the score from which an outcome is a failure (left out: the judge's own).
``sample`` {"probe", "labels", "failures"}: the labels are a random sample of the assessed system's
answers to that probe, one a prompt, their number fixed beforehand.
``languages`` are those of the labelled answers: guards, LLM judges and panels that rest on the file
abstain on answers in others (left out: on none).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.answers.language import UNKNOWN, language_of
from buttress.errors import InputError
from buttress.files import json_schema
from buttress.protocols.judge import (
    Calibration,
    Exchange,
    Expect,
    Judgement,
    LabelledSample,
    SystemTable,
    abstention,
)

SCHEMA_ID: Final = "buttress-judge-calibration/1"
_COUNT: Final = {"type": "integer", "minimum": 0}
_TASK: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["counts", "source"],
    "properties": {
        "counts": {
            "type": "object",
            "additionalProperties": False,
            "required": ["tp", "fn", "tn", "fp"],
            "properties": dict.fromkeys(("tp", "fn", "tn", "fp"), _COUNT),
        },
        "systems": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "minItems": 4,
                "maxItems": 4,
                "items": {"type": "integer", "minimum": 0},
            },
        },
        "threshold": {"type": "number", "minimum": 0, "maximum": 1},
        "sample": {
            "type": "object",
            "additionalProperties": False,
            "required": ["probe", "labels", "failures"],
            "properties": {
                "probe": {"type": "string", "minLength": 1},
                "labels": {"type": "integer", "minimum": 1},
                "failures": _COUNT,
            },
        },
        "languages": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "source": {"type": "string"},
    },
}
SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "judge", "tasks"],
    "properties": {
        "schema": {"const": SCHEMA_ID},
        "judge": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "version"],
            "properties": {"id": {"type": "string"}, "version": {"type": "string"}},
        },
        "tasks": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {"refuse": _TASK, "answer": _TASK},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Override:
    """What a file says about one task."""

    calibration: Calibration
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a file says, by task; nothing where no file was given."""

    tasks: Mapping[Expect, Override]
    digest: str = ""

    @classmethod
    def read(cls, path: Path | None, judge: str, version: str) -> Overrides:
        """Read a calibration file made with this judge in this version.

        Raises:
            InputError: it can't be read, is malformed, or was made with another judge or version.
        """
        if path is None:
            return cls({})
        content, data = _load(path)
        made_with = (data["judge"]["id"], data["judge"]["version"])
        if made_with != (judge, version):
            raise InputError(
                f"made with {made_with[0]} {made_with[1]}, not with {judge} {version}",
                file=str(path),
                field="judge",
                expected="a file from `buttress judge calibrate` with this judge",
            )
        tasks: dict[Expect, Override] = {}
        for name, task in data["tasks"].items():
            counts = task["counts"]
            for one, other in (("tp", "fn"), ("tn", "fp")):
                if not counts[one] + counts[other]:
                    raise InputError(
                        f"{one} and {other} are both 0",
                        file=str(path),
                        field=f"tasks.{name}.counts",
                        expected="labels of both kinds",
                    )
            sample = task.get("sample")
            if sample is not None and sample["failures"] > sample["labels"]:
                raise InputError(
                    f"{sample['failures']} failures among {sample['labels']} labels",
                    file=str(path),
                    field=f"tasks.{name}.sample.failures",
                    expected="at most as many as labels",
                )
            calibration = Calibration(
                counts["tp"],
                counts["fn"],
                counts["tn"],
                counts["fp"],
                task["source"],
                tuple(SystemTable(n, *t) for n, t in task.get("systems", {}).items()),
                languages=tuple(task.get("languages", ())),
                sample=None if sample is None else LabelledSample(**sample),
            )
            tasks[name] = Override(calibration, task.get("threshold"))
        return cls(tasks, hashlib.sha256(content).hexdigest())

    def calibration(self, expect: Expect) -> Calibration | None:
        """The file's calibration for a task."""
        return self.tasks[expect].calibration if expect in self.tasks else None

    def outside(self, exchange: Exchange) -> Judgement | None:
        """The abstention on an answer in a language of which the file has no labels, or None."""
        known = self.calibration(exchange.expect)
        if known is None or not known.languages:
            return None
        language = language_of(exchange.answer)
        if language in (UNKNOWN, *known.languages):
            return None
        return abstention(f"in a language that the judge is not calibrated on ({language})")

    def threshold(self, expect: Expect, default: float) -> float:
        """The file's threshold for a task, else ``default``."""
        if expect not in self.tasks:
            return default
        chosen = self.tasks[expect].threshold
        return default if chosen is None else chosen

    def moves(self, expect: Expect) -> bool:
        """Whether the file sets a threshold for a task."""
        return expect in self.tasks and self.tasks[expect].threshold is not None

    def versioned(self, version: str) -> str:
        """``version``, and more where the file moves a threshold: outcomes then differ."""
        moved = any(override.threshold is not None for override in self.tasks.values())
        return f"{version}+{self.digest[:8]}" if moved else version


def _load(path: Path) -> tuple[bytes, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            error.strerror or "can't be read", file=str(path), expected="a calibration file"
        ) from None
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("is not JSON", file=str(path), expected="a calibration file") from None
    for violation in json_schema.violations(SCHEMA, data):
        raise InputError(
            violation.problem,
            file=str(path),
            field=".".join(map(str, violation.path)) or None,
            expected="a file from `buttress judge calibrate`",
        )
    return content, data
