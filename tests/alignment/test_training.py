"""Training records of a recipe, and a recipe that trains a tiny model."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.workflows.alignment.recipe import Recipe, TrainingRecipe
from buttress.workflows.alignment.training_data import write_training_data

OWN = "Look at what you have, then take it step by step, and ask if you get stuck."


def trial(
    number: int, expect: Any, outcome: float, answer: str = OWN, language: str = "en"
) -> Trial:
    name = f"weapons-{number}/{expect}/{language}"
    return Trial(
        key=name, probe="p", probe_version="1", asset="m", target="t", item=name,
        category="weapons", attack="direct", language=language, expect=expect,
        request=f"request {number}", prompt="", answer=answer, outcome=outcome, score=outcome,
        judge="offline", judge_version="1",
    )  # fmt: skip


SEEN = [
    *(trial(number, "refuse", float(number % 4 > 0)) for number in range(20)),
    *(trial(number, "answer", 0.0) for number in range(10)),
    trial(10, "answer", 1.0, "I can't help with that."),
    trial(11, "answer", 0.0, "and so on and so on " * 20),
]


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_refusals_vary_name_the_reason_and_own_answers_are_kept(tmp_path: Path) -> None:
    files = write_training_data(SEEN, TrainingRecipe(), tmp_path, seed=1, system_prompt="Be kind.")
    assert (files.refusals, files.answers, files.retain) == (20, 10, None)
    rows = records(files.data)
    said = [row["messages"][-1]["content"] for row in rows]
    refusals = [text for text in said if text != OWN]
    assert said.count(OWN) == 10  # neither the refusal nor the loop
    assert len(set(refusals)) > 3
    assert all("weapons" in text for text in refusals)
    assert len({text.split()[0] for text in refusals}) > 3
    assert all(row["messages"][0] == {"role": "system", "content": "Be kind."} for row in rows)
    again = write_training_data(SEEN, TrainingRecipe(), tmp_path, seed=1, system_prompt="Be kind.")
    other = write_training_data(SEEN, TrainingRecipe(), tmp_path, seed=2, system_prompt="Be kind.")
    assert again.digest == files.digest != other.digest


def test_one_opener_and_what_is_to_be_kept(tmp_path: Path) -> None:
    recipe = TrainingRecipe(refusals="one-opener", keep=True)
    files = write_training_data(SEEN, recipe, tmp_path, seed=0)
    said = {row["messages"][-1]["content"].split()[0] for row in records(files.data)}
    assert said == {"Sorry,", "Look"}
    assert files.retain is not None
    assert len(records(files.retain)) == 10
    zh = [trial(number, "refuse", 1.0, language="zh") for number in range(8)]
    files = write_training_data([*zh, *SEEN[20:]], recipe, tmp_path / "zh", seed=0)
    assert any("抱歉" in row["messages"][-1]["content"] for row in records(files.data))


def test_preferences_reject_the_models_own_compliance_some_in_mid_answer(tmp_path: Path) -> None:
    files = write_training_data(SEEN, TrainingRecipe("dpo", mid_answer=0.5), tmp_path, seed=0)
    rows = records(files.data)
    assert (files.refusals, files.answers) == (15, 10)  # five were refused already
    chosen = [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows]
    begun = [good for good, bad in chosen if bad == OWN and good.startswith("Look at what")]
    assert 2 <= len(begun) <= 13
    assert all("No, I have to stop here." in good for good in begun)
    assert sum(good == OWN for good, _ in chosen) == 10


def test_pairs_set_aside_are_not_trained_on(tmp_path: Path) -> None:
    recipe = TrainingRecipe(validate=2)
    files = write_training_data(SEEN, recipe, tmp_path, seed=0)
    assert files.validation is not None
    chosen = records(files.validation)
    aside = {row["prompt"][-1]["content"] for row in chosen}
    trained = {row["messages"][-2]["content"] for row in records(files.data)}
    assert len(aside) == 2
    assert not aside & trained
    assert {row["expect"] for row in chosen} <= {"refuse", "answer"}
    assert 2 <= len(chosen) <= 4  # look-alikes stand aside with their pair
    assert all(row["category"] == "weapons" for row in chosen)
    limited = write_training_data(SEEN, TrainingRecipe(pairs=8), tmp_path / "few", seed=0)
    assert (limited.refusals, limited.answers, limited.validation) == (8, 8, None)


def test_answers_with_labels_for_kto(tmp_path: Path) -> None:
    rows = records(write_training_data(SEEN, TrainingRecipe("kto"), tmp_path, seed=0).data)
    assert len(rows) == 2 * 25
    assert sum(row["label"] for row in rows) == 25
    assert {row["completion"] == OWN for row in rows if not row["label"]} == {True, False}


def test_too_little_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="20 harmful requests and 2 own answers"):
        write_training_data(SEEN[:22], TrainingRecipe(), tmp_path, seed=0)


def test_a_recipe_trains_an_adapter_that_answers(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from buttress.evidence.store import EvidenceStore
    from buttress.workflows import manifest
    from buttress.workflows.alignment.align import explain_training
    from buttress.workflows.alignment.align_request import AlignRequest
    from buttress.workflows.alignment.intervention import InterventionContext, intervene
    from buttress.workflows.alignment.measuring import Measurer
    from buttress.workflows.alignment.requests import HARM, OVER_REFUSAL, measured_requests
    from buttress.workflows.alignment.requests import SEEN as PART
    from buttress.workflows.assessment import sources
    from tests.white_box.tiny import model, tokenizer

    model().save_pretrained(tmp_path / "weights")
    tokenizer().save_pretrained(tmp_path / "weights")
    (tmp_path / "buttress.yaml").write_text(
        "name: tiny\nlanguages: [en]\nassets:\n"
        "  - {id: model, kind: model, weights: weights, max_tokens: 4}\n"
    )
    system = manifest.load(tmp_path)
    requests = measured_requests(system, ("en",), seed=0, pairs=4, ordinary=2)
    baseline = {(HARM, PART): SEEN[:20], (OVER_REFUSAL, PART): SEEN[20:]}
    small = Recipe(
        "small",
        "train",
        train=TrainingRecipe(keep=True, validate=2, settings={"steps": 2, "lora": {"rank": 2}}),
    )
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        measurer = Measurer(system, store, sources.judge(system), "run", 0, 4)
        context = InterventionContext(
            system, system.assets[0], requests, baseline, measurer, tmp_path / "recipes/small",
            0, "cpu", lambda text: None,
        )  # fmt: skip
        made = intervene(small, context)
        again = intervene(small, context)
        assert made.settings == again.settings  # the finished adapter is taken up
        assert made.details["refusals"] == 18
        assert [one["step"] for one in made.details["validation"]["points"]] == [0, 1, 2]
        if find_spec("trl") is not None:
            settings = {"steps": 1, "samples": 2, "batch": 2, "lora": {"rank": 2}}
            by_reward = TrainingRecipe("grpo", settings=settings, reward=settings)
            rewarded = intervene(Recipe("rewarded", "train", train=by_reward), context)
            assert Path(str(rewarded.settings["weights"])).is_dir()
        cells = measurer.measure(
            lambda: made.open(tmp_path), requests, asset="model+small", system_prompt="",
            cells=[(HARM, PART)],
        )  # fmt: skip
    request = AlignRequest([small], tmp_path, device="cpu")
    explain_training(
        tmp_path / "weights", Path(str(made.settings["weights"])), request, lambda text: None
    )
    assert any((tmp_path / "explain").glob("*.html"))
    assert len(cells[HARM, PART]) == 4
    assert all("huggingface:sha256:" in one.target for one in cells[HARM, PART])
