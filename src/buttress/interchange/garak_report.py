"""garak's report: JSON Lines, where each attempt holds a prompt, its outputs and detector scores.

An attempt is written twice, before and after its detectors ran (status 1 and 2); the second one
counts. Read are reports of garak 0.9 to 0.17: the prompt was a text first, then a message, then a
conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.interchange.fields import Fields
from buttress.interchange.lines import objects
from buttress.interchange.recording import ConversionOptions, SkippedAnswers, as_asked, record

_COMPLETE: Final = 2
_THRESHOLD: Final = 0.5  # garak's default; from there on a detector's score is a hit
Turns = list[tuple[str, str]]


def to_recording(
    path: Path, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    """One record an output.

    Raises:
        InputError: a line is malformed, or the report has no end.
    """
    model = ""
    threshold = _THRESHOLD
    ended = False
    for entry in objects(path):
        kind = entry.text("entry_type", "")
        if kind == "start_run setup":
            model = _model(entry)
            threshold = entry.number("run.eval_threshold", _THRESHOLD)
        elif kind == "completion":
            ended = True
        elif kind == "attempt" and entry.get("status") == _COMPLETE:
            yield from _attempt(entry, model, threshold, options, skipped)
    if not ended and not options.unfinished:
        raise entry.place.error(
            "the report ends without garak's completion entry: the run broke off",
            "a finished run, or --unfinished",
        )


def _model(setup: Fields) -> str:
    names = [
        setup.text(f"plugins.target_{part}", "") or setup.text(f"plugins.model_{part}", "")
        for part in ("type", "name")
    ]
    return "/".join(filter(None, names))


def _attempt(
    entry: Fields, model: str, threshold: float, options: ConversionOptions, skipped: SkippedAnswers
) -> Iterator[dict[str, Any]]:
    probe = entry.text("probe_classname")
    scores = _scores(entry)
    notes = entry.object("notes")
    if not entry.values("outputs"):
        skipped("no answer")
    for index, (turns, response) in enumerate(_exchanges(entry)):
        if response is None:
            skipped("no answer")
            continue
        asked = None if turns is None else as_asked(turns)
        if asked is None:
            skipped("the prompt is not only text")
            continue
        if not asked.prompt.strip():
            skipped("empty prompt")
            continue
        own = {name: row[index] for name, row in scores.items() if index < len(row)}
        known = [score for score in own.values() if score is not None]
        category = notes.get(options.category)
        yield record(
            prompt=asked.prompt,
            request=asked.request,
            response=response,
            expect=notes.get("expect"),
            tokens=(0, 0),
            category=encodable(category) if isinstance(category, str) else probe.partition(".")[0],
            attack=probe,
            model=model,
            goal=entry.text("goal", ""),
            label=int(any(score >= threshold for score in known)) if known else None,
            scores={name: score for name, score in own.items() if score is not None},
            id=entry.text("uuid", ""),
            source="garak",
        )


def _scores(entry: Fields) -> dict[str, list[float | None]]:
    """Scores of each detector, one an output; 1 is a hit, None where it could not tell."""
    results = entry.object("detector_results")
    found: dict[str, list[float | None]] = {}
    for name, _ in results.items():
        row = results.values(name)
        for score in row:
            usable = isinstance(score, int | float) and not isinstance(score, bool)
            if score is not None and not usable:
                raise results.error(name, "holds what is no score", "numbers or null")
        found[encodable(name)] = row
    return found


def _exchanges(entry: Fields) -> Iterator[tuple[Turns | None, str | None]]:
    """Turns before each output, None where they are more than text, and the output's text."""
    outputs = entry.values("outputs")
    threads = _threads(entry)
    if len(threads) == len(outputs):
        for turns in threads:
            replies = [i for i, turn in enumerate(turns) if turn[0] == "assistant"]
            if not replies:
                yield None, None
                continue
            yield _only_text(turns[: replies[-1]]), turns[replies[-1]][1]
        return
    turns = _prompt(entry)
    for index, output in enumerate(outputs):
        yield _only_text(turns), _message(entry, f"outputs[{index}]", output)


def _threads(entry: Fields) -> list[list[tuple[str, str | None]]]:
    """The conversation of each output; before 0.13, a list of turns each, in ``messages``."""
    found = [_turns(conversation) for conversation in entry.objects("conversations")]
    if found:
        return found
    for index, thread in enumerate(entry.values("messages")):
        if isinstance(thread, list):
            name = entry.name(f"messages[{index}]")
            found.append(_turns(Fields({"turns": thread}, entry.place, name)))
    return found


def _prompt(entry: Fields) -> list[tuple[str, str | None]]:
    prompt = entry.get("prompt")
    if isinstance(prompt, dict) and "turns" in prompt:
        return _turns(entry.object("prompt"))
    if prompt is None:
        raise entry.error("prompt", "missing", "a text, a message or a conversation")
    return [("user", _message(entry, "prompt", prompt))]


def _turns(conversation: Fields) -> list[tuple[str, str | None]]:
    return [
        (turn.text("role"), _message(turn, "content", turn.get("content")))
        for turn in conversation.objects("turns")
    ]


def _message(owner: Fields, name: str, value: Any) -> str | None:
    """A message's text; None where it has none, or carries more than text."""
    if value is None:
        return None
    if isinstance(value, str):
        return encodable(value)
    message = Fields(value, owner.place, owner.name(name))
    if message.get("data_path") or message.get("text") is None:
        return None
    return message.text("text")


def _only_text(turns: list[tuple[str, str | None]]) -> Turns | None:
    plain = [(role, text) for role, text in turns if text is not None]
    return plain if len(plain) == len(turns) else None
