"""Folders of adapters that are not whole: one line says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.targets.adapters import CONFIG, WEIGHTS, base_of, holds_model


def adapter(folder: Path, base: str | None) -> Path:
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(b"")
    if base is not None:
        (folder / CONFIG).write_text(json.dumps({"base_model_name_or_path": base}))
    return folder


def test_weights_without_a_configuration_are_told_as_such(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "adapter", None)
    assert holds_model(folder)
    with pytest.raises(InputError, match=f"adapter: an adapter without its .*{CONFIG} beside"):
        base_of(folder)
    (folder / "config.json").write_text("{}")  # a whole model beside it
    assert base_of(folder) is None


def test_an_adapter_over_an_adapter_is_told_as_such(tmp_path: Path) -> None:
    adapter(tmp_path / "first", "/none")
    second = adapter(tmp_path / "second", "../first")
    with pytest.raises(
        InputError, match=r"'../first' is an adapter itself; expected .* whole model"
    ):
        base_of(second)


@pytest.mark.parametrize(
    "command", [("explain", "--prompt", "Why?"), ("whitebox", "--method", "prefill"),
                ("oversee", "direct", "--task", "honesty", "--worker", "HERE", "--overseer")]
)  # fmt: skip
def test_each_command_names_what_is_missing(
    tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(adapter(tmp_path / "adapter", None))
    name, *more = [folder if one == "HERE" else one for one in command]
    given = [name, *more, folder] if name == "oversee" else [name, folder, *more]
    assert main([*given, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "an adapter without its configuration" in said.splitlines()[-1]
