"""Names of persons by models: a token classifier in ONNX and a spaCy pipeline, built here."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.rules.personal.names import find_names, opened
from tests.data.making import cleaned, kept, written
from tests.probes.artifacts.wire import number, part

LABELS = ("O", "B-PER", "I-PER", "B-LOC")
NAMES = {"Anna": 1, "Lee": 2, "Bob": 1, "Paris": 3, "Jean": 1, "Luc": 2}
pytest.importorskip("onnxruntime")


def classifier(folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    """A model that gives each word of NAMES its label: one table, looked up by the word."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder.mkdir(parents=True, exist_ok=True)
    words = {word: place for place, word in enumerate(["?", *NAMES])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"id2label": dict(enumerate(labels))}))
    rows = [
        [float(label == wanted) for label in range(len(labels))] for wanted in (0, *NAMES.values())
    ]
    numbers = [value for row in rows for value in row]
    table = number(1, len(rows)) + number(1, len(labels)) + number(2, 1) + part(8, "table")
    table += part(9, struct.pack(f"<{len(numbers)}f", *numbers))
    node = part(1, "table") + part(1, "input_ids") + part(2, "logits") + part(4, "Gather")
    graph = part(1, node) + part(2, "g") + part(5, table)
    graph += part(11, _value("input_ids", 7, b"", b"")) + part(12, _value("logits", 1, *[b""] * 3))
    model = number(1, 8) + part(7, graph) + part(8, number(2, 17))
    (folder / "model.onnx").write_bytes(model)
    return folder


def _value(name: str, kind: int, *dimensions: bytes) -> bytes:
    shape = b"".join(part(1, one) for one in dimensions)
    return part(1, name) + part(2, part(1, number(1, kind) + part(2, shape)))


def spacy_pipeline(folder: Path) -> Path:
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("xx")
    rules = pipeline.add_pipe("entity_ruler")
    rules.add_patterns(
        [
            {"label": "PER", "pattern": "Anna Lee"}, {"label": "PERSON", "pattern": "Bob"},
            {"label": "PER", "pattern": [{"TEXT": "Jean"}, {"TEXT": "-"}, {"TEXT": "Luc"}]},
            {"label": "LOC", "pattern": "Paris"},
        ]
    )  # fmt: skip
    pipeline.to_disk(folder)
    return folder


@pytest.fixture(scope="module", params=["onnx", "spacy"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model") / request.param
    return str((classifier if request.param == "onnx" else spacy_pipeline)(folder))


def test_names_are_found(model: str) -> None:
    texts = ["Anna Lee met Bob in Paris .", "", "Jean - Luc and\nBob", "nobody"]
    found = [
        [text[one.start : one.end] for one in spans]
        for text, spans in zip(texts, find_names(model, texts), strict=True)
    ]
    assert found[:2] == [["Anna Lee", "Bob"], []]
    assert found[2][-1] == "Bob"
    assert found[3] == []


def test_names_in_long_texts(model: str) -> None:
    """Longer than a window of the model, and than what is read at once."""
    filler = ["word"] * 12_000
    places = list(range(3, 12_000, 250))
    for place in places:
        filler[place] = "Bob"
    (spans,) = find_names(model, [" ".join(filler)])
    assert [one.start for one in spans] == [
        len(" ".join(filler[:place])) + 1 for place in places
    ]  # fmt: skip


def test_names_are_replaced(model: str, tmp_path: Path) -> None:
    said = [
        {"role": "user", "content": "I am Anna Lee , bob@mail.example.org , not Bob ."},
        {"role": "assistant", "content": "Hello Anna Lee , Bob@mail.example.org ."},
    ]
    path = written(tmp_path / "in.jsonl", [{"messages": said}])
    document = cleaned(path, tmp_path / "out", f"pii:names={model}")
    (record,) = kept(tmp_path / "out")
    assert record["messages"][0]["content"] == "I am [NAME_1] , [EMAIL_1] , not [NAME_2] ."
    assert record["messages"][1]["content"] == "Hello [NAME_1] , [EMAIL_1] ."
    assert document["stages"][0]["types"] == {"EMAIL": 2, "NAME": 3}


def test_a_beginning_parts_two_names(tmp_path: Path) -> None:
    model = classifier(tmp_path)
    (spans,) = find_names(str(model), ["Bob Anna Lee Luc, Jean-Luc"])
    assert [one.value for one in spans] == ["Bob", "Anna Lee Luc", "Jean-Luc"]


def test_models_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = classifier(tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="no label is a person's name"):
        opened(str(classifier(tmp_path / "places", ("O", "B-LOC", "I-LOC", "B-ORG"))))
    path = written(tmp_path / "in.jsonl", [{"text": "Anna Lee"}])
    for model in (broken, *([tmp_path / "nothing"] if _has_spacy() else [])):
        run = ["data", "run", str(path), "--stage", f"pii:names={model}"]
        assert main([*run, "--out", str(tmp_path / "out")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "stage pii: names" in line
        assert f"'{model}' can't be used" in line
    assert not (tmp_path / "out").exists()


def _has_spacy() -> bool:
    try:
        import spacy  # noqa: F401
    except ImportError:
        return False
    return True
