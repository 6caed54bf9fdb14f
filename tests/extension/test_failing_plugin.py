"""A part that can't be loaded, and a mistake of our own: one line and their own exit codes."""

from __future__ import annotations

import argparse
import sys
from asyncio import CancelledError
from pathlib import Path

import pytest

import buttress.cli.probes  # noqa: F401 (a command to break)
from buttress import extension
from buttress.cli import main as command_line
from buttress.errors import MissingExtraError, PluginError
from buttress.extension import entry_points


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('no licence\\nsecond line')\n")
    (tmp_path / "needy_plugin.py").write_text(
        "from buttress.errors import MissingExtraError\nraise MissingExtraError('it', 'local')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    values = {"broken": "broken_plugin:PROBE", "lacking": "json:PROBE", "needy": "needy_plugin:X"}
    monkeypatch.setattr(entry_points, "names", lambda kind: values)
    monkeypatch.setenv("BUTTRESS_DEBUG", "0")


@pytest.mark.usefixtures("broken")
def test_what_does_not_import_is_named() -> None:
    with pytest.raises(PluginError) as told:
        extension.load("probes", "broken")
    assert str(told.value) == (
        "probe 'broken' (broken_plugin:PROBE) failed (RuntimeError: no licence); "
        "set BUTTRESS_DEBUG=1 to see where"
    )
    with pytest.raises(PluginError, match=r"probe 'lacking' .* failed \(AttributeError"):
        extension.load("probes", "lacking")


@pytest.mark.usefixtures("broken")
def test_a_missing_extra_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError):
        extension.load("probes", "needy")


@pytest.mark.usefixtures("broken")
def test_a_module_that_ends_the_process_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "broken_plugin.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(PluginError, match=r"probe 'broken' .* failed \(SystemExit: 0\)"):
        extension.load("probes", "broken")


def failing(_: argparse.Namespace) -> int:
    raise ZeroDivisionError("one\ntwo")


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit(1), GeneratorExit(), CancelledError()])
def test_no_part_can_end_a_command_with_a_verdict(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(_: argparse.Namespace) -> int:
        raise error

    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    monkeypatch.setattr(sys.modules["buttress.cli.probes"], "run", ended)
    assert command_line.main(["probes"]) == 70
    assert f"internal error: {type(error).__name__}" in capsys.readouterr().err


@pytest.mark.parametrize("debug", ["0", "1"])
def test_an_internal_error_is_no_verdict(
    debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BUTTRESS_DEBUG", debug)
    monkeypatch.setattr(sys.modules["buttress.cli.probes"], "run", failing)
    assert command_line.main(["probes"]) == 70
    told = capsys.readouterr().err
    assert told.endswith(
        "buttress: internal error: ZeroDivisionError: one; "
        "set BUTTRESS_DEBUG=1 to see where, and please report it\n"
    )
    assert ("Traceback" in told) == (debug == "1")
