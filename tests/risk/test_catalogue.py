"""The catalogue is complete and valid, files over it work, and errors name file, line and field."""

from __future__ import annotations

import re
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress import extension
from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.risk import editing, schemas
from buttress.risk.catalogue import SEVERITY_LABELS, load_catalogue
from buttress.risk.policy import load_policy, policy_names
from buttress.standards.crosswalk import load_standards

RISKS = load_catalogue().risks
ONE: dict[str, Any] = {
    "id": "mine",
    "title": "Mine",
    "scenario": "Something happens.",
    "harm": "somebody",
    "severity": {"level": 3, "loss": {"median": 10, "p95": 100}},
    "frequency": {"per_year": [1, 2]},
    "barriers": [{"id": "b", "title": "B", "failure": [0.1, 0.2]}],
}


def load(text: str, folder: Path) -> Any:
    (folder / "risks.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    return load_catalogue(folder / "risks.yaml")


def changed(*path: str | int, to: Any) -> str:
    data = yaml.safe_load(yaml.safe_dump({"risks": [ONE]}))
    place = data["risks"][0]
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return yaml.safe_dump(data)


def test_the_catalogue_is_large_and_every_risk_complete() -> None:
    assert len(RISKS) >= 20
    standards = load_standards()
    for risk in RISKS.values():
        assert re.fullmatch(r"[a-z0-9-]+", risk.id)
        assert all((risk.title, risk.scenario, risk.actor, risk.harm, risk.why, risk.remedies))
        assert risk.level in SEVERITY_LABELS
        assert 0 < risk.loss[0] < risk.loss[1]
        assert (risk.per_request is None) != (risk.per_year is None)
        low, high = risk.per_request or risk.per_year or (0, 0)
        assert 0 < low < high
        assert risk.per_year or high <= 1
        for barrier in risk.barriers:
            assert 0 < barrier.failure[0] < barrier.failure[1] < 1
        assert risk.standards
        for standard, item in risk.standards:
            assert item in standards[standard].items


# Controls, profiles and twins under a defence: for `buttress measure`, beside the one that counts.
COMPANIONS = {
    "agent-hijack-defended", "agent-task", "agent-task-benign", "agent-task-defended",
    "indirect-injection-defended", "injection-utility", "injection-utility-benign",
    "injection-utility-defended", "mcp-tool-task", "moral-foundations", "sycophancy-control",
    "verbatim-extraction-control",
}  # fmt: skip


def test_every_probe_informs_a_risk_and_every_probe_named_exists() -> None:
    probes = {*extension.names("probes"), *extension.names("live_probes")}
    named = {barrier.probe for risk in RISKS.values() for barrier in risk.barriers} - {None}
    assert named == probes - COMPANIONS
    assert probes >= COMPANIONS


def test_every_limit_belongs_to_a_risk_that_a_probe_informs() -> None:
    for name in policy_names():
        for risk in load_policy(name, RISKS).risks:
            assert RISKS[risk].probe is not None


def test_inspection_priors_rise_with_severity() -> None:
    priors = list(load_catalogue().inspection.values())
    assert list(load_catalogue().inspection) == [
        "info", "low", "medium", "high", "critical"
    ]  # fmt: skip
    assert priors == sorted(priors)


def test_the_files_of_the_package_are_as_their_schema_says() -> None:
    home = resources.files("buttress.risk")
    files = [*home.joinpath("catalogue").iterdir(), home.joinpath("priors.yaml")]
    assert len(files) >= 5
    for file in files:
        schemas.check(
            located_yaml.parse(file.read_text(encoding="utf-8"), file.name), schemas.RISKS
        )


@pytest.mark.parametrize("name", RISKS)
def test_what_is_shown_can_be_copied_and_loads_back(name: str, tmp_path: Path) -> None:
    catalogue = load(editing.write([RISKS[name]]), tmp_path)
    assert catalogue.risks == RISKS
    assert list(catalogue.risks) == list(RISKS)
    alone = yaml.safe_load(editing.write([RISKS[name]]))
    assert list(alone) == ["risks"]


def test_a_file_replaces_and_adds(tmp_path: Path) -> None:
    text = editing.write([RISKS["over-refusal"]]).replace("level: 2", "level: 5")
    (tmp_path / "a.yaml").write_text(text + "inspection: {clean: [0.2, 0.3]}\ncurrency: CNY\n")
    (tmp_path / "b.yaml").write_text(yaml.safe_dump({"risks": [ONE]}))
    (tmp_path / "notes.txt").write_text("not: [read")
    catalogue = load_catalogue(tmp_path)
    assert catalogue.risks["over-refusal"].level == 5
    assert catalogue.risks["mine"].loss == (10.0, 100.0)
    assert catalogue.risks["mine"].probe is None
    assert catalogue.risks["mine"].remedies == ()
    assert len(catalogue.risks) == len(RISKS) + 1
    assert catalogue.inspection["clean"] == (0.2, 0.3)
    assert catalogue.inspection["high"] == load_catalogue().inspection["high"]
    assert catalogue.currency == "CNY"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (changed("harm", to=None), 2, "risks[0]: 'harm' is missing"),
        (changed("severity", "level", to=7), 13, "risks[0].severity.level: '7' is not valid"),
        (changed("barriers", 0, "failure", to=[0.3, 0.2]), 3, "failure: [0.3, 0.2] is upside down"),
        (changed("barriers", 0, "failure", to=[0.3, 1]), 4, "failure[1]: 1 is out of range"),
        (changed("frequency", to={"per_request": [0.1, 1.5]}), 11, "per_request[1]: 1.5 is out of"),
        (changed("frequency", to={"per_week": [1, 2]}), 10, "unknown field 'per_week'"),
        (changed("frequency", to={}), 9, "risks[0].frequency"),
        (changed("severity", "loss", "p95", to=9), 16, "loss.p95: below the median"),
        (changed("standards", to={"iso-1": ["x"]}), 20, "unknown standard; expected one of owasp"),
        (changed("standards", to={"cwe": ["CWE-1"]}), 20, "no item 'CWE-1'; expected one of CWE-"),
        (changed("id", to="Not An Id"), 10, "risks[0].id"),
        ("risks:\n  - id: [", 2, "not valid YAML"),
        ("risks: 5\n", 1, "risks: 5 is not valid; expected a list"),
        ("", None, "an empty value is not valid"),
        ("- a\n", 1, "expected a mapping"),
        ("currency: .nan\n", 1, "currency"),
        ("inspection: {clean: [.nan, 0.5]}\n", 1, "inspection.clean[0]: nan is not valid"),
        ("inspection: {worst: [0.1, 0.5]}\n", 1, "unknown field 'worst'"),
        (
            changed("frequency", "per_year", to=[1, float("inf")]),
            11,
            "per_year[1]: inf is not valid",
        ),
        (changed("severity", "loss", "p95", to=10**400), 16, "p95: a whole number of more than 64"),
        (changed("barriers", to=[ONE["barriers"][0]] * 2), None, "'b' is given twice"),
        (yaml.safe_dump({"risks": [ONE, ONE]}), None, "'mine' is given twice"),
    ],
)
def test_errors_name_file_line_and_field(
    text: str, line: int | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as told:
        load(text, tmp_path)
    message = str(told.value)
    assert message.startswith(str(tmp_path / "risks.yaml"))
    assert said in message
    assert "\n" not in message
    if line is not None:
        number = int(message.removeprefix(str(tmp_path / "risks.yaml:")).split(":")[0])
        assert abs(number - line) <= 8
        assert told.value.line == number


def test_missing_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_catalogue(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match=r"no \*\.yaml in it"):
        load_catalogue(tmp_path)


def test_the_examples_in_the_docs_load(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs/risk-model.md"
    risks, policy = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    catalogue = load(risks, tmp_path)
    assert catalogue.risks["prompt-injection"].per_year == (0.5, 6.0)
    assert catalogue.inspection["critical"] == (0.7, 0.99)
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    found = load_policy(str(tmp_path / "policy.yaml"), catalogue.risks)
    assert found.risks["harmful-compliance"].alpha == 0.01
    assert found.risks["prompt-injection"].limit == 0.15


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NESTED = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_risk_with_anything_in_any_place_loads_or_is_told(data: st.DataObject) -> None:
    risk = yaml.safe_load(yaml.safe_dump(ONE))
    place: Any = risk
    while True:
        key = data.draw(
            st.sampled_from(list(range(len(place)) if isinstance(place, list) else place))
        )
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(NESTED)
    check(yaml.safe_dump({"risks": [risk]}, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80) | st.dictionaries(st.sampled_from(
    ["risks", "currency", "inspection", "x"]), NESTED).map(yaml.safe_dump))  # fmt: skip
def test_any_text_loads_or_is_told(text: str) -> None:
    check(text)


def check(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "risks.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            catalogue = load_catalogue(path)
        except InputError as error:
            told = str(error)
            assert told.startswith(str(path))
            assert "\n" not in told
        else:
            assert set(RISKS) <= set(catalogue.risks)
            written = editing.write(catalogue.risks.values())
            path.write_text(written, encoding="utf-8")
            assert load_catalogue(path).risks == catalogue.risks


_JUDGEMENT = re.compile(r"Judgement of \S.+?, [A-Z][a-z]+ 20\d\d: \S.{40,}", re.DOTALL)
_SOURCE = re.compile(r"https?://|arXiv:|doi:|ISO|NIST|NUREG|docs/|benchmarks/")


def said(basis: str) -> bool:
    """Whether it names a source, or who judged, when and how."""
    return bool(_JUDGEMENT.search(basis) or _SOURCE.search(basis))


def test_every_prior_has_a_source_or_says_who_judged_it_when_and_how() -> None:
    assert not said("Judgement of Buttress's maintainers.")
    assert not said("Judgement of somebody, November 2026: so.")
    catalogue = load_catalogue()
    assert [risk.id for risk in catalogue.risks.values() if not said(risk.basis)] == []
    home = resources.files("buttress.risk")
    priors = yaml.safe_load(home.joinpath("priors.yaml").read_text(encoding="utf-8"))
    assert said(priors["basis"])
    for name, scanner in catalogue.model.scanners.items():
        assert said(scanner.source) or "judgement of Buttress's maintainers, November 2026" in (
            scanner.source
        ), name
