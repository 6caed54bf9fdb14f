"""AI-Infra-Guard's rule language: rules of our own, and the original's answers where at hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from os import environ
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.probes.infrastructure.aig import as_written, corrected
from buttress.probes.infrastructure.aig.expression import (
    ADVISORY,
    FINGERPRINT,
    RuleExpressionError,
    parse,
)
from buttress.probes.infrastructure.aig.files import RuleFolder, load
from buttress.probes.infrastructure.aig.lint import lint, lint_file
from buttress.probes.infrastructure.aig.matching import (
    MatchSubject,
    UndefinedComparisonError,
    check_patterns,
    matches,
)
from buttress.probes.infrastructure.aig.ranges import intersection
from buttress.probes.infrastructure.aig.texts import (
    decoded,
    header_text,
    icon_hash,
    icon_path,
    lower,
)
from buttress.probes.infrastructure.aig.version_order import compares, fires
from buttress.probes.infrastructure.versions import VersionRange
from buttress.protocols.live import LiveRequest, Reply
from tests.shared import DATA

ANSWERED = DATA.parent / "aig" if DATA else Path("aig")
needs_answers = pytest.mark.skipif(not ANSWERED.is_dir(), reason="no answers of the original")


def rules_folder() -> Path | None:
    """The rules of the package, where it is installed or named in BUTTRESS_TEST_AIG."""
    if named := environ.get("BUTTRESS_TEST_AIG"):
        return Path(named)
    try:
        return Path(str(distribution("aig-infra-scan").locate_file("aig_infra_scan/data")))
    except PackageNotFoundError:
        return None


needs_rules = pytest.mark.skipif(
    rules_folder() is None or not ANSWERED.is_dir(), reason="needs the package aig-infra-scan"
)


def lines(name: str) -> Iterator[Any]:
    with (ANSWERED / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def answer(expression: str, subject: MatchSubject) -> bool | str:
    try:
        parsed = parse(expression, FINGERPRINT)
        check_patterns(parsed)
        return matches(parsed, subject)
    except UndefinedComparisonError:
        return "undefined"
    except ValueError:
        return "reject"


@needs_answers
def test_every_matcher_is_answered_as_the_original_does() -> None:
    rows = list(lines("matchers.jsonl"))
    wrong = [
        row
        for row in rows
        if answer(row["expr"], MatchSubject(row["body"], row["header"], row["icon"], b""))
        != row["expect"]
    ]
    assert len(rows) == 1_500
    assert wrong == []


@needs_answers
def test_every_pair_of_versions_compares_as_in_the_original() -> None:
    rows = [row for row in lines("versions.jsonl") if isinstance(row, list)]
    wrong = [row for row in rows if compares(*row[:3]) != row[3]]
    assert len(rows) == 12_996
    assert wrong == []


@pytest.fixture(scope="module")
def shipped() -> RuleFolder:
    folder = rules_folder()
    assert folder is not None
    return load(folder)


@needs_rules
def test_all_files_parse(shipped: RuleFolder) -> None:
    folder = rules_folder()
    assert folder is not None
    chinese = load(folder, "zh")
    counts = [
        sum(len(each.advisories(name)) for name in each.advisory_names)
        for each in (shipped, chinese)
    ]
    assert (len(shipped.fingerprints), counts) == (163, [2_581, 2_581])
    assert shipped.problems == []
    assert chinese.problems == []


@needs_rules
def test_pages_are_named_as_by_the_original(shipped: RuleFolder) -> None:
    for row in lines("shipped_fingerprints.jsonl"):

        async def follow(path: str, row: Any = row) -> Reply:
            status, headers, body = row["pages"].get(path, row["otherwise"])
            return Reply(status, tuple(map(tuple, headers)), body.encode())

        async def ask(request: LiveRequest, follow: Any = follow) -> Reply:
            return await follow(request.path)

        hits = asyncio.run(as_written.identify(shipped.fingerprints, ask, follow))
        got = sorted([one.fingerprint.name, one.version] for one in hits)
        assert got == sorted(row["expect"]), row["from"]


@needs_rules
def test_advisories_are_reported_as_by_the_original(shipped: RuleFolder) -> None:
    data = json.loads((ANSWERED / "shipped_advisories.json").read_text("utf-8"))
    asked = 0
    for product, version, expected in data["cases"]:
        every = shipped.advisories(product)
        asked += len(every)
        got = as_written.reported(every, version, "http://127.0.0.1:1")
        names = sorted(one.file.partition("/")[2] for one in got)
        assert names == sorted(data["files"][number] for number in expected), (product, version)
    assert asked == 51_401


@needs_rules
def test_lint_of_the_shipped_rules(shipped: RuleFolder) -> None:
    notes = lint(shipped)
    assert sum("no fingerprint is named" in one.what for one in notes) == 97
    assert any(one.level == "never" and "capitals" in one.what for one in notes)
    assert sum("backslashes" in one.what for one in notes) == 12
    assert any("no version" in one.what and one.level == "weak" for one in notes)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('body="b" || body="x" && body="x"', False),  # left to right, without precedence
        ('body="b" || (body="x" && body="x")', True),
        ('body != "x"', True),  # does not contain
        ('body == "ab"', False),
        ('body == "ABC"', True),  # both sides in lower case
        ('body="\\A"', True),  # a backslash is dropped
        ('body~="^\\w+$"', False),  # also in a regular expression
        ('bodybody="a"', "reject"),
        ('body="a" header="x"', "reject"),
        ('body > "a"', "undefined"),
        ('body="a" || body > "a"', True),  # never evaluated
        ("body='a'", "reject"),
        ('(body="a"', "reject"),
        ('icon="1"', True),  # contained in -1861
        ("", "reject"),
    ],
)
def test_expressions(text: str, value: bool | str) -> None:
    assert answer(text, MatchSubject("aBc", "Server: x\n", -1861)) == value


def test_depth_is_bounded() -> None:
    with pytest.raises(RuleExpressionError, match="brackets inside one another"):
        parse("(" * 5_000 + 'body="a"' + ")" * 5_000, FINGERPRINT)


def test_texts() -> None:
    assert lower("ΑΣ İ") == "ασ i"
    assert decoded(b"\xe4\xbd x \xff", "") == "\ufffd\ufffd x \ufffd"
    assert decoded("你好".encode("gbk"), "text/html; charset=GB2312") == "你好"
    assert header_text([("x-foo-BAR", "1"), ("Set-Cookie", "a"), ("set-cookie", "b")]) == (
        "X-Foo-Bar: 1\nSet-Cookie: a b\n"
    )
    assert icon_path("<link rel='shortcut icon' href=/a.png>") == "/a.png"
    assert icon_path("<p>") == "/favicon.ico"
    assert icon_hash(b"") == -1840324437


def test_ranges_are_intersected() -> None:
    assert intersection(["[1.0,2.0)", ">=1.5.0", "<3"]) == ">=1.5.0,<2.0"
    assert intersection(["(,2]", "<2"]) == "<2"
    assert intersection([">1", "==1.2.3"]) == "=1.2.3"


def test_is_internal_is_true_unless_the_host_is_this_one() -> None:
    rule = parse('is_internal=="true"', ADVISORY)
    assert fires(rule, "1", "http://10.0.0.1")
    assert not fires(rule, "1", "http://localhost:1")


FINGER = """
info: {name: demo, author: me, severity: info, metadata: {product: demo}}
http:
  - method: GET
    path: '/'
    matchers:
      - body="Demo" && body~="^\\s*\\{"
version:
  - method: GET
    path: '/v'
    extractor: {part: body, group: 1, regex: '"v":"([^"]+)"'}
"""


def advisory_text(name: str, cve: str, rule: str) -> str:
    return f"info: {{name: {name}, cve: {cve}, summary: bad, severity: HIGH}}\nrule: '{rule}'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fingerprints").mkdir()
    (tmp_path / "vuln_en" / "demo").mkdir(parents=True)
    (tmp_path / "fingerprints" / "demo.yaml").write_text(FINGER)
    for number, (name, rule) in enumerate(
        [
            ("demo", 'version < "2.0"'),
            ("Demo", 'version >= "1.0" && version < "1.5"'),
            ("demo", 'version < "main"'),
            ("demo", 'version > "2" && version < "1"'),
            ("demo", ""),
            ("other", 'version < "1"'),
        ]
    ):
        (tmp_path / "vuln_en" / "demo" / f"{number}.yaml").write_text(
            advisory_text(name, f"CVE-{number}", rule)
        )
    return tmp_path


def test_one_bad_file_is_told_and_left_out(folder: Path) -> None:
    (folder / "fingerprints" / "bad.yaml").write_text("info: [")
    (folder / "fingerprints" / "worse.yaml").write_text(FINGER.replace('body="Demo"', "body=Demo"))
    loaded = load(folder)
    assert [one.name for one in loaded.fingerprints] == ["demo"]
    assert sorted(one.file for one in loaded.problems) == [
        "fingerprints/bad.yaml",
        "fingerprints/worse.yaml",
    ]


def test_a_folder_without_rules_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--rules"):
        load(tmp_path)


def test_regular_expressions_as_they_were_meant(folder: Path) -> None:
    (one,) = load(folder).fingerprints
    expression = one.http[0].matchers[0].expression
    page = MatchSubject('  {"Demo": 1}', "", 0)
    assert not matches(expression, page)
    assert corrected.matches(expression, page)


def test_three_classes(folder: Path) -> None:
    loaded = load(folder)
    every = [one for name in ("demo", "Demo") for one in loaded.advisories(name)]
    kept, problems = corrected.set_aside(every, "pep440")
    assert sorted(one.what.rpartition(": ")[2] for one in problems) == [
        "'main' is no version",
        "no version can satisfy it",
    ]

    def classes(known: VersionRange) -> tuple[list[str], list[str], int]:
        sorted_ = corrected.sort(kept, known, "pep440")
        return (
            [one.cve for one in sorted_.affected],
            [one.cve for one in sorted_.possibly],
            sorted_.not_affected,
        )

    assert classes(VersionRange.exactly("1.7")) == (["CVE-0"], ["CVE-4"], 1)
    assert classes(VersionRange.exactly("1.2.0")) == (["CVE-0", "CVE-1"], ["CVE-4"], 0)
    assert classes(VersionRange.exactly("2.0")) == ([], ["CVE-4"], 2)
    assert classes(VersionRange()) == ([], ["CVE-0", "CVE-4", "CVE-1"], 0)
    assert classes(VersionRange("1.4", "1.9")) == (["CVE-0"], ["CVE-4", "CVE-1"], 0)
    assert classes(VersionRange("1.5", "3")) == ([], ["CVE-0", "CVE-4"], 1)


@pytest.mark.parametrize(
    ("name", "links", "left"),
    [
        ("demo", ["o/demo", "x/demo-proxy", "x/security-research", ""], [0, 2, 3]),
        ("demo-app", ["o/Demo_App", "o/demo"], [0]),
        ("demo", ["x/demo-proxy", "x/other"], [0, 1]),  # which is its own is not known
        ("demo", ["o/demo", "x/other o/demo"], [0, 1]),
        ("demo", ["o/core", "x/other"], [0]),  # a package of it is named core
    ],
)
def test_advisories_of_other_products_are_set_aside(
    tmp_path: Path, name: str, links: list[str], left: list[int]
) -> None:
    (tmp_path / "fingerprints").mkdir()
    (tmp_path / "vuln_en").mkdir()
    (tmp_path / "fingerprints" / "demo.yaml").write_text(FINGER)
    for number, repositories in enumerate(links):
        text = (
            advisory_text(name, f"CVE-{number}", 'version < "2"') + "references:\n  - https://a.b\n"
        )
        for one in repositories.split():
            text += f"  - https://github.com/{one}/security/advisories/GHSA-aaaa-bbbb-cccc\n"
        (tmp_path / "vuln_en" / f"{number}.yaml").write_text(text)
    loaded = load(tmp_path)
    kept, problems = corrected.set_aside(loaded.advisories(name), "pep440", ["core"])
    assert [one.cve for one in kept] == [f"CVE-{number}" for number in left]
    assert all("is an advisory of x/" in one.what or "o/demo," in one.what for one in problems)
    if "o/core" not in links:
        told = [one for one in lint(loaded) if "is an advisory of" in one.what]
        assert len(told) == len(links) - len(left)


def test_lint_of_one_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    every = lint(load(folder))
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        of_folder = {(one.level, one.what) for one in every if one.file == name}
        alone = {(one.level, one.what) for one in lint_file(path)}
        assert alone == of_folder, name
    lone = tmp_path_factory.mktemp("lone") / "lone.yaml"
    lone.write_text("info: {name: x, cve: C}\nrule: ''\n")
    assert [(one.level, one.what) for one in lint_file(lone)] == [
        ("always", "rule is empty: fires on every version")
    ]
    for text, told in (("info: {name: x}\n", "expected 'http'"), ("- a\n", "expected a mapping")):
        lone.write_text(text)
        (note,) = lint_file(lone)
        assert note.level == "error"
        assert told in note.what
    with pytest.raises(InputError, match="PATH"):
        lint_file(lone.with_name("none.yaml"))


def test_lint_says_what_can_never_fire(folder: Path) -> None:
    told = {(one.level, one.what.rpartition(": ")[2]) for one in lint(load(folder))}
    assert ("weak", "backslashes of the pattern are dropped when it is read") in told
    assert ("never", "no version can satisfy it") in told
    assert ("never", "no fingerprint is named 'Demo'; one is named 'demo'") in told
    assert ("never", "no fingerprint is named 'other'") in told
    assert ("always", "fires on every version") in told
