"""Corpora for the tests, built here from a seed."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import orjson

from buttress.cli.main import main
from buttress.data import output
from buttress.data.plan import PipelinePlan, from_command_line
from buttress.data.restore import kept_lines
from buttress.workflows.data import DataRequest, clean


def words(generator: Random, count: int, vocabulary: int = 3_000) -> list[str]:
    """Words of a made-up language."""
    return [f"w{generator.randrange(vocabulary):x}" for _ in range(count)]


def corpus(seed: int, count: int = 120) -> list[dict[str, Any]]:
    """Records of which some are copies, some near copies, some hold personal data."""
    generator = Random(seed)
    texts: list[list[str]] = []
    records = []
    for number in range(count):
        if texts and generator.random() < 0.3:
            text = list(generator.choice(texts))
            if generator.random() < 0.6:
                text[generator.randrange(len(text))] = "changed"
        else:
            text = words(generator, generator.randint(20, 120))
        texts.append(text)
        said = " ".join(text)
        if generator.random() < 0.3:
            said += f" write to {generator.choice(text)}@mail.example.org or 13812345678 é中"
        records.append({"n": number, "text": said, "source": generator.choice(["a", "b", "c"])})
    return records


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    """The records as JSON Lines."""
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in records))
    return path


def cleaned(path: Path, out: Path, *stages: str, **more: Any) -> dict[str, Any]:
    """Run stages over a file."""
    plan = PipelinePlan(from_command_line(stages, Path()))
    return clean(DataRequest((path,), plan, out, **more))


def kept(out: Path) -> list[dict[str, Any]]:
    """The kept records."""
    return [orjson.loads(line) for line in kept_lines(out)]


def removed(out: Path) -> list[dict[str, Any]]:
    """The removed records."""
    return list(output.read_lines(out / output.REMOVED))


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    said, wrong = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(wrong):
        code = main(arguments)
    return code, said.getvalue(), wrong.getvalue()
