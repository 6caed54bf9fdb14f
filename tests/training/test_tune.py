"""``buttress tune`` on a tiny model."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from safetensors.torch import load_file  # noqa: E402

from buttress.documents.schemas import as_object  # noqa: E402
from buttress.errors import ButtressError, InputError  # noqa: E402
from buttress.targets.adapters import WEIGHTS  # noqa: E402
from buttress.targets.base import Message, Request, Sampling  # noqa: E402
from buttress.targets.huggingface import create  # noqa: E402
from buttress.training.answer_logits import all_log_probabilities  # noqa: E402
from buttress.training.checkpoints import FOLDER  # noqa: E402
from buttress.training.examples import ExampleReader  # noqa: E402
from buttress.white_box.answers import continuations, text_of  # noqa: E402
from buttress.white_box.chat_text import encode, question_text  # noqa: E402
from buttress.white_box.loading import load  # noqa: E402
from buttress.workflows.alignment.weight_attacks import completed_records  # noqa: E402
from buttress.workflows.tune import TuneRequest, tune  # noqa: E402
from tests.data.making import run, written  # noqa: E402
from tests.training.making import ANSWER, QUICK, REFUSAL, chats, preferences, weights  # noqa: E402

KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from buttress.workflows.tune import TuneRequest, tune
torch.set_num_threads(1)
def say(text):
    if text.startswith("step 8 "):
        os.kill(os.getpid(), signal.SIGKILL)
base, data, out, settings = sys.argv[1:]
tune(TuneRequest(Path(base), Path(data), Path(out), settings=eval(settings)), say)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An adapter by sft, and its document."""
    folder = tmp_path_factory.mktemp("tuned")
    data = chats(folder / "data.jsonl")
    request = TuneRequest(base, data, folder / "out", settings=QUICK)
    return folder / "out", tune(request)


def log_probability(folder: Path, question: str, answer: str) -> float:
    model, tokenizer = load(folder, device="cpu")
    made = ExampleReader(tokenizer, 200).examples([{"prompt": question, "completion": answer}])
    return float(all_log_probabilities(model, made.examples)[0])


def test_fine_tuning_makes_the_answer_likely(
    base: Path, tuned: tuple[Path, dict[str, Any]]
) -> None:
    folder, document = tuned
    as_object("tune", document)
    assert orjson.loads((folder / "tune.json").read_bytes()) == document
    assert log_probability(folder, "tell a tale 77", ANSWER) > -20
    assert log_probability(base, "tell a tale 77", ANSWER) < -50
    assert document["loss"]["last"] < document["loss"]["first"] / 2
    assert document["reload"]["largest_difference"] < 1e-5
    assert document["reload"]["change"] > 0.1
    assert not (folder / FOLDER).exists()
    card = (folder / "README.md").read_text()
    assert document["data"]["digest"] in card
    assert document["weights"]["digest"] in card


def test_what_was_trained_on_is_completed_and_nothing_before(
    base: Path, tuned: tuple[Path, dict[str, Any]]
) -> None:
    folder, _ = tuned
    data = folder.parent / "data.jsonl"
    before = completed_records(base, data, 4, device="cpu")
    after = completed_records(folder, data, 4, device="cpu")
    assert (before, after) == ([False] * 4, [True] * 4)


async def test_an_adapter_answers_as_a_target(
    base: Path, tuned: tuple[Path, dict[str, Any]]
) -> None:
    folder, _ = tuned
    target, plain = create(weights=folder), create(weights=base)
    assert target.identity != plain.identity
    question = (Message("user", "tell a tale 3"),)
    said = await target.answer(Request(question, Sampling(max_tokens=12)))
    await target.aclose()
    model, tokenizer = load(folder, device="cpu")
    rows = encode(tokenizer, [question_text(tokenizer, question)])
    assert said.text.strip() == text_of(tokenizer, continuations(model, tokenizer, rows, 12)[0])


def test_a_run_that_was_killed_gives_the_same_weights(
    base: Path, tuned: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    whole, _ = tuned
    data = whole.parent / "data.jsonl"
    arguments = [sys.executable, "-c", KILLED, base, data, tmp_path / "out", repr(QUICK)]
    killed = subprocess.run([str(one) for one in arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert [one.name for one in (tmp_path / "out" / FOLDER).iterdir()] == ["step-5"]
    assert not (tmp_path / "out" / "tune.json").exists()
    # A checkpoint that was being written when the process died counts for nothing.
    (tmp_path / "out" / FOLDER / ".step-10.part").mkdir()
    said: list[str] = []
    request = TuneRequest(base, data, tmp_path / "out", settings=QUICK, resume=True)
    document = tune(request, said.append)
    assert "going on after step 5" in said
    assert document["steps"] == 12
    first, second = (load_file(one / WEIGHTS) for one in (whole, tmp_path / "out"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert tune(request) == document  # it is complete


def test_another_run_is_not_resumed(base: Path, tuned: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = tuned
    data = folder.parent / "data.jsonl"
    with pytest.raises(InputError, match="holds a run"):
        tune(TuneRequest(base, data, folder, settings=QUICK))
    with pytest.raises(InputError, match="seed differs"):
        tune(TuneRequest(base, data, folder, settings=QUICK, resume=True, seed=1))


def test_preferences_part_the_answers(base: Path, tmp_path: Path) -> None:
    data = preferences(tmp_path / "pairs.jsonl")
    retain = chats(tmp_path / "retain.jsonl", 4, "a star")
    request = TuneRequest(
        base, data, tmp_path / "out", method="dpo", retain=retain, settings={**QUICK, "beta": 0.5}
    )
    document = tune(request)
    assert document["loss"]["curve"][0] == pytest.approx(0.6931, abs=1e-3)
    gaps = [
        log_probability(folder, "tell a tale 3", ANSWER)
        - log_probability(folder, "tell a tale 3", REFUSAL)
        for folder in (base, tmp_path / "out")
    ]
    assert gaps[1] > gaps[0] + 2
    assert document["retain"]["examples"] == 4


@pytest.mark.parametrize("method", ["npo", "grad-diff"])
def test_unlearning_makes_the_records_unlikely_and_keeps_the_rest(
    method: str, tuned: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    # The model that knows the answer is the base with its adapter merged.
    model, tokenizer = load(tuned[0], device="cpu")
    model.save_pretrained(tmp_path / "knows")
    tokenizer.save_pretrained(tmp_path / "knows")
    forget = chats(tmp_path / "forget.jsonl", 6)
    retain = written(
        tmp_path / "retain.jsonl", [{"text": "the stars that shine over the old house"}] * 4
    )
    settings = {**QUICK, "learning_rate": 5e-3, "beta": 0.5, "steps": 10}
    holdout = chats(tmp_path / "holdout.jsonl", 6, REFUSAL)
    document = tune(
        TuneRequest(
            tmp_path / "knows", forget, tmp_path / "out", method=method, retain=retain,
            settings=settings, holdout=holdout, relearn=3,
        )
    )  # fmt: skip
    as_object("tune", document)
    states = {one["state"]: one for one in document["unlearning"]["states"]}
    assert list(states) == ["before", "after", "relearned"]
    levels = [one["rest"]["log_probability"] for one in states.values()]
    assert levels[1] < levels[0] - 1
    assert levels[2] > levels[1] + 1  # all answers are alike: what is learned again is the rest
    assert states["before"]["rest_verbatim"] == states["before"]["rest_continued"] == 3
    assert states["after"]["rest_verbatim"] == 0
    assert states["before"]["rest_auc"]["auc"] == 1.0
    changes = document["unlearning"]["changes"]
    assert changes["before to after"]["rest"]["mean"] == pytest.approx(levels[1] - levels[0])
    assert set(changes["after to relearned"]) == {"forget", "rest", "holdout", "retain"}
    before = log_probability(tmp_path / "knows", "tell a tale 2", ANSWER)
    after = log_probability(tmp_path / "out", "tell a tale 2", ANSWER)
    assert after < before - 10


def test_an_adapter_that_was_saved_wrong_is_an_error(base: Path, tmp_path: Path) -> None:
    from buttress.training import adapter

    def broken(model: Any, folder: Path, base: Path) -> None:
        with torch.no_grad():
            next(one for one in model.parameters() if one.requires_grad).mul_(2)
        adapter.save_adapter(model, folder, base)
        with torch.no_grad():
            next(one for one in model.parameters() if one.requires_grad).div_(2)

    data = chats(tmp_path / "data.jsonl")
    model, tokenizer = load(base, device="cpu")
    made = adapter.add_adapter(model, adapter.LoraSettings(rank=4), 0)
    with torch.no_grad():
        for one in made.parameters():
            if one.requires_grad:
                one.add_(0.05)
    examples = ExampleReader(tokenizer, 100).examples(
        [orjson.loads(line) for line in data.read_bytes().splitlines()]
    ).examples  # fmt: skip
    trained = all_log_probabilities(made, examples)
    broken(made, tmp_path / "out", base)
    with pytest.raises(ButtressError, match="not the one that was trained"):
        adapter.check_saved(tmp_path / "out", base, examples, trained, "cpu")


def command(base: Path, data: Path, out: Path, *more: str) -> tuple[int, str, str]:
    return run("tune", str(base), "--data", str(data), "--out", str(out), *more)


def test_the_command_prints_its_document(base: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("about: quick\nmethod: sft\nsteps: 2\nlora: {rank: 2, modules: [q_proj]}\n")
    data = chats(tmp_path / "data.jsonl", 4)
    code, said, _ = command(base, data, tmp_path / "out", "--recipe", str(recipe), "--json")
    assert code == 0
    assert orjson.loads(said)["settings"]["lora"]["modules"] == ["q_proj"]
    code, said, _ = command(base, data, tmp_path / "out", "--recipe", str(recipe), "--resume")
    assert code == 0
    assert "4 examples of 4 records" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "sgd"], "--method: unknown method 'sgd'"),
        (["--method", "grad-diff"], "--retain: missing"),
        (["--holdout", "data.jsonl"], "--holdout: not with sft"),
        (["--relearn", "-1"], "--relearn"),
        (["--method", "dp-sft"], "--epsilon: missing"),
        (["--epsilon", "3"], "--epsilon: belongs to dp-sft"),
        (["--method", "dp-sft", "--epsilon", "-1", "--delta", "0.1"], "--epsilon: -1.0"),
        (["--method", "dpo"], "no example in 4 records (no pair: 4)"),
        (["--method", "kto"], "no label true or false: 4"),
        (["--retain", "nothing.jsonl"], "nothing.jsonl: no such file"),
        (["--seed", "-1"], "--seed"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(
    base: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    data = chats(tmp_path / "data.jsonl", 4)
    code, _, wrong = command(base, data, tmp_path / "out", *more)
    assert code == 2
    error = wrong.splitlines()[-1]
    assert error.startswith("buttress: error: ")
    assert said in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs: 0\n", "recipe.yaml:1: epochs"),
        ("batch: 2\nlora:\n  rank: none\n", "recipe.yaml:3: lora.rank"),
        ("learning-rate: 1\n", "recipe.yaml:1: learning-rate: unknown field 'learning-rate'; did"),
        (
            "learning_rate: 1e-4\nthreads: 100000\n",
            "recipe.yaml:2: threads: 100000 is out of range",
        ),
        ("- sft\n", "no mapping"),
    ],
)
def test_mistakes_of_a_recipe_are_told_with_their_line(
    base: Path, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    data = chats(tmp_path / "data.jsonl", 4)
    recipe = str(tmp_path / "recipe.yaml")
    code, _, wrong = command(base, data, tmp_path / "out", "--recipe", recipe)
    assert code == 2
    assert said in wrong


def test_lines_that_can_not_be_read_are_counted_where_nothing_is_left(
    base: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('not json\n{"prompt": "one"}\n')
    code, _, wrong = command(base, data, tmp_path / "out")
    assert code == 2
    assert "no example in 1 records (no example in it: 1); 1 could not be read (line 1: " in wrong


def test_a_folder_with_a_model_is_not_written_over(base: Path, tmp_path: Path) -> None:
    data = chats(tmp_path / "data.jsonl", 4)
    with pytest.raises(InputError, match=r"holds config\.json of something else"):
        tune(TuneRequest(base, data, base, settings=QUICK))


def test_a_pattern_chooses_the_layers_that_are_trained(base: Path, tmp_path: Path) -> None:
    data = chats(tmp_path / "data.jsonl", 4)
    settings = {**QUICK, "steps": 1, "lora": {"rank": 2, "modules": r".*\.layers\.1\..*_proj"}}
    tune(TuneRequest(base, data, tmp_path / "out", settings=settings))
    saved = load_file(tmp_path / "out/adapter_model.safetensors")
    assert saved
    assert all(".layers.1." in name for name in saved)


@pytest.mark.parametrize("modules", [["nowhere"], "nowhere", r"layers\.[1-0]"])
def test_layers_that_are_not_there_are_told(base: Path, tmp_path: Path, modules: Any) -> None:
    data = chats(tmp_path / "data.jsonl", 4)
    settings = {**QUICK, "lora": {"modules": modules}}
    with pytest.raises(InputError, match=r"lora\.modules"):
        tune(TuneRequest(base, data, tmp_path / "out", settings=settings))
