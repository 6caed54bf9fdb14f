"""What a run keeps, whatever the order, the shards and the workers; and undoing it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from buttress.data import pipeline, shards
from buttress.documents.schemas import schema_of
from buttress.errors import InputError
from buttress.workflows.data import load
from buttress.workflows.data_restore import undo
from tests.data.making import cleaned, corpus, kept, removed, run, written

STAGES = ("unicode", "exact", "near", "substring:length=40", "pii", "secrets")


def test_counts_add_up_and_the_document_is_valid(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1))
    with path.open("ab") as file:
        file.write(b'{"text": \n[1]\n"text"\n\n{"n": 1}\n')
    document = cleaned(path, tmp_path / "out", *STAGES)
    Draft202012Validator(schema_of("data")).validate(document)
    assert load(tmp_path / "out") == document
    records = document["records"]
    assert records["in"] == 124
    assert records["unreadable"] == 4
    assert records["in"] == records["kept"] + records["removed"] + records["unreadable"]
    assert records["kept"] == len(kept(tmp_path / "out"))
    assert records["removed"] == len(removed(tmp_path / "out")) > 0
    assert records["changed"] > 0
    lines = (tmp_path / "out/unreadable.jsonl").read_bytes().splitlines()
    aside = [orjson.loads(one) for one in lines]
    assert [one["line"] for one in aside] == [121, 122, 123, 125]
    assert all(one["reason"] and one["file"] == str(path) for one in aside)
    assert not (tmp_path / "out/.work").exists()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1000), size=st.integers(3, 60))
def test_digest_is_free_of_order_and_of_shards(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    records = corpus(seed, 60)
    first = cleaned(written(folder / "in.jsonl", records), folder / "one", *STAGES)
    Random(seed).shuffle(records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "MAX_RECORDS", size)
        second = cleaned(written(folder / "in.jsonl", records), folder / "two", *STAGES)
    assert second["digest"] == first["digest"]
    assert second["records"] == first["records"]
    by_number = sorted(kept(folder / "one"), key=lambda one: one["n"])
    assert sorted(kept(folder / "two"), key=lambda one: one["n"]) == by_number


@pytest.mark.slow
def test_digest_is_free_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "in.jsonl", corpus(3))
    one = cleaned(path, tmp_path / "one", *STAGES)
    monkeypatch.setattr(shards, "MAX_RECORDS", 50)
    two = cleaned(path, tmp_path / "two", *STAGES, workers=2)
    assert two["digest"] == one["digest"]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_restore_after_run_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("restore")
    path = written(folder / "in.jsonl", corpus(seed, 50))
    document = cleaned(path, folder / "out", *STAGES)
    assert document["records"]["removed"] + document["records"]["changed"] > 0
    undo(folder / "out")
    lines = b"".join(part.read_bytes() for part in sorted((folder / "out/kept").iterdir()))
    assert lines == path.read_bytes()
    after = load(folder / "out")
    assert after["records"]["removed"] == after["records"]["changed"] == 0
    assert removed(folder / "out") == []


def test_each_stage_can_be_undone_below_later_ones(tmp_path: Path) -> None:
    text = "call\u200b 13812345678 or a\u200b write to ann@mail.example.org"
    path = written(tmp_path / "in.jsonl", [{"text": text, "other": [1, 2]}])
    cleaned(path, tmp_path / "out", "unicode", "pii")
    assert kept(tmp_path / "out")[0]["text"] == "call [CN_MOBILE_1] or a write to [EMAIL_1]"
    undo(tmp_path / "out", stage="unicode")
    wanted = "call\u200b [CN_MOBILE_1] or a\u200b write to [EMAIL_1]"
    assert kept(tmp_path / "out") == [{"text": wanted, "other": [1, 2]}]
    undo(tmp_path / "out", stage="pii")
    assert kept(tmp_path / "out") == [{"text": text, "other": [1, 2]}]


def test_a_record_comes_back_by_id(tmp_path: Path) -> None:
    records = [{"id": f"r{number}", "text": "the same text"} for number in range(3)]
    path = written(tmp_path / "in.jsonl", records)
    document = cleaned(path, tmp_path / "out", "exact:max_removed_share=1")
    (gone, other) = removed(tmp_path / "out")
    assert gone["duplicate_of"] == kept(tmp_path / "out")[0]["id"]
    result, _ = undo(tmp_path / "out", ids=[gone["id"]])
    assert result.records == 1
    assert [one["id"] for one in removed(tmp_path / "out")] == [other["id"]]
    assert load(tmp_path / "out")["digest"] != document["digest"]
    with pytest.raises(InputError, match="no record nothing"):
        undo(tmp_path / "out", ids=["nothing"])


def test_changed_outputs_are_not_restored(tmp_path: Path) -> None:
    cleaned(written(tmp_path / "in.jsonl", corpus(1)), tmp_path / "out", "exact", "near")
    part = tmp_path / "out/kept/part-00000.jsonl"
    part.write_bytes(b"".join(part.read_bytes().splitlines(keepends=True)[1:]))
    before = part.read_bytes()
    with pytest.raises(InputError, match="kept records where"):
        undo(tmp_path / "out")
    assert part.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.05, 0.2, 0.5])
def test_killed_and_resumed_runs_give_the_same(tmp_path: Path, after: float) -> None:
    path = written(tmp_path / "in.jsonl", corpus(5, 400))
    wanted = cleaned(path, tmp_path / "whole", *STAGES)
    script = (
        "import sys\nfrom pathlib import Path\nfrom buttress.data import shards\n"
        "shards.MAX_RECORDS = 20\nfrom tests.data.making import cleaned\n"
        f"cleaned(Path({str(path)!r}), Path({str(tmp_path / 'out')!r}), *{STAGES!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    while not (tmp_path / "out/.work/read.json").exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode in (0, -signal.SIGKILL)
    document = cleaned(path, tmp_path / "out", *STAGES, resume=True)
    assert document["digest"] == wanted["digest"]
    assert document["records"] == wanted["records"]


def test_a_run_that_stops_at_any_shard_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "in.jsonl", corpus(6, 80))
    monkeypatch.setattr(shards, "MAX_RECORDS", 16)
    wanted = cleaned(path, tmp_path / "whole", *STAGES)
    genuine = pipeline.process_shard
    left = [0]

    def failing(task: pipeline.Task) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        genuine(task)

    monkeypatch.setattr(pipeline, "process_shard", failing)
    for shard_count in range(40):
        left[0] = 1
        try:
            document = cleaned(path, tmp_path / "out", *STAGES, resume=True)
            break
        except KeyboardInterrupt:
            assert shard_count < 39
    assert document["digest"] == wanted["digest"]


def test_another_run_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "in.jsonl", corpus(7, 20))

    def stop(_task: pipeline.Task) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "process_shard", stop)
        with pytest.raises(KeyboardInterrupt):
            cleaned(path, tmp_path / "out", "exact")
    with pytest.raises(InputError, match="another run is to be resumed: stages differs"):
        cleaned(path, tmp_path / "out", "near", resume=True)
    with pytest.raises(InputError, match="holds a run"):
        cleaned(path, tmp_path / "out", "exact")
    other = written(tmp_path / "other.jsonl", corpus(8, 20))
    with pytest.raises(InputError, match="another run is to be resumed: inputs differs"):
        cleaned(other, tmp_path / "out", "exact", resume=True)
    assert cleaned(path, tmp_path / "out", "exact", resume=True)["records"]["in"] == 20
    # Finished, it is no less the run of these inputs; and a file that is no run is told.
    with pytest.raises(InputError, match="another run is to be resumed: inputs differs"):
        cleaned(other, tmp_path / "out", "exact", resume=True)
    (tmp_path / "out/data-run.json").write_text("{")
    with pytest.raises(InputError, match=r"data-run\.json"):
        cleaned(path, tmp_path / "out", "exact", resume=True)


def test_inputs_that_can_not_be_read_leave_no_run_behind(tmp_path: Path) -> None:
    broken = tmp_path / "in.jsonl"
    broken.write_text("{")
    with pytest.raises(InputError, match="none of 1 records can be read"):
        cleaned(broken, tmp_path / "out", "exact")
    path = written(tmp_path / "fine.jsonl", corpus(7, 20))
    assert cleaned(path, tmp_path / "out", "exact")["records"]["in"] == 20


def test_a_run_that_was_killed_while_its_work_was_deleted_is_complete(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(7, 20))
    wanted = cleaned(path, tmp_path / "out", *STAGES)
    (tmp_path / "out/.work-done/1").mkdir(parents=True)
    again = cleaned(path, tmp_path / "out", *STAGES, resume=True)
    assert again == wanted


def test_the_alarm_is_by_source(tmp_path: Path) -> None:
    records = [{"text": "one and the same", "source": "copies"}] * 5
    records += [{"text": f"text {number}", "source": "fine"} for number in range(5)]
    path = written(tmp_path / "in.jsonl", records)
    code, said, _ = run(
        "data", "run", str(path), "--stage", "exact", "--out", str(tmp_path / "o"), "--json"
    )
    (alarm,) = orjson.loads(said)["alarms"]
    assert code == 1
    assert (alarm["rule"], alarm["source"], alarm["share"]) == ("max-removed-share", "copies", 0.8)
    code, _, _ = run(
        "data", "run", str(path), "--stage", "exact:max_removed_share=0.8",
        "--out", str(tmp_path / "p"),
    )  # fmt: skip
    assert code == 0


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1, 40))
    wanted = cleaned(path, tmp_path / "out", *STAGES)
    document = cleaned(path, tmp_path / "dry", *STAGES, dry_run=True)
    assert not (tmp_path / "dry").exists()
    assert document["digest"] == wanted["digest"]
    assert document["dry_run"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stage", "nothing"), "unknown data stage 'nothing'; expected one of"),
        (("--stage", "near:treshold=1"), "unknown option 'treshold'; expected of threshold"),
        (("--stage", "near:threshold=2"), "stage near: threshold: 2 is not usable"),
        (("--stage", "near:threshold=x"), "'x' is not valid; expected a number"),
        (("--stage", "pii:types=MAIL"), "unknown type 'MAIL'"),
        (("--field", "nothing"), "no text in field 'nothing'"),
        (("--workers", "0"), "--workers: 0 is too small"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1, 3))
    code, _, wrong = run("data", "run", str(path), "--out", str(tmp_path / "o"), *arguments)
    assert code == 2
    last = wrong.strip().splitlines()[-1]
    assert last.startswith("buttress: error: ")
    assert message in last


def test_pipelines_are_files(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1, 40))
    plan = tmp_path / "plan.yaml"
    plan.write_text("stages:\n- exact\n- near: {threshold: 0.7}\n- pii: {types: [EMAIL]}\n")
    code, said, _ = run(
        "data", "run", str(path), "--pipeline", str(plan), "--out", str(tmp_path / "o"), "--json"
    )
    assert code in (0, 1)
    document = orjson.loads(said)
    assert [one["name"] for one in document["stages"]] == ["exact", "near", "pii"]
    assert set(document["stages"][2]["types"]) == {"EMAIL"}
    plan.write_text("stages:\n- exact\n- near: {threshold: high}\n")
    code, _, wrong = run(
        "data", "run", str(path), "--pipeline", str(plan), "--out", str(tmp_path / "p")
    )
    assert code == 2
    assert f"{plan}:3: stages[1].near.threshold" in wrong
    for mistake, told in (
        ("near: {threshold: 2}", "stages[1].near.threshold: 2 is not usable"),
        ("pii: {types: [MAIL]}", "stages[1].pii.types: unknown type 'MAIL'"),
        ("sources", "stages[1]: no rule; expected deny, allow or licences"),
    ):
        plan.write_text(f"stages:\n- exact\n- {mistake}\n")
        code, _, wrong = run("data", "run", str(path), "--pipeline", str(plan), "--out", "p")
        assert (code, wrong.count("\n")) == (2, 1)
        assert f"{plan}:3: {told}" in wrong


def test_a_source_field_that_no_record_has_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1, 3))
    for name, told in (("nothing", True), ("source", False)):
        _, _, wrong = run(
            "data", "run", str(path), "--stage", "unicode", "--source-field", name,
            "--out", str(tmp_path / name),
        )  # fmt: skip
        assert ("no record has a source in" in wrong) is told


def test_a_second_run_needs_another_folder(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1, 5))
    cleaned(path, tmp_path / "out", "exact")
    with pytest.raises(InputError, match="holds a run"):
        cleaned(path, tmp_path / "out", "exact")
    assert os.listdir(tmp_path / "out/kept") == ["part-00000.jsonl"]


def test_other_fields_keep_their_bytes(tmp_path: Path) -> None:
    line = (
        b'{"big": 123456789012345678901234567890, "f": 1.50, "text": "mail ann@b.example.org",'
        b' "messages": [{"role": "user", "content": "13812345678", "x": 1e5}]}\n'
    )
    (tmp_path / "in.jsonl").write_bytes(line)
    cleaned(tmp_path / "in.jsonl", tmp_path / "out", "pii")
    after = (tmp_path / "out/kept/part-00000.jsonl").read_bytes()
    assert b"123456789012345678901234567890" in after
    assert b"1.50" in after
    assert b"1e5" in after
    assert b"[EMAIL_1]" in after
    assert b"[CN_MOBILE_1]" in after
