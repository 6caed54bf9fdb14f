"""From a file of another tool to recorded answers; the file's content says which tool it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.interchange import garak_report, inspect_log, promptfoo_results
from buttress.interchange.fields import Fields
from buttress.interchange.lines import document, head, objects
from buttress.interchange.recording import ConversionOptions, SkippedAnswers

FORMATS: Final = (
    "an Inspect log (.eval, .json), a garak report (.report.jsonl) or promptfoo results "
    "(.json, .jsonl)"
)
_ZIP: Final = b"PK\x03\x04"
Reader = Callable[[Path, ConversionOptions, SkippedAnswers], Iterator[dict[str, Any]]]


def to_recording(
    path: Path, options: ConversionOptions | None = None, skipped: SkippedAnswers | None = None
) -> Iterator[dict[str, Any]]:
    """Records for the replay target, read as they are asked for.

    Args:
        path: file of one of ``FORMATS``.
        options: see ``ConversionOptions``.
        skipped: counts what no record could be made of.

    Raises:
        InputError: the file is of none of these formats, malformed, or of a run that broke off.
        MissingExtraError: an ``.eval`` log needs zstd.
    """
    options = options or ConversionOptions()
    for record in recognise(path)(path, options, skipped or SkippedAnswers()):
        if options.expect is not None:
            record.setdefault("expect", options.expect)
        yield record


def recognise(path: Path) -> Reader:
    """What reads the file.

    Raises:
        InputError: nothing does.
    """
    if head(path, len(_ZIP)) == _ZIP:
        return inspect_log.archive_to_recording
    first = _first_line(path)
    if first is not None:
        if first.get("entry_type") is not None:
            return garak_report.to_recording
        if first.get("prompt") is not None and first.get("provider") is not None:
            return promptfoo_results.lines_to_recording
        if isinstance(first.get("prompt"), str) and isinstance(first.get("response"), str):
            raise InputError(
                "holds recorded answers already", file=str(path), expected="replay: in the manifest"
            )
    whole = first if first is not None else document(path)
    if isinstance(whole.get("eval"), dict) and whole.get("status") is not None:
        return inspect_log.document_to_recording
    results = whole.get("results")
    if isinstance(results, dict) and isinstance(results.get("results"), list):
        return promptfoo_results.document_to_recording
    raise InputError("not a known format", file=str(path), expected=FORMATS)


def _first_line(path: Path) -> Fields | None:
    """The object on the first line; None where an object goes on over several lines."""
    start = head(path, 1 << 16).lstrip()
    if not start.startswith(b"{"):
        raise InputError("not a known format", file=str(path), expected=FORMATS)
    line = start.split(b"\n", 1)[0]
    if len(line) < len(start):
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return None
    return next(objects(path), None)
