"""The folder of a run that can be resumed: a file in it says what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from buttress.errors import InputError
from buttress.files.atomic import write_whole


def holds_this_run(folder: Path, name: str, given: Mapping[str, Any], *, resume: bool) -> bool:
    """Whether the folder holds a run, which then is the same and is to be resumed.

    Args:
        folder: of the run.
        name: of the file that says what was asked for.
        given: what is asked for now, as JSON holds it.
        resume: whether to go on with a run that lies there.

    Raises:
        InputError: it holds a run that is not to be resumed, or one that was asked for otherwise,
            or what the file says can't be read.
    """
    path = folder / name
    if not path.exists():
        return False
    if not resume:
        raise InputError(
            "holds a run", file=str(folder), field="--out", expected="a new folder, or --resume"
        )
    try:
        before = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(str(error), file=str(path), expected="what a run wrote") from None
    for key, value in given.items():
        if not isinstance(before, dict) or before.get(key) != value:
            raise InputError(
                f"another run is to be resumed: {key} differs", file=str(folder),
                field="--resume", expected="the inputs, unchanged, and the settings of that run",
            )  # fmt: skip
    return True


def begin_run(folder: Path, name: str, given: Mapping[str, Any]) -> None:
    """Make the folder, and write what was asked for.

    Raises:
        InputError: it can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(
            "is a file, or lies in one", file=str(folder), field="--out", expected="a folder"
        ) from None
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(folder), field="--out") from None
    write_whole(folder / name, orjson.dumps(given) + b"\n", "--out")
