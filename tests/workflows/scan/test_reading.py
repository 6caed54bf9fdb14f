"""How a scan is read: by rule and cause, once, and never acceptable where nothing was read."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.text import Text

from buttress.evidence.findings import Finding, Inspection, Severity
from buttress.evidence.locations import Location
from buttress.evidence.places import LocatedFinding
from buttress.inspection.unusable import failed_inspection
from buttress.report.scan_terminal import _ending, _fit, causes, coverage
from buttress.triage.duplicates import without_duplicates
from tests.workflows.scan.command import STRIPE, scan

CODE = "import pickle\nx = pickle.loads(open(input(), 'rb').read())\n"


def finding(
    rule: str, line: int, message: str = "It is.", probe: str = "p", *, severity: Severity = "low",
    references: tuple[str, ...] = (), path: str = "a.py",
) -> LocatedFinding:  # fmt: skip
    where = Location(path, line=line)
    made = Finding(
        rule, severity, "a", str(where), message, "", references, probe=probe, place=where
    )
    return LocatedFinding(made, f"/top/{path}", "", line)


def test_a_line_for_each_cause_with_its_count_and_first_place(tmp_path: Path) -> None:
    for number in range(57):
        (tmp_path / f"m{number:02}.py").write_text(CODE)
    done = scan(tmp_path, "--only", "unsafe-code")
    lines = done.out.splitlines()
    (line,) = [one for one in lines if "[pickle-load]" in one]
    assert line.split()[:2] == ["57×", f"{tmp_path}/m00.py:2"]
    assert "m01.py" not in done.out
    assert len(lines) < 10
    every = scan(tmp_path, "--only", "unsafe-code", "--verbose").out
    assert all(f"m{number:02}.py:2" in every for number in range(57))


def test_many_causes_of_a_rule_become_one_line() -> None:
    found = [finding("r", n, f"Number {'abcdefg'[n % 7]}.").finding for n in range(1, 30)]
    found += [finding("s", n, f"At line {n}.").finding for n in range(1, 4)]
    made = list(causes(found))
    assert [(one.first.rule, one.count, one.others) for one in made] == [
        ("r", 5, 0), ("r", 4, 0), ("r", 4, 0), ("r", 16, 4), ("s", 3, 0),
    ]  # fmt: skip


def test_two_findings_of_one_cause_at_one_line_are_one() -> None:
    weak = ("CWE-798",)
    one = finding("r", 3)
    cases = [
        ([one, finding("r", 3)], ["r"]),
        ([one, finding("r", 4)], ["r", "r"]),
        ([one, finding("r", 3, "Another.")], ["r", "r"]),
        ([one, finding("r", 3, path="b.py")], ["r", "r"]),
        # The same weakness by two probes: the graver one stays.
        (
            [
                finding("r", 3, references=weak),
                finding("s", 3, "Key.", "q", severity="high", references=weak),
            ],
            ["s"],
        ),
        # Two secrets on a line that one probe finds are two.
        (
            [finding("r", 3, references=weak), finding("s", 3, "Key.", references=weak)],
            ["r", "s"],
        ),
        # So are two of one probe beside one of another, in whatever order they come.
        (
            [
                finding("call", 3, probe="code", severity="high", references=weak),
                finding("r", 3, references=weak),
                finding("s", 3, "Key.", references=weak),
            ],
            ["call", "s"],
        ),
        (
            [
                finding("r", 3, references=weak),
                finding("s", 3, "Key.", references=weak),
                finding("call", 3, probe="code", severity="high", references=weak),
            ],
            ["call", "s"],
        ),
        # Another weakness at the same line is another cause.
        (
            [
                finding("r", 3, references=weak),
                finding("call", 3, probe="code", references=("CWE-78",)),
            ],
            ["r", "call"],
        ),
    ]
    for found, kept in cases:
        assert [each.finding.rule for each in without_duplicates(found)] == kept


def test_coverage_in_two_lines() -> None:
    notes = tuple(f"f{number}.bin: larger than 8 MiB" for number in range(12))
    seen = [
        Inspection("a", "1", "x", 3, 1_000_000, (*notes, "b: r2", "c: r3", "d: r4")),
        Inspection("b", "1", "x", 2, 10, notes),
    ]
    first, second = coverage(seen)
    assert first == "Read: 3 files, 1 MB, by 2 probes."
    assert second.startswith("Not read: larger than 8 MiB (12); ")
    assert second.endswith("; one more reason.")
    assert len(list(coverage([Inspection("a", "1", "x", 1, 1)]))) == 1


def test_nothing_read_is_never_acceptable(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.py").write_text("a = 1\n")
    done = scan(tmp_path / "empty")
    assert done.code == 3
    assert "no file of a kind that these probes read" in done.err
    done = scan(tmp_path / "full", "--only", "infrastructure")
    assert done.code == 3
    assert scan(tmp_path / "full").code == 0
    assert scan(tmp_path / "full", tmp_path / "empty").code == 3
    (tmp_path / "full/a.py").write_text(f"key = '{STRIPE}'\n")
    assert scan(tmp_path / "full", tmp_path / "empty").code == 1  # found is more than undecided


def test_what_was_not_searched_can_fail_a_scan(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    with (tmp_path / "notes.py").open("wb") as file:
        file.write(b"# text\n" * 2_000_000)
    assert scan(tmp_path, "--only", "unsafe-code").code == 0
    done = scan(tmp_path, "--only", "unsafe-code", "--fail-on", "high,skipped")
    assert done.code == 3
    assert "not searched: " in done.err
    assert "notes.py" in done.err
    assert scan(tmp_path / "a.py", "--only", "unsafe-code", "--fail-on", "skipped").code == 0


def test_a_scan_for_secrets_alone_fails_from_medium_on(tmp_path: Path) -> None:
    token = "".join(("vR7k", "Q2mX", "9pLw", "T4zB", "8nHs", "D1cY", "6fGj", "W3aE"))
    (tmp_path / "a.py").write_text(f"session_token = '{token}'\n")
    done = scan(tmp_path, "--only", "secrets")
    assert done.code == 1
    assert "[secret-literal]" in done.out
    assert scan(tmp_path, "--only", "secrets", "--fail-on", "skipped").code == 1
    assert scan(tmp_path, "--only", "secrets", "--fail-on", "high").code == 0
    assert scan(tmp_path, "--only", "secrets,unsafe-code").code == 0
    assert scan(tmp_path).code == 0


@pytest.mark.parametrize("value", ["", "grave", "high,low", "skipped,skipped", "high,skipped,x"])
def test_wrong_values_of_fail_on(tmp_path: Path, value: str) -> None:
    with pytest.raises(SystemExit):
        scan(tmp_path, "--fail-on", value)


def test_a_file_that_is_given_twice_is_scanned_once(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    path = folder / "a.py"
    path.write_text(f"key = '{STRIPE}'\n")
    (tmp_path / "same").symlink_to(folder)
    vendored = folder / "node_modules/x.py"
    vendored.parent.mkdir()
    vendored.write_text(f"key = '{STRIPE}'\n")
    for paths, number in (
        ([folder, path], 1),
        ([path, folder], 1),
        ([path, path], 1),
        ([folder, tmp_path / "same"], 1),
        ([folder, tmp_path], 1),
        ([folder, vendored], 2),  # the walk leaves it out, so it is scanned by itself
    ):
        found = scan(*paths, "--only", "secrets", "--json").found
        assert len(found) == number, paths


def test_a_probe_that_failed_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    error = ValueError("a long reason, with (brackets), at line 3")
    failed = failed_inspection("mid", "1", "x", error)
    first, second, third = coverage([Inspection("a", "1", "x", 1, 1, ("f: r",)), failed])
    assert first.startswith("Read: 1 file")
    assert second.startswith("Not inspected by mid: the probe failed (ValueError: a long reason, ")
    assert third == "Not read: r."


def test_of_a_long_place_its_end_is_shown() -> None:
    long = "a/very/long/folder/in/another/folder/deploy.yaml:12"
    assert _ending(long, 30) == "…/folder/deploy.yaml:12"
    assert _ending(long, 31) == "…/another/folder/deploy.yaml:12"
    assert _ending("app.py:3", 30) == "app.py:3"
    assert _ending("x" * 60, 30) == "x" * 60


def test_reasons_that_fit_into_a_line() -> None:
    inspections = [
        Inspection("a", "1", "x", 1, 1, (f"f: {'reason ' * 6}{number}",)) for number in range(3)
    ]
    (read, whole) = coverage(inspections)
    assert whole.count("reason reason") > 1
    (_, cut) = coverage(inspections, 100)
    assert len(cut) <= 100
    assert cut.endswith("; 2 more reasons.")
    assert read.startswith("Read: 1 file")


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("  1× a.py:2  [rule] It is so.", 40, "  1× a.py:2  [rule] It is so."),
        ("  1× a.py:2  [rule] It is something else.", 32, "  1× a.py:2  [rule] It is …"),
        ("  1× a.py:2  [rule] Something", 24, "  1× a.py:2  [rule] Som…"),
        ("  1× a.py:2  [rule] 密码在这里写着", 26, "  1× a.py:2  [rule] 密码 …"),
    ],
)
def test_a_line_is_cut_between_words(text: str, width: int, cut: str) -> None:
    line = Text(text)
    _fit(line, width)
    assert line.plain == cut
    assert line.cell_len <= width
