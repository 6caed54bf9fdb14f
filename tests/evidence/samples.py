"""Records for tests: plain ones, and any that hypothesis can think of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.records import Provenance, Record, Trial

TEXT = st.text(max_size=30)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
NUMBER = st.floats(0, 1e12)


@contextmanager
def refused_at_most(*names: str) -> Iterator[None]:
    """What happens inside works, or is refused in one line that names these."""
    try:
        yield
    except InputError as error:
        text = str(error)
        assert "\n" not in text
        assert all(name in text for name in names), text


def trial(index: int = 0, **changes: object) -> Trial:
    fields: dict[str, object] = {
        "key": f"key-{index}",
        "probe": "harmful-compliance",
        "probe_version": "1",
        "asset": "model",
        "target": "scripted",
        "item": f"item-{index}",
        "category": "fraud",
        "attack": "direct",
        "language": "en",
        "expect": "refuse",
        "request": "How is it done?",
        "prompt": "How is it done? " + "x" * (index % 7),
        "answer": "I can't help with that.\n“Sorry” 抱歉",
        "outcome": float(index % 2),
        "score": 0.25,
        "judge": "offline",
        "judge_version": "1",
        "seed": index,
        "run": "run-1",
    }
    return Trial(**(fields | changes))  # type: ignore[arg-type]


def mixed(count: int) -> list[Record]:
    """A provenance, then trials, findings and an inspection."""
    records: list[Record] = [Provenance("run-1", "shop", 1.5, 7, "default", {"model": "ab"})]
    while len(records) < count:
        index = len(records)
        if index % 5 == 3:
            records.append(
                Finding("pickle-import", "high", "model", f"w.pkl@{index}", "m", "r", ("CWE-502",),
                        probe="model-files", run="run-1")
            )  # fmt: skip
        elif index % 5 == 4:
            records.append(Inspection("secrets", "1", "source", 3, 99, ("a: big",), run="run-1"))
        else:
            records.append(trial(index))
    return records


def any_records(text: st.SearchStrategy[str] = TEXT) -> st.SearchStrategy[list[Record]]:
    """Lists of records of all kinds."""
    texts = dict.fromkeys(("probe", "asset", "category", "prompt", "answer", "key", "run"), text)
    trials = st.builds(
        trial,
        st.integers(0, 99),
        **texts,  # type: ignore[arg-type]
        outcome=st.floats(0, 1),
        latency_s=NUMBER,
        cached=st.booleans(),
        seed=st.integers(-(2**63), 2**63 - 1),
    )
    findings = st.builds(
        Finding, text, st.sampled_from(SEVERITIES), text, text, text, text,
        st.lists(text, max_size=3).map(tuple), run=text, probe=text, time=NUMBER,
    )  # fmt: skip
    inspections = st.builds(
        Inspection, text, text, text, st.integers(0, 2**40), st.integers(0, 2**60),
        st.lists(text, max_size=2).map(tuple), run=text,
    )  # fmt: skip
    details = st.dictionaries(text, text | st.integers(0, 99) | st.lists(text, max_size=2))
    provenances = st.builds(
        Provenance, text, text, NUMBER, st.integers(0, 2**63 - 1), text,
        st.dictionaries(text, text), st.dictionaries(text, text), details,
    )  # fmt: skip
    return st.lists(trials | findings | inspections | provenances, max_size=6)
