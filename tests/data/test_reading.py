"""Every kind of input; what can't be read is counted and ends nothing."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from buttress.cli.main import main
from buttress.data import reading
from buttress.data.inputs import expand
from buttress.data.reading import Readable, Unreadable, read
from buttress.data.records import text_slots
from buttress.errors import InputError
from tests.data.making import cleaned, kept, written

ROWS = [{"text": f"text {number}", "n": number} for number in range(5)]
LINES = b"".join(orjson.dumps(row) + b"\n" for row in ROWS)
PRETTY = b"".join(orjson.dumps(row, option=orjson.OPT_INDENT_2) + b"\n" for row in ROWS)


def rows(path: Path) -> tuple[list[dict], list[Unreadable]]:
    entries = list(read(expand([path])))
    return (
        [orjson.loads(one.line) for one in entries if isinstance(one, Readable)],
        [one for one in entries if isinstance(one, Unreadable)],
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", LINES),
        ("a.ndjson", b"\xef\xbb\xbf" + LINES),
        ("a.jsonl.gz", gzip.compress(LINES, mtime=0)),
        ("a.jsonl.zst", zstandard.compress(LINES)),
        ("b.jsonl.zst", zstandard.compress(LINES[:40]) + zstandard.compress(LINES[40:])),
        ("a.jsonl.xz", lzma.compress(LINES)),
        ("a.jsonl.bz2", bz2.compress(LINES)),
        ("a.jsonlines", LINES),
        ("a.json", orjson.dumps(ROWS)),
        ("b.json", orjson.dumps(ROWS, option=orjson.OPT_INDENT_2)),
        ("crlf.jsonl", LINES.replace(b"\n", b"\r\n\r\n")),
        ("plain.jsonl.gz", LINES),  # unpacked on the way, under its old name
        ("packed.jsonl", gzip.compress(LINES, mtime=0)),
        ("packed.json", zstandard.compress(LINES)),
        ("firehose.jsonl", LINES.replace(b"\n", b"")),
        ("firehose.json", LINES.replace(b"\n", b"")),
        ("commas.jsonl", LINES.replace(b"}\n", b"},\n")),
        ("old-mac.jsonl", LINES.replace(b"\n", b"\r")),
        ("jq.jsonl", PRETTY),
        ("jq.json", PRETTY),
    ],
)
def test_kinds_of_files(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert rows(tmp_path / name) == (ROWS, [])


WIDE = [{"text": f"文本 {number} 😀 é"} for number in range(5)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("form", ["lines", "array", "lines.gz"])
def test_unicode_in_other_encodings(tmp_path: Path, encoding: str, mark: str, form: str) -> None:
    said = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in WIDE)
    if form == "array":
        said = json.dumps(WIDE, ensure_ascii=False, indent=1)
    data = (mark + said).encode(encoding)
    path = tmp_path / ("a.json" if form == "array" else "a.jsonl")
    if form == "lines.gz":
        path, data = tmp_path / "a.jsonl.gz", gzip.compress(data, mtime=0)
    path.write_bytes(data)
    assert rows(path) == (WIDE, [])


def test_half_a_character_costs_its_own_record_alone(tmp_path: Path) -> None:
    said = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in WIDE)
    data = said.replace("2 😀", "2 \ud83d").encode("utf-16", "surrogatepass")
    (tmp_path / "a.jsonl").write_bytes(data)
    found, wrong = rows(tmp_path / "a.jsonl")
    assert found == [*WIDE[:2], *WIDE[3:]]
    assert [(one.line, one.reason) for one in wrong] == [(3, "half a surrogate pair at byte 19")]
    (tmp_path / "a.jsonl").write_bytes(said.encode("utf-16") + b"x")
    found, wrong = rows(tmp_path / "a.jsonl")
    assert found == WIDE
    assert [one.line for one in wrong] == [6]
    assert "UTF-16-LE" in wrong[0].reason


@pytest.mark.parametrize(
    ("encoding", "text", "name"),
    [
        ("gb18030", "模型的训练数据包括公开的网页", "GB 18030"),
        ("big5", "模型的訓練資料包括公開的網頁", "Big5"),
        ("shift_jis", "モデルの学習データです", "Shift JIS"),
        ("euc_kr", "모델의 학습 데이터입니다", "EUC-KR"),
        ("latin-1", "les données d’apprentissage".replace("’", "'"), "another encoding"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".txt"])
def test_other_encodings_are_named(
    tmp_path: Path, encoding: str, text: str, name: str, suffix: str
) -> None:
    said = text if suffix == ".txt" else json.dumps({"text": text}, ensure_ascii=False) + "\n"
    (tmp_path / f"a{suffix}").write_bytes(said.encode(encoding))
    found, wrong = rows(tmp_path)
    assert not found
    assert "is not UTF-8" in wrong[0].reason
    assert name in wrong[0].reason
    assert "JSON" not in wrong[0].reason


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("turns.said", ["a", "b"]),
        ("turns.notes.text", ["c"]),
        ("turns", []),
        ("turns.none", []),
        ("turns.said.more", []),
        ("a.b", ["d"]),
    ],
)
def test_a_named_field_is_found_in_lists(field: str, wanted: list[str]) -> None:
    turns = [{"said": "a"}, {"said": "b", "notes": [{"text": "c"}]}, "x", None]
    found = list(text_slots({"turns": turns, "a.b": "d", "a": {"b": "e"}}, field))
    assert [slot.text for slot in found if slot.text != "x"] == wanted


def test_outputs_among_the_inputs_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", ROWS)
    for out in (tmp_path, tmp_path / "deep/out"):
        with pytest.raises(InputError, match="lies in the input"):
            cleaned(tmp_path, out, "exact")
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]
    with pytest.raises(InputError, match="is a file"):
        cleaned(tmp_path / "a.jsonl", tmp_path / "a.jsonl", "exact")


def test_files_of_other_kinds_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep/.git").mkdir(parents=True)
    written(folder / "a.jsonl", ROWS)
    for name in ("b.bin", "deep/c.BIN", "deep/LICENSE", "deep/.git/config", "deep/a.parquet.gz"):
        (folder / name).write_text("a,b\n")
    document = cleaned(folder, tmp_path / "out", "exact")
    assert document["unread_files"] == {".bin": 2, ".gz": 1, "LICENSE": 1}


def test_parquet(tmp_path: Path) -> None:
    turns = [[{"role": "user", "content": "hi"}]] * 5
    table = pa.table({"n": range(5), "messages": turns, "text": [row["text"] for row in ROWS]})
    parquet.write_table(table, tmp_path / "a.parquet")
    found, wrong = rows(tmp_path)
    assert not wrong
    assert [row["text"] for row in found] == [row["text"] for row in ROWS]
    assert found[0]["messages"] == turns[0]


def test_arrow(tmp_path: Path) -> None:
    table = pa.table({"n": range(5), "text": [row["text"] for row in ROWS]})
    table = table.set_column(1, "text", table["text"].dictionary_encode())
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=2)
    with pa.ipc.new_stream(tmp_path / "b.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=2)
    (tmp_path / "c.arrow").write_bytes((tmp_path / "b.arrow").read_bytes()[:-400])
    (tmp_path / "d.feather").write_bytes(b"FEA1 is of another time")
    assert rows(tmp_path / "a.arrow") == (ROWS, [])
    assert rows(tmp_path / "b.arrow") == (ROWS, [])
    for name in ("c.arrow", "d.feather"):
        found, wrong = rows(tmp_path / name)
        assert found == ROWS[: len(found)]
        assert ["the rest of the file" in one.reason for one in wrong] == [True]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_bytes_of_tables(tmp_path: Path, kind: str) -> None:
    table = pa.table({"text": [b"caf\xc3\xa9"], "image": [b"\xff\x00"]})
    if kind == "parquet":
        parquet.write_table(table, tmp_path / "a.parquet")
    else:
        with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as file:
            file.write(table)
    assert rows(tmp_path) == ([{"text": "café", "image": "/wA="}], [])


@pytest.mark.parametrize(
    ("data", "wanted", "wrong"),
    [
        (b"n,text\n1,a\n2,\"b, \"\"c\"\"\nd\"\n", [("1", "a"), ("2", 'b, "c"\nd')], []),
        (b"\xef\xbb\xbfn;text\r\n1;\xc3\xa9, a\r\n\r\n2;b\r\n", [("1", "é, a"), ("2", "b")], []),
        (b"n\ttext\n1\ta\n", [("1", "a")], []),
        ("n,text\n1,ä\n".encode("utf-16"), [("1", "ä")], []),
        (b"n,text\n1,caf\xe9\n2,b\n", [("2", "b")], [(2, "byte 12 is not UTF-8")]),
        (b"n,text\n1,a,b\n2\n3,c\n", [("3", "c")],
         [(2, "3 fields, the first row has 2"), (3, "1 fields, the first row has 2")]),
        (b'n,text\n1,"a"b\n2,c\n3,"d\n', [("2", "c")],
         [(2, "not valid CSV: ',' expected after '\"'"),
          (4, "not valid CSV: unexpected end of data")]),
        (b"text,text\na,b\n", [], [(1, "two columns have the same name")]),
        (b"n,text\n", [], []),
        (b"", [], []),
    ],
)  # fmt: skip
def test_csv(tmp_path: Path, data: bytes, wanted: list[tuple[str, str]], wrong: list) -> None:
    for name in ("a.csv", "a.tsv"):
        (tmp_path / name).write_bytes(data)
        found, unread = rows(tmp_path / name)
        assert [(one["n"], one["text"]) for one in found] == wanted
        assert [(one.line, one.reason.split(";")[0]) for one in unread] == wrong


def test_windows_of_any_length_that_zstandard_writes(tmp_path: Path) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    (tmp_path / "a.jsonl.zst").write_bytes(packer.compress(LINES) + packer.flush())
    assert rows(tmp_path) == (ROWS, [])


def test_names_of_files_that_are_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"\xff.jsonl", b"\xfe.bin", b"a\nb.jsonl", b"[red].jsonl"):
        written(folder / os.fsdecode(name), ROWS)
    assert main(["data", "run", str(folder), "--stage", "pii", "--out", str(tmp_path / "out")]) == 0
    document = orjson.loads((tmp_path / "out/data.json").read_bytes())
    assert [Path(one["source"]).name for one in document["sources"]] == [
        "[red].jsonl", r"\xff.jsonl", r"a\nb.jsonl"
    ]  # fmt: skip
    assert document["unread_files"] == {".bin": 1}
    assert kept(tmp_path / "out") == ROWS * 3


def test_links_to_folders_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    written(tmp_path / "elsewhere.jsonl", ROWS)
    (folder / "a.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    (folder / "dead.jsonl").symlink_to(tmp_path / "nothing")
    (folder / "deep/loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jsonl")
    document = cleaned(folder, tmp_path / "out", "pii")
    assert document["records"]["in"] == len(ROWS)
    assert document["unread_files"] == {"links to folders": 1}
    with pytest.raises(InputError, match="neither a file nor a folder"):
        expand([folder / "pipe.jsonl"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b'{"text":' * 900 + b'"a"' + b"}" * 900),
        ("a.json", b'[{"text": "a", "b":' + b"[" * 300 + b"]" * 300 + b"}]"),
        ("a.jsonl", b'{"b":' * 900 + b'{"text": "a"}' + b"}" * 900),
    ],
)
def test_what_is_nested_too_deep_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    found, wrong = rows(tmp_path)
    assert not found
    assert ["nested deeper than 200 levels" in one.reason for one in wrong] == [True]


def test_text_files_are_a_record_each(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first\n\nof two", "utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xff\xff")
    found, wrong = rows(tmp_path)
    assert found == [{"text": "first\n\nof two"}]
    assert [one.reason.split(";")[0] for one in wrong] == ["byte 0 is not UTF-8"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl.gz", gzip.compress(LINES * 2000, mtime=0)[:-20]),
        ("a.jsonl.gz", b"no gzip"),
        ("a.jsonl.zst", zstandard.compress(LINES * 2000)[:-20]),
        ("a.jsonl.zst", b"no zstandard"),
        ("a.jsonl.xz", lzma.compress(LINES * 2000)[:-20]),
        ("a.jsonl.xz", b"no xz"),
        ("a.jsonl.bz2", bz2.compress(LINES * 2000)[:-20]),
        ("a.jsonl.bz2", b"no bzip2"),
        ("a.parquet", b"PAR1 broken PAR1"),
        ("a.json", b'[{"text": "x"}, '),
    ],
)
def test_broken_files_end_nothing(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    written(tmp_path / "z.jsonl", ROWS)
    found, wrong = rows(tmp_path)
    assert len(wrong) == 1
    assert wrong[0].file == str(tmp_path / name)
    assert "\n" not in wrong[0].reason
    assert found[-5:] == ROWS


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "\\ud800"}', b'{"text": NaN}', b'{"text": "a', b"[1", b'"text"', b"12",
        b'{"text": 1}', b"{}", b"\xff\xfe", b"[" * 5000, b'{"text": "\xff"}',
    ],
)  # fmt: skip
def test_broken_lines_end_nothing(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES + line + b"\n" + LINES)
    found, wrong = rows(tmp_path / "a.jsonl")
    assert found == ROWS * 2
    assert [(one.line, one.raw) for one in wrong] == [(6, line)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_numbers_that_json_does_not_know_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('[{"text": "NaN", "score": -Infinity}\n]', "utf-8")
    if name == "a.jsonl":
        (tmp_path / name).write_text('{"text": "a", "score": NaN}\n{"text": ": N', "utf-8")
    _, wrong = rows(tmp_path / name)
    assert [one.reason.endswith("write null") for one in wrong] == [True, False][: len(wrong)]


def test_long_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 100)
    long = orjson.dumps({"text": "a" * 1000})
    (tmp_path / "a.jsonl").write_bytes(LINES + long + b"\n" + LINES)
    found, wrong = rows(tmp_path / "a.jsonl")
    assert found == ROWS * 2
    assert [one.line for one in wrong] == [6]


RECORDS = [
    ({"text": "a"}, ["a"]),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "x", "content": "b"}]}, ["a", "b"]),
    ({"conversations": [{"from": "human", "value": "a"}]}, ["a"]),
    ({"messages": [{"content": [{"type": "text", "text": "a"}, {"type": "image"}]}]},
     ["a"]),
    ({"prompt": "p", "chosen": "c", "rejected": "r"}, ["p", "c", "r"]),
    ({"chosen": [{"role": "user", "content": "c"}], "rejected": [{"role": "user", "content": "r"}]},
     ["c", "r"]),
    ({"instruction": "i", "input": "", "output": "o"}, ["i", "", "o"]),
    ({"data": {"doc": {"text": "a", "title": "b"}}, "list": [{"x": [{"content": "c"}]}], "y": "d"},
     ["a", "b", "c"]),
    ({"text": None, "data": {"text": "a"}}, []),
    ({"messages": [{"content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"to": "a"}'}}]}]},
     ['{"to": "a"}']),
    ({"messages": [{"content": [{"type": "tool_use", "name": "f",
                                 "input": {"to": ["a", {"from": "b", "n": 1}]}}]}]},
     ["a", "b"]),
    ({"translation": {"en": "a", "pt-BR": "b", "zh_Hans": "c"}, "id": "1"}, ["a", "b", "c"]),
    ({"text": {"id": "a"}}, []),
    ({"text": {"en": "a", "url": "b"}}, []),
    ({"turns": [{"speaker": "A", "utterance": "a"}], "caption": "b"}, ["b", "a"]),
    ({"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"name": "a"}}}]}]}, ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("record", "wanted"), RECORDS)
def test_texts_of_records(record: dict, wanted: list[str]) -> None:
    assert [slot.text for slot in reading.text_slots(record)] == wanted


def test_a_field_is_named(tmp_path: Path) -> None:
    record = {"meta": {"body": "a@b.example.org"}, "text": "c@d.example"}
    path = written(tmp_path / "in.jsonl", [record])
    from buttress.data.plan import PipelinePlan, from_command_line
    from buttress.workflows.data import DataRequest, clean

    plan = PipelinePlan(from_command_line(["pii"], Path()), field="meta.body", source_field="text")
    document = clean(DataRequest((path,), plan, tmp_path / "out"))
    assert kept(tmp_path / "out") == [{"meta": {"body": "[EMAIL_1]"}, "text": "c@d.example"}]
    assert [one["source"] for one in document["sources"]] == ["c@d.example"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing.jsonl", "no such file"), ("a.bin", "unknown kind of file"), ("empty", "no file")],
)
def test_mistakes_in_inputs(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "a.bin").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        expand([tmp_path / name])


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"one\ntwo\n")
    with pytest.raises(InputError, match="none of 2 records can be read") as caught:
        cleaned(tmp_path / "a.jsonl", tmp_path / "out", "exact")
    assert str(caught.value).startswith(f"{tmp_path}/a.jsonl:1: ")


def test_an_object_over_several_lines_is_a_record_or_holds_them(tmp_path: Path) -> None:
    pretty = orjson.dumps(ROWS[0], option=orjson.OPT_INDENT_2)
    (tmp_path / "one.json").write_bytes(pretty)
    assert rows(tmp_path / "one.json") == ([ROWS[0]], [])
    for option in (orjson.OPT_INDENT_2, 0):
        (tmp_path / "many.json").write_bytes(orjson.dumps({"v": 1, "data": ROWS}, option=option))
        assert rows(tmp_path / "many.json") == (ROWS, [])


def test_lines_in_a_file_called_json_are_lines_though_the_first_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"text": \n' + LINES)
    found, wrong = rows(tmp_path / "a.json")
    assert found == ROWS
    assert [one.line for one in wrong] == [1]


def test_numbers_of_objects_over_several_lines_keep_their_digits(tmp_path: Path) -> None:
    number = b"123456789012345678901234567890"
    (tmp_path / "a.jsonl").write_bytes(b'{\n"text": "a\\nb",\n"n": ' + number + b"\n}\n" * 2)
    (tmp_path / "b.jsonl").write_bytes(b'{\n"text": "a\\nb",\n"n": ' + number + b"\n}\n{}")
    lines = [one.line for one in read([tmp_path / "b.jsonl"]) if isinstance(one, Readable)]
    assert lines == [b'{ "text": "a\\nb", "n": ' + number + b" }"]
    assert rows(tmp_path / "a.jsonl")[0] == []  # the brackets don't fit


def test_what_stands_before_the_end_of_a_cut_archive_is_read(tmp_path: Path) -> None:
    lines = b"".join(
        orjson.dumps({"text": f"record {number} {number * 7919 % 1009}"}) + b"\n"
        for number in range(5_000)
    )
    packed = gzip.compress(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    found, wrong = rows(tmp_path / "a.jsonl.gz")
    assert found == [orjson.loads(line) for line in lines.splitlines()[: len(found)]]
    assert len(found) > 1_000
    assert len(wrong) == 1
    assert "ends too early" in wrong[0].reason


@pytest.mark.parametrize(
    "record",
    [
        {"instruction": "x", "completions": [{"model": "m", "response": "a@mail.example.org"}]},
        {"question": "x", "answers": [{"answer": "a@mail.example.org", "score": 1}]},
        {"context": "x", "response_0": "a@mail.example.org", "response_1": "y", "better": 0},
        {"conversation_a": [{"role": "user", "content": "a@mail.example.org"}], "winner": "a"},
        {"prompt": {"text": "x", "replies": [{"text": "a@mail.example.org", "rank": 0}]}},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a@mail.example.org"}]}
            ]
        },
        {"chosen": "x", "rejected": "\n\nHuman: x\n\nAssistant: a@mail.example.org"},
    ],
)
def test_texts_of_public_layouts_are_read_wherever_they_stand(
    tmp_path: Path, record: dict[str, object]
) -> None:
    cleaned(written(tmp_path / "a.jsonl", [record]), tmp_path / "out", "pii")
    (only,) = kept(tmp_path / "out")
    assert "example.org" not in str(only)
    assert str(only) == str(record).replace("a@mail.example.org", "[EMAIL_1]")


def test_fields_that_no_stage_reads_are_told(tmp_path: Path) -> None:
    records = [
        {"text": "x", "id": "a", "note": "call me", "meta": {"who": "b@mail.example.org"}},
        {"text": "y", "messages": [{"role": "user", "content": "z", "seen_by": "c"}], "n": 3},
    ]
    document = cleaned(written(tmp_path / "a.jsonl", records), tmp_path / "out", "pii")
    assert document["unread_fields"] == {"note": 1, "meta.who": 1, "messages.seen_by": 1}
    document = cleaned(tmp_path / "a.jsonl", tmp_path / "second", "exact", "near", "substring")
    assert document["records"]["kept"] == 2


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"[]"])
def test_no_record_is_no_mistake(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    document = cleaned(tmp_path / "a.json", tmp_path / "out", "exact", "near", "substring", "pii")
    assert set(document["records"].values()) == {0}
    assert kept(tmp_path / "out") == []


def test_deep_nesting_is_unreadable(tmp_path: Path) -> None:
    deep = b'{"text": "a", "x": ' + b"[" * 300 + b"]" * 300 + b"}\n"
    (tmp_path / "a.jsonl").write_bytes(deep + LINES)
    found, wrong = rows(tmp_path / "a.jsonl")
    assert found == ROWS
    assert "nested deeper" in wrong[0].reason
