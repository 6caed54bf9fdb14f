"""Logs of other tools: real ones that lie in ``data``, and small ones that a test builds.

``data`` was written by Inspect 0.3.285, garak 0.17.1 (its entries without attempts cut) and
promptfoo 0.121.20, each run against a toy endpoint on loopback.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
FILES = ("inspect.eval", "garak.report.jsonl", "promptfoo.json", "promptfoo.jsonl")

HEADER = {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}}


def sample(prompt: Any = "Why?", answer: str = "Because.", **fields: Any) -> dict[str, Any]:
    """A sample of an Inspect log, with what every sample has."""
    turn = {"role": "user", "content": prompt}
    reply = {"role": "assistant", "content": answer}
    return {
        "id": 1,
        "epoch": 1,
        "input": prompt,
        "target": "",
        "messages": [turn, reply],
        "output": {"choices": [{"message": reply, "stop_reason": "stop"}], "completion": answer},
        "metadata": {},
        **fields,
    }


def archive(
    path: Path,
    samples: Iterable[dict[str, Any]],
    header: Mapping[str, Any] | None = HEADER,
    method: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """An ``.eval`` log, as Inspect wrote them before it took to zstd."""
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("_journal/start.json", json.dumps({"version": 2, "eval": HEADER["eval"]}))
        for each in samples:
            file.writestr(f"samples/{each['id']}_epoch_1.json", json.dumps(each))
        if header is not None:
            file.writestr("header.json", json.dumps(header))
    return path


def message(text: Any) -> dict[str, Any]:
    """A garak message."""
    return {"text": text, "lang": "en", "data_path": None, "notes": {}}


def attempt(prompt: Any, outputs: list[Any], **fields: Any) -> dict[str, Any]:
    """A completed attempt of a garak report."""
    return {
        "entry_type": "attempt",
        "status": 2,
        "probe_classname": "dan.Toy",
        "prompt": prompt,
        "outputs": outputs,
        "detector_results": {},
        "goal": "toy",
        **fields,
    }


END = {"entry_type": "completion"}


def lines(path: Path, rows: Iterable[Any]) -> Path:
    """A JSON Lines file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
