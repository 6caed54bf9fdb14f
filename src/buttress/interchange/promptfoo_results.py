"""promptfoo's results: ``promptfoo eval -o results.json`` or, without a bound on size, ``.jsonl``.

Both hold the same objects, one an answer: of version 3 (``results.results``) and its forerunners.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.interchange.fields import Fields
from buttress.interchange.lines import document, objects
from buttress.interchange.recording import (
    ConversionOptions,
    ReplayPrompt,
    SkippedAnswers,
    as_asked,
    record,
)

_FAILED: Final = 2  # failureReason of an answer that never came
_PLAIN: Final = {"basic": "direct"}  # what promptfoo calls a request as it is
_SETTING_LIMIT: Final = 120  # characters; a prompt's label is its whole template by default


def lines_to_recording(
    path: Path, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    """One record an answer, from JSON Lines.

    Raises:
        InputError: a line is malformed.
    """
    return _records(objects(path), options, skipped)


def document_to_recording(
    path: Path, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    """One record an answer, from a JSON file, which is held in memory.

    Raises:
        InputError: the file is malformed.
    """
    return _records(document(path).object("results").objects("results"), options, skipped)


def _records(
    rows: Iterable[Fields], options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    for row in rows:
        made = _record(row, options, skipped)
        if made is not None:
            yield made


def _record(
    row: Fields, options: ConversionOptions, skipped: SkippedAnswers
) -> dict[str, Any] | None:
    response = row.object("response")
    output = response.get("output")
    if row.get("failureReason") == _FAILED or output is None:
        skipped("no answer")
        return None
    case = row.object("testCase").object("metadata")
    metadata = row.object("metadata")
    asked = _asked(row, metadata)
    if asked is None:
        skipped("the prompt is not only text")
        return None
    if not asked.prompt.strip():
        skipped("empty prompt")
        return None
    tokens = response.object("tokenUsage")

    def known(*names: str) -> str:
        values = [source.get(name) for name in names for source in (metadata, case)]
        return next((encodable(value) for value in values if isinstance(value, str) and value), "")

    return record(
        prompt=asked.prompt,
        response=encodable(output) if isinstance(output, str) else _as_text(output),
        expect=known("expect"),
        tokens=(tokens.count("prompt"), tokens.count("completion")),
        category=known(options.category, "harmCategory", "pluginId"),
        attack=_PLAIN.get(known("strategyId"), known("strategyId")),
        language=known("language"),
        request=known("originalText") or asked.request,
        model=_model(row),
        setting=_setting(row),
        label=_label(row),
        id=row.text("id", ""),
        source="promptfoo",
    )


def _asked(row: Fields, metadata: Fields) -> ReplayPrompt | None:
    """The prompt as it was sent: a text, or a chat that promptfoo keeps as JSON in a text."""
    final = metadata.get("redteamFinalPrompt")  # what a search ended up with
    if isinstance(final, str) and final:
        return ReplayPrompt(encodable(final))
    raw = row.object("prompt").text("raw")
    if not raw.lstrip().startswith("["):
        return ReplayPrompt(raw)
    try:
        messages = json.loads(raw)
    except (ValueError, RecursionError):
        return ReplayPrompt(raw)
    if not messages or not all(
        isinstance(m, dict) and {"role", "content"} <= set(m) for m in messages
    ):
        return ReplayPrompt(raw)
    turns: list[tuple[str, str]] = []
    for message in messages:
        role, content = message["role"], _parts(message["content"])
        if not isinstance(role, str) or content is None:
            return None
        turns.append((role, content))
    return as_asked(turns)


def _parts(content: Any) -> str | None:
    """The text of a message in OpenAI's form; None where it has more than text."""
    if isinstance(content, str):
        return encodable(content)
    if not isinstance(content, list):
        return None
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    plain = [text for text in texts if isinstance(text, str)]
    return encodable("\n".join(plain)) if len(plain) == len(texts) else None


def _as_text(output: Any) -> str:
    """An answer that a transformation made into something else than text."""
    return encodable(json.dumps(output, ensure_ascii=False))


def _model(row: Fields) -> str:
    provider = row.get("provider")
    if isinstance(provider, str):
        return encodable(provider)
    names = row.object("provider")
    return names.text("label", "") or names.text("id", "")


def _setting(row: Fields) -> str:
    label = row.object("prompt").text("label", "")
    return label if len(label) <= _SETTING_LIMIT else row.text("promptId", "")


def _label(row: Fields) -> int | None:
    """1 where an assertion failed; None where there was none to fail."""
    if not row.object("gradingResult").values("componentResults"):
        return None
    success = row.get("success")
    return int(not success) if isinstance(success, bool) else None
