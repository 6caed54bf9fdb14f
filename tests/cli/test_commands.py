"""The command line as a user meets it: help, exit codes, one-line errors."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from buttress.cli.examples import EXAMPLES
from buttress.cli.main import COMMANDS, main, parser
from buttress.cli.parsing import each
from tests.cli.command import buttress

HEAVY = ("torch", "transformers", "numpy", "scipy", "aiohttp", "rich", "jinja2", "yaml", "pyarrow")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = buttress(command, "--help")
    assert done.returncode == 0
    assert f"buttress {command}" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom buttress.cli.main import parser\nparser().format_help()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("assess", "no/such/buttress.yaml"),
        ("scan", "no/such/path"),
        ("report", "no/such/out"),
        ("diff", "no/such/a", "no/such/b"),
        ("evidence", "verify", "no/such.db"),
        ("judge", "calibrate", "--labels", "no/such.jsonl"),
        ("init", "no/such/folder"),
    ],
)
@pytest.mark.slow
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = buttress(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("buttress: error: ")
    assert "no/such" in done.stderr


@pytest.mark.slow
def test_init_writes_once_and_assess_takes_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text("print('hello')\n")
    assert buttress("init", str(tmp_path), "--no-ports").returncode == 0
    again = buttress("init", str(tmp_path), "--no-ports")
    assert again.returncode == 2
    assert "--force" in again.stderr
    done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no model was asked" in done.stderr
    assert (tmp_path / "out/report.html").is_file()


@pytest.mark.slow
def test_an_empty_folder_is_undecided(tmp_path: Path) -> None:
    assert buttress("init", str(tmp_path), "--no-ports").returncode == 0
    done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("buttress: undecided: nothing could be assessed")


@pytest.mark.slow
def test_a_recording_that_does_not_say_what_is_right_is_a_comment(tmp_path: Path) -> None:
    (tmp_path / "rec.jsonl").write_text('{"prompt": "a", "response": "b"}\n')
    (tmp_path / "main.py").write_text("print('hello')\n")
    assert "as a comment" in buttress("init", str(tmp_path), "--no-ports").stdout
    assert "#   expect: refuse" in (tmp_path / "buttress.yaml").read_text()
    done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"), "--budget", "10")
    assert done.returncode == 3, done.stdout + done.stderr


@pytest.mark.parametrize("what", [(), ("--attacks",), ("--sets",)])
@pytest.mark.slow
def test_probes_lists(what: tuple[str, ...]) -> None:
    done = buttress("probes", *what)
    assert done.returncode == 0
    name = {(): "harmful-compliance", ("--attacks",): "role-play", ("--sets",): "advbench"}[what]
    assert name in done.stdout


def test_a_failed_import_leaves_no_store(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{}\n")
    store = tmp_path / "new.db"
    for source in ("bad.jsonl", "missing.jsonl"):
        done = buttress("evidence", "import", str(tmp_path / source), "--to", str(store))
        assert done.returncode == 2
        assert source in done.stderr
        assert not store.exists()


def test_no_command_shows_the_help_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2  # `buttress $COMMAND` with nothing in it must not pass in CI
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(command in shown.out for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("asess", "shop"), "did you mean assess?"),
        (("assess", "shop", "--bugdet", "5"), "did you mean --budget?"),
        (("evidence", "verfy", "out"), "did you mean verify?"),
        (("judge", "label", "out", "--labeler=me"), "did you mean --labeller?"),
        (("scan", ".", "--fail-on", "hihg"), "did you mean high?"),
        (("zzz",), "expected one of init, assess"),
    ],
)
def test_a_typo_gets_a_suggestion_in_one_line(
    arguments: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("buttress: error: ")
    assert told.count("\n") == 1
    assert hint in told


def test_every_help_has_an_example_that_parses() -> None:
    top = parser()
    commands = {one.prog.removeprefix("buttress").strip(): one for one in each(top)}
    assert set(EXAMPLES) == set(commands), "cli/examples.py and the commands differ"
    for name, examples in EXAMPLES.items():
        assert examples
        assert examples[0] in commands[name].format_help()
        for example in examples:
            words = shlex.split(example.partition(" > ")[0], comments=True)
            assert words[0] == "buttress"
            assert " ".join(words[1:]).startswith(name)
            top.parse_args([word.replace("5d3a2f", "5d" * 32) for word in words[1:]])


def test_every_command_and_argument_says_what_it_is() -> None:
    for one in each(parser()):
        assert one.description, one.prog
        for action in one._actions:
            if not isinstance(action, argparse._SubParsersAction):
                named = action.option_strings or action.metavar
                assert action.help, f"{one.prog} {named}"
                assert len(action.help) >= 12, f"{one.prog} {named}: {action.help}"
                assert not action.help.startswith(("of ", "at most", "by which", "default:"))


@pytest.mark.parametrize("arguments", [("scan", "."), ("probes",)])
def test_a_reader_that_goes_away_is_no_verdict(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    lines = "".join(f"x{n} = eval(input())\n" for n in range(2_000))
    (tmp_path / "app.py").write_text(lines)
    command = [sys.executable, "-m", "buttress", *arguments]
    with subprocess.Popen(
        [*command, "--verbose"] if arguments[0] == "scan" else command,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141
