"""Recipes by name and from files; mistakes are named with their field."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.workflows.alignment.recipe import load_recipe, load_recipes, shipped_recipes


def test_all_shipped_recipes_load_and_say_what_they_do() -> None:
    assert {"gate", "sft-varied", "sft-one-opener", "dpo-varied"} <= set(shipped_recipes())
    for name in shipped_recipes():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: mine\nkind: gat\n", r"mine.yaml:2: kind: 'gat' is not valid; expected one of gate"),
        ("name: My\nkind: gate\n", r"mine.yaml:1: name: .*expected lower-case letters"),
        ("name: mine\nkind: gate\nfalse_alarm: 0.1\n", r"mine.yaml:3: .*mean 'false_alarms'\?"),
        ("name: mine\nkind: gate\nfalse_alarms: 2\n", "false_alarms: 2 is out of range"),
        ("name: mine\nkind: steering\nstrengths: []\n", "strengths: .*expected one or more"),
        ("name: mine\nkind: train\n", "train: missing"),
        ("name: mine\nkind: gate\ntrain: {method: sft}\n", "train: is of no use here"),
        ("name: mine\nkind: train\ntrain: {method: ppo}\n", r"train.method: 'ppo' is not valid"),
        (
            "name: mine\nkind: train\ntrain:\n  settings:\n    lora: {rnk: 4}\n",
            r"mine.yaml:5: train.settings.lora.rnk: .*did you mean 'rank'\?",
        ),
        (
            "name: mine\nkind: train\ntrain:\n  reward: {epochs: 0}\n",
            "mine.yaml:4: train.reward.epochs: 0 is out of range",
        ),
        ("- a\n", "expected a mapping"),
        ("name: [\n", r"mine.yaml:\d+: "),
        ("name: a\nname: b\n", r"mine.yaml:2: "),
    ],
)
def test_a_file_with_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_recipe(str(file))


def test_numbers_with_an_exponent_need_no_point(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\nkind: train\ntrain:\n  settings: {learning_rate: 1e-4, clip: 2.5E+1}\n"
    )
    recipe = load_recipe(str(file))
    assert recipe.train is not None
    assert recipe.train.settings == {"learning_rate": 1e-4, "clip": 25.0}


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown recipe 'gates'.*expected one of dpo-varied"):
        load_recipe("gates")
    with pytest.raises(InputError, match=r"No such file"):
        load_recipe(str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match=r"'gate' stands twice"):
        load_recipes(["gate", "gate"])
