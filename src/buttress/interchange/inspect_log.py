"""Inspect's logs, ``.eval`` and ``.json``: one record a sample.

Layout as Inspect 0.3 writes it (log version 2, and version 1 where fields were the same):
``header.json`` with the evaluation and its status, ``samples/ID_epoch_N.json`` with the samples.
Scores are carried over as what they are, somebody's figures; they never become a label, because
scorers don't agree on which value means failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.interchange.eval_archive import EvalArchive
from buttress.interchange.fields import Fields, RecordPlace, parse_json
from buttress.interchange.lines import document
from buttress.interchange.recording import ConversionOptions, SkippedAnswers, as_asked, record

HEADER: Final = "header.json"
START: Final = "_journal/start.json"  # all that an evaluation has which has not ended
_SAMPLE: Final = re.compile(r"samples/(.*)_epoch_(\d{1,9})\.json", re.DOTALL)
_ATTACHMENT: Final = "attachment://"


def archive_to_recording(
    path: Path, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    """One record a sample of an ``.eval`` log, by epoch and id; one sample in memory at a time.

    Raises:
        InputError: the log is malformed, or its evaluation did not succeed.
        MissingExtraError: zstd is not installed.
    """
    with EvalArchive(path) as archive:
        names = archive.names
        start = HEADER if HEADER in names else START
        if start not in names:
            raise RecordPlace(str(path)).error("a zip file without header.json", "an Inspect log")
        place = RecordPlace.member(path, start)
        header = Fields(parse_json(archive.read(start), place), place)
        _check_status(header, options, "success" if start == HEADER else "started")
        for name in sorted(filter(_SAMPLE.fullmatch, names), key=_order):
            place = RecordPlace.member(path, name)
            sample = Fields(parse_json(archive.read(name), place), place)
            made = _record(sample, header.object("eval"), options, skipped)
            if made is not None:
                yield made


def document_to_recording(
    path: Path, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    """One record a sample of a ``.json`` log, which is held in memory.

    Raises:
        InputError: the log is malformed, or its evaluation did not succeed.
    """
    log = document(path)
    _check_status(log, options, "started")
    for sample in log.objects("samples"):
        made = _record(sample, log.object("eval"), options, skipped)
        if made is not None:
            yield made


def _order(name: str) -> tuple[int, int, str]:
    """Epoch, then numbers before and among texts: as Inspect sorts them."""
    found = _SAMPLE.fullmatch(name)
    assert found is not None
    identity, epoch = found[1], int(found[2])
    number = int(identity) if identity.isdecimal() and len(identity) < 16 else 10**16
    return epoch, number, identity


def _check_status(header: Fields, options: ConversionOptions, default: str) -> None:
    status = header.text("status", default)
    if status != "success" and not options.unfinished:
        raise header.error(
            "status",
            f"the evaluation ended with '{status[:40]}'",
            "success, or --unfinished",
        )


def _record(
    sample: Fields, evaluation: Fields, options: ConversionOptions, skipped: SkippedAnswers
) -> dict[str, Any] | None:
    if sample.get("error") is not None:
        skipped("the sample ended with an error")
        return None
    texts = _Texts(sample.object("attachments"))
    turns, last = _turns(sample, texts)
    response = _response(sample, texts)
    if last is not None and not response:
        response = last
    if response is None:
        skipped("no answer")
        return None
    if not response.strip() and _calls_tools(sample):
        skipped("answered with a tool call alone")
        return None
    asked = None if turns is None else as_asked(turns)
    if asked is None:
        skipped("the prompt is not only text")
        return None
    if not asked.prompt.strip():
        skipped("empty prompt")
        return None
    metadata = sample.object("metadata")

    def known(name: str) -> str:
        value = metadata.get(name)
        return encodable(value) if isinstance(value, str) else ""

    usage = sample.object("output").object("usage")
    read = sum(usage.count(f"input_tokens{kind}") for kind in ("", "_cache_read", "_cache_write"))
    return record(
        prompt=asked.prompt,
        response=response,
        expect=metadata.get("expect"),
        tokens=(read, usage.count("output_tokens")),
        category=known(options.category),
        attack=known("attack"),
        language=known("language"),
        request=known("request") or asked.request,
        model=evaluation.text("model", ""),
        setting=evaluation.text("task", ""),
        scores=_scores(sample),
        id=_identity(sample),
        epoch=sample.count("epoch"),
        source="inspect",
    )


def _identity(sample: Fields) -> str:
    value = sample.get("id")
    return encodable(value) if isinstance(value, str) else str(sample.count("id"))


class _Texts:
    """Texts of messages, with long ones looked up where the log keeps them apart."""

    def __init__(self, attachments: Fields) -> None:
        self._attachments = attachments

    def resolve(self, text: str) -> str:
        if not text.startswith(_ATTACHMENT):
            return encodable(text)
        found = self._attachments.get(text.removeprefix(_ATTACHMENT))
        return encodable(found) if isinstance(found, str) else encodable(text)

    def read(self, owner: Fields, name: str) -> str | None:
        """A message's text; None where it has parts that are neither text nor reasoning."""
        value = owner.get(name)
        if value is None or isinstance(value, str):
            return self.resolve(value or "")
        texts = []
        for part in owner.objects(name):
            kind = part.text("type", "text")
            if kind == "text":
                texts.append(self.resolve(part.text("text")))
            elif kind != "reasoning":
                return None
        return "\n".join(texts)


def _turns(sample: Fields, texts: _Texts) -> tuple[list[tuple[str, str]] | None, str | None]:
    """Turns before the last answer, and that answer where the sample has its messages."""
    messages = sample.objects("messages")
    replies = [i for i, message in enumerate(messages) if message.text("role") == "assistant"]
    last = texts.read(messages[replies[-1]], "content") if replies else None
    if replies:
        messages = messages[: replies[-1]]
    elif isinstance(sample.get("input"), str):
        return [("user", texts.resolve(sample.text("input")))], None
    elif not messages:
        messages = sample.objects("input")
    turns = []
    for message in messages:
        text = texts.read(message, "content")
        if text is None or message.get("tool_calls"):
            return None, last
        turns.append((message.text("role"), text))
    return turns, last


def _response(sample: Fields, texts: _Texts) -> str | None:
    """What the solver left as its output; None where it left none."""
    output = sample.object("output")
    completion = output.text("completion", "")
    if completion:
        return texts.resolve(completion)
    choices = output.objects("choices")
    return texts.read(choices[0].object("message"), "content") if choices else None


def _calls_tools(sample: Fields) -> bool:
    choices = sample.object("output").objects("choices")
    return bool(choices and choices[0].object("message").get("tool_calls"))


def _scores(sample: Fields) -> dict[str, Any]:
    """Plain values of the scorers, by their names; ``SCORER.KEY`` where one gives several."""
    scores = sample.object("scores")
    found: dict[str, Any] = {}
    for name, _ in scores.items():
        value = scores.object(name).get("value")
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for key, part in parts:
            if _is_plain(part):
                place = encodable(f"{name}.{key}" if key else name)
                found[place] = encodable(part) if isinstance(part, str) else part
    return found


def _is_plain(value: Any) -> bool:
    """Text, or a number that any JSON reader takes. NaN, Inspect's mark for no score, is none."""
    return isinstance(value, str) or (isinstance(value, int | float) and abs(value) < 2**53)
