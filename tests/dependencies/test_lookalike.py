"""Names that imitate: which are found, and that honest ones are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.probes.artifacts.issue import load_yaml
from buttress.probes.dependencies import lookalike as module
from buttress.probes.dependencies.lookalike import lookalike, malicious

DATA = load_yaml(module._DATA / "names.yaml")
LONG = [one for one in DATA["PyPI"] if len(one.replace("-", "")) >= 6 and one.isalpha()]


@pytest.mark.parametrize(
    ("name", "target", "severity"),
    [("transformres", "transformers", "high"), ("transformer", "transformers", "high"),
     ("tensorfow", "tensorflow", "high"), ("t0rch", "torch", "high"), ("numpyy", "numpy", "medium"),
     ("python-torch", "torch", "medium"), ("scikitlearn", "scikit-learn", "medium"),
     ("learn-scikit", "scikit-learn", "medium"), ("1angchain", "langchain", "high"),
     ("hugginface-hub", "huggingface-hub", "high")],
)  # fmt: skip
def test_imitations(name: str, target: str, severity: str) -> None:
    found = lookalike(name, "PyPI")
    assert found is not None
    assert (found.target, found.severity) == (target, severity)


@pytest.mark.parametrize(
    "name",
    ["torch", "scapy", "torchx", "tensorflow2", "keras3", "pytest", "ruff", "tiny", "dataset"],
)
def test_honest_names(name: str) -> None:
    assert lookalike(name, "PyPI") is None


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(LONG),
    place=st.integers(0, 40),
    letter=st.sampled_from("qxzvw"),
    how=st.integers(0, 3),
)
def test_one_slip_in_a_long_name_is_found(name: str, place: int, letter: str, how: int) -> None:
    index = place % (len(name) - 1)
    wrong = [
        name[:index] + letter + name[index:],
        name[:index] + letter + name[index + 1 :],
        name[:index] + name[index + 1 :],
        name[:index] + name[index + 1] + name[index] + name[index + 2 :],
    ][how]
    names = module._names("PyPI")
    if wrong not in names.popular and wrong not in names.allowed:
        assert lookalike(wrong, "PyPI") is not None


@given(name=st.text(max_size=30))
def test_any_text_as_a_name(name: str) -> None:
    lookalike(name, "PyPI")
    lookalike(name, "npm")


def test_data_is_consistent() -> None:
    for ecosystem in ("PyPI", "npm"):
        names = module._names(ecosystem)  # type: ignore[arg-type]
        assert not names.popular & names.allowed
        assert len(names.popular) == len(DATA[ecosystem])
    for one in malicious().values():
        assert one.source
