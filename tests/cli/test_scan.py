"""``buttress scan`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import buttress
from tests.probes.source.samples import sample

STRIPE = sample("sk_live_{base62:24}", 0)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One critical and one medium finding."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/pay.py").write_text(f"import stripe\nstripe.api_key = '{STRIPE}'\n")
    session = sample('SESSION_SECRET = "{base62:32}"', 0)
    (tmp_path / "app/settings.py").write_text(f"{session}\n")
    return tmp_path


def test_the_table(tree: Path) -> None:
    done = buttress("scan", str(tree))
    assert done.returncode == 1
    out = done.stdout
    assert out.index("critical (1)") < out.index("medium (1)")
    for text in (f"1× {tree}/app/pay.py:2  [stripe-key]", f"1× {tree}/app/settings.py:1  [",
                 "1 critical, 1 medium.", "Read: 2 files"):  # fmt: skip
        assert text in out
    everything = buttress("scan", str(tree), "--verbose").stdout
    for text in ("Roll it", "read by secrets: 2 files", "read by model-files: 0 files"):
        assert text in everything
    assert STRIPE not in out + everything


@pytest.mark.parametrize(
    ("level", "code"),
    [("critical", 1), ("high", 1), ("medium", 1), ("info", 1), ("never", 0)],
)
def test_fail_on(tree: Path, level: str, code: int) -> None:
    assert buttress("scan", str(tree), "--fail-on", level).returncode == code


def test_fail_on_is_high_by_default(tree: Path) -> None:
    (tree / "app/pay.py").unlink()
    assert buttress("scan", str(tree)).returncode == 0
    assert buttress("scan", str(tree), "--fail-on", "medium").returncode == 1


def test_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('hello')\n")
    done = buttress("scan", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "No findings." in done.stdout


def test_json_and_only(tree: Path) -> None:
    done = buttress("scan", str(tree / "app"), str(tree / "app"), "--json", "--only", "secrets")
    document = json.loads(done.stdout)
    assert document["schema"] == "buttress-scan/1"
    rows = [(one["rule"], one["severity"], one["location"]) for one in document["findings"]]
    assert rows == [
        ("stripe-key", "critical", "pay.py:2"),
        ("secret-literal", "medium", "settings.py:1"),
    ]
    (covered,) = document["coverage"]["covered"]
    assert (covered["probe"], covered["files"]) == ("secrets", 2)
    assert document["system"]["assets"] == [{"id": covered["asset"], "location": covered["asset"]}]


def test_sarif(tree: Path) -> None:
    file = tree / "findings.sarif"
    assert buttress("scan", str(tree / "app"), "--sarif", str(file)).returncode == 1
    log = json.loads(file.read_text(encoding="utf-8"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [one["ruleId"] for one in run["results"]] == ["stripe-key", "secret-literal"]
    region = run["results"][0]["locations"][0]["physicalLocation"]
    assert region["region"]["startLine"] == 2
    assert region["artifactLocation"]["uri"].endswith("pay.py")
    assert STRIPE not in file.read_text(encoding="utf-8")


def test_a_single_file_and_names_that_steer_terminals(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m[red].py"
    path.write_text(f"'{STRIPE}'\n")
    done = buttress("scan", str(path), "--only", "secrets")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "[red].py" in done.stdout.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no/such/path",), "no/such/path"),
        ((".", "no/such/path"), "no/such/path"),
        (("tests/cli", "--only", "nonsense"), "secrets"),
        (("tests/cli", "--only", "over-refusal"), "asks a model"),
        (("tests/cli", "--only", ","), "--only"),
        (("tests/cli/command.py", "--sarif", "no/such/folder/a.sarif"), "no/such/folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], told: str) -> None:
    done = buttress("scan", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("buttress: error: ")
    assert told in done.stderr


def test_an_unknown_severity_lists_the_valid_ones() -> None:
    done = buttress("scan", ".", "--fail-on", "grave")
    assert done.returncode == 2
    assert "critical" in done.stderr
