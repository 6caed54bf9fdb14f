"""Any file: what it is, what becomes of it, and that junk is refused in one line."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.cli import convert as command
from buttress.errors import ButtressError, InputError
from buttress.interchange.convert import to_recording
from buttress.interchange.recording import ConversionOptions, record, write_file
from buttress.targets.replay import create as replay
from tests.interchange.samples import DATA, END, FILES, HEADER, attempt, lines, sample

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = st.text(st.characters(codec=None), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def consume(path: Path) -> list[dict[str, Any]]:
    """All records, each such that the replay target takes it; none where the file is refused."""
    records: list[dict[str, Any]] = []
    refusal = ""
    try:
        records = list(to_recording(path, ConversionOptions(expect="refuse", unfinished=True)))
    except ButtressError as error:
        refusal = str(error)
    if refusal:
        assert "\n" not in refusal
        assert path.name in refusal or "optional dependency" in refusal
    if records:
        target_file = path.with_suffix(".out")
        write_file(records, target_file, replace=True)
        prompts = replay(replay=target_file).prompts()
        assert [one.prompt for one in prompts] == [one["prompt"] for one in records]
    return records


@FUZZ
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"{", b"PK\x03\x04", b'{"entry_type": "a"}\n'])
)
def test_any_bytes(tmp_path: Path, raw: bytes, start: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(start + raw)
    consume(path)


@FUZZ
@given(st.data())
def test_real_files_with_bytes_changed(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray((DATA / data.draw(st.sampled_from(FILES))).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))
    path = tmp_path / "changed"
    path.write_bytes(raw[:end])
    consume(path)


def replaced(value: Any, data: st.DataObject) -> Any:
    """``value`` with one part somewhere in it replaced by any JSON."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        key = data.draw(st.sampled_from(sorted(value)))
        return value | {key: replaced(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 4)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], replaced(value[at], data), *value[at + 1 :]]
    return data.draw(JSON)


@FUZZ
@given(st.data())
def test_rows_with_fields_of_any_kind(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["garak.report.jsonl", "promptfoo.jsonl"]))
    rows = [json.loads(line) for line in (DATA / name).read_text().splitlines()]
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = replaced(rows[at], data)
    consume(lines(tmp_path / "rows.jsonl", rows))


@FUZZ
@given(st.data())
def test_samples_with_fields_of_any_kind(tmp_path: Path, data: st.DataObject) -> None:
    parts = [{"type": "text", "text": "Why?"}, {"type": "reasoning", "reasoning": "x"}]
    one = sample(data.draw(st.sampled_from(["Why?", parts])), scores={"s": {"value": 1}})
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**HEADER, "samples": [replaced(one, data)]}))
    consume(path)


@FUZZ
@given(prompt=TEXTS, answer=TEXTS)
def test_texts_come_through(tmp_path: Path, prompt: str, answer: str) -> None:
    """Byte for byte, but for lone surrogates, which no file can hold."""
    records = consume(lines(tmp_path / "r.jsonl", [attempt(prompt, [answer]), END]))
    sound = all(not "\ud800" <= sign <= "\udfff" for sign in prompt + answer)
    if prompt.strip() and sound:
        assert [(one["prompt"], one["response"]) for one in records] == [(prompt, answer)]


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_text('{"entry_type": ' + "[" * 200_000 + "]" * 200_000 + "}")
    with pytest.raises(InputError, match="nested too deeply"):
        list(to_recording(path))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a known format"),
        ("prompt,response\n", "not a known format"),
        ("[]", "not a known format"),
        ("{}", "not a known format"),
        ('{"eval": 1, "status": "success"}', "not a known format"),
        ('{"prompt": "a", "response": "b"}\n', "recorded answers already"),
        ('{"entry_type": "init"}\nnonsense\n', ":2: not JSON"),
    ],
)
def test_other_files(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(InputError, match=what):
        list(to_recording(path))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(to_recording(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"a directory|can't be read"):
        list(to_recording(tmp_path))


def test_a_failed_conversion_leaves_nothing_and_replaces_nothing(tmp_path: Path) -> None:
    source = lines(tmp_path / "r.jsonl", [attempt("p", ["x"]), "no object"])
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(InputError, match="exists"):
        write_file(to_recording(source), out, replace=False)
    with pytest.raises(InputError, match="not an object"):
        write_file(to_recording(source), out, replace=True)
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "r.jsonl"]


def test_a_written_file_is_readable_for_others_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    rows = [record(prompt="p", response="r", expect=None, tokens=(0, 0))]
    assert write_file(rows, tmp_path / "out", replace=False) == 1
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "out")}
    assert len(modes) == 1


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    import argparse

    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    options = parser.parse_args(["convert", *arguments])
    assert options.run(options) == 0
    return capsys.readouterr()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "recorded.jsonl"
    printed, told = run(capsys, str(DATA / "garak.report.jsonl"), "--to", str(out))
    assert printed == ""
    assert "4 recorded answers" in told
    assert "left out, empty prompt: 2" in told
    assert "4 don't say what a safe model does" in told
    assert "4 come from attacks" in told
    rows = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert len(rows) == 4
    target = replay(replay=out, expect="refuse", where={"attack": "test.Test"})
    assert len(target.prompts()) == 4


def test_the_command_refuses_a_run_without_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = lines(tmp_path / "r.jsonl", [attempt("p", [None]), END])
    with pytest.raises(InputError, match=r"no answer to record \(no answer: 1\)"):
        run(capsys, str(source), "--to", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
