"""Writes canaries, and a copy of a corpus in which they are planted at random places."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from buttress.data.inputs import expand
from buttress.data.reading import Readable, Unreadable, read
from buttress.errors import InputError
from buttress.files.atomic import atomic_path, write_whole
from buttress.probes.privacy.canaries import PlantedCanary, canary_line

CANARIES: Final = "canaries.jsonl"
PLANTED: Final = "planted.jsonl"


def plant(
    canaries: Sequence[PlantedCanary], out: Path, *, into: Path | None, field: str, seed: int
) -> dict[str, Any]:
    """Write the canaries, and where ``into`` is given the corpus with them; what was done.

    Each copy is a record of its own, ``{field: sentence}``, at a place of its own.

    Raises:
        InputError: the folder holds canaries already, or a record of the corpus can't be read.
    """
    path = out / CANARIES
    if path.exists():
        raise InputError("holds canaries", file=str(out), field="--out", expected="a new folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(out), field="--out") from None
    said: dict[str, Any] = {
        "canaries": len(canaries),
        "file": str(path),
        "planted": None,
        "records": 0,
        "copies": 0,
    }
    if into is not None:
        copies = [one for one in canaries for _ in range(one.repeats)]
        said["planted"] = str(out / PLANTED)
        said["copies"] = len(copies)
        said["records"] = _copy(copies, into, out / PLANTED, field, seed)
    write_whole(path, b"".join(map(canary_line, canaries)), "--out")
    return said


def _copy(copies: Sequence[PlantedCanary], into: Path, to: Path, field: str, seed: int) -> int:
    files = expand([into])
    count = 0
    for one in read(files):
        if isinstance(one, Unreadable):
            raise InputError(one.reason, file=one.file, line=one.line, field="--into")
        count += 1
    generator = Random(f"plant {seed}")
    order = list(copies)
    generator.shuffle(order)
    places = sorted(generator.randint(0, count) for _ in order)
    done = 0
    with atomic_path(to) as part, part.open("wb") as file:
        for one in read(files):
            if not isinstance(one, Readable):
                continue
            until = bisect_right(places, one.position.number)
            for canary in order[done:until]:
                file.write(orjson.dumps({field: canary.text}) + b"\n")
            done = max(done, until)
            file.write(one.line + b"\n")
        for canary in order[done:]:
            file.write(orjson.dumps({field: canary.text}) + b"\n")
    return count + len(order)
