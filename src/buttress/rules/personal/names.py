"""Names of persons, by a model of the user's: a spaCy pipeline, or a token classifier in ONNX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from buttress.errors import InputError, MissingExtraError
from buttress.files.visible import shortened
from buttress.rules.personal.detectors import Span

NAME: Final = "NAME"
_FIELD: Final = "names"
_EXPECTED: Final = (
    "an installed spaCy model, the folder of one, or a folder with model.onnx, tokenizer.json and "
    "config.json"
)
_LABELS: Final = frozenset({"PER", "PERSON", "PERS", "NAME", "GIVENNAME", "SURNAME"})
_PIECE: Final = 20_000  # characters at once: spaCy refuses texts of more than a million
_WINDOW: Final = 512  # tokens of an ONNX model at once
_STRIDE: Final = 64  # tokens that two windows share
_JOINED: Final = re.compile(r"[ \t\u00a0.'’-]{0,2}")  # between two parts of a name

_Stretch = tuple[int, int]  # characters, from and to


class NameModel(Protocol):
    """Finds names of persons."""

    def stretches(self, texts: Sequence[str]) -> Iterator[list[_Stretch]]:
        """Where names stand in each text, in order."""


def find_names(model: str, texts: Sequence[str]) -> Iterator[list[Span]]:
    """Spans of kind NAME of each text, by place.

    Raises:
        InputError: there is no such model, or it fails.
        MissingExtraError: what runs it is not installed.
    """
    pieces = [list(_pieces(text)) for text in texts]
    found = opened(model).stretches([text for one in pieces for _, text in one])
    for text, parts in zip(texts, pieces, strict=True):
        spans = []
        for offset, _ in parts:
            for start, end in next(found):
                written = text[offset + start : offset + end]
                first = offset + start + len(written) - len(written.lstrip())
                if written := written.strip():
                    value = " ".join(written.split())
                    spans.append(Span(first, first + len(written), NAME, value))
        yield spans


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text with its place, cut at white space where it is long."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        cut = max(text.rfind(sign, start + _PIECE // 2, end) for sign in ("\n", " "))
        end = cut + 1 or end
        yield start, text[start:end]
        start = end
    yield start, text[start:]


@cache
def opened(model: str) -> NameModel:
    """The model of this name or in this folder.

    Raises:
        InputError: there is none.
        MissingExtraError: what runs it is not installed.
    """
    folder = Path(model)
    return _Onnx(folder) if (folder / "model.onnx").is_file() else _Spacy(model)


class _Spacy:
    """A pipeline with an entity recogniser or rules for entities."""

    def __init__(self, model: str) -> None:
        try:
            import spacy
        except ImportError:
            raise MissingExtraError("names by a spaCy model", "names") from None
        try:
            self._pipeline: Any = spacy.load(model)
        except Exception as error:  # whatever a part of the pipeline raises
            raise _unusable(model, error) from None
        self._model = model

    def stretches(self, texts: Sequence[str]) -> Iterator[list[_Stretch]]:
        """See ``NameModel``."""
        try:
            for document in self._pipeline.pipe(texts, batch_size=32):
                yield [
                    (one.start_char, one.end_char)
                    for one in document.ents
                    if one.label_.upper() in _LABELS
                ]
        except Exception as error:
            raise _unusable(self._model, error) from None


class _Onnx:
    """A token classifier as ``optimum`` writes it, on one thread.

    A word is part of a name where its first token is labelled so. Words that follow each other make
    one name, unless the second begins one (``B-``).
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError:
            raise MissingExtraError("names by an ONNX model", "names") from None
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 3  # what is wrong is raised as well
        try:
            labels = orjson.loads((folder / "config.json").read_bytes())["id2label"]
            self._labels = {int(number): str(name) for number, name in labels.items()}
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _unusable(str(folder), error) from None
        self._folder = folder
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_WINDOW, stride=_STRIDE)
        self._inputs = {one.name for one in self._session.get_inputs()}
        if not any(_person(one) for one in self._labels.values()):
            raise InputError(
                "no label is a person's name", file=str(folder / "config.json"), field="id2label",
                expected="among them " + ", ".join(sorted(_LABELS)),
            )  # fmt: skip

    def stretches(self, texts: Sequence[str]) -> Iterator[list[_Stretch]]:
        """See ``NameModel``."""
        for text in texts:
            try:
                whole = self._tokenizer.encode(text)
                words = [one for part in (whole, *whole.overflowing) for one in self._words(part)]
            except Exception as error:
                raise _unusable(str(self._folder), error) from None
            yield _joined(text, sorted(words))

    def _words(self, tokens: Any) -> Iterator[tuple[int, int, str]]:
        """Words that are parts of names: from, to, and their label."""
        import numpy

        given = {
            "input_ids": tokens.ids,
            "attention_mask": tokens.attention_mask,
            "token_type_ids": tokens.type_ids,
        }
        rows = {
            name: numpy.array([row], dtype=numpy.int64)
            for name, row in given.items()
            if name in self._inputs
        }
        best = self._session.run(None, rows)[0][0].argmax(axis=-1)
        last = None
        for word, (start, end), label in zip(tokens.word_ids, tokens.offsets, best, strict=True):
            name = self._labels.get(int(label), "")
            if word is not None and word != last and _person(name):
                first, stop = tokens.word_to_chars(word)
                yield min(first, start), max(stop, end), name
            last = word


def _joined(text: str, words: Sequence[tuple[int, int, str]]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for start, end, label in words:
        if found and start < found[-1][1]:  # the same word in the next window
            continue
        behind = found and _JOINED.fullmatch(text, found[-1][1], start)
        if behind and not label.upper().startswith("B-"):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _person(label: str) -> bool:
    """Whether a label, with or without ``B-`` and the like before it, is a person's name."""
    return re.sub(r"^[BIESLU]-", "", label.upper()) in _LABELS


def _unusable(model: str, error: Exception) -> InputError:
    said = shortened(" ".join(str(error).split())) or type(error).__name__
    return InputError(f"'{model}' can't be used: {said}", field=_FIELD, expected=_EXPECTED)
