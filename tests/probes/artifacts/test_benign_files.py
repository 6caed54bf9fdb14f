"""What real tools write has no finding."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import pathlib
import pickle
import random
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.probes.artifacts.assemble import scan, scan_bytes

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.complex_numbers(),
    st.decimals(allow_nan=False), st.fractions(), st.uuids(), st.datetimes(), st.timedeltas(),
    st.dates(), st.times(), st.binary(max_size=20).map(bytearray), st.integers(1, 50).map(range),
    st.builds(slice, st.integers(), st.integers()), st.just(...), st.just(NotImplemented),
    st.sampled_from([int, float, str, dict, collections.OrderedDict, np.float32, np.ndarray]),
    st.text("ab/", max_size=9).map(pathlib.PurePosixPath),
    st.integers(300, 600).map(lambda n: "x" * n),
)  # fmt: skip
hashable = st.one_of(
    st.none(), st.integers(), st.text(), st.binary(), st.tuples(st.text(), st.integers())
)
dtypes = st.one_of(
    arrays.scalar_dtypes(), arrays.array_dtypes(), arrays.byte_string_dtypes(),
    arrays.unicode_string_dtypes(), arrays.nested_dtypes(max_leaves=4),
)  # fmt: skip
numeric = arrays.arrays(dtypes, arrays.array_shapes(max_dims=3, max_side=4))
data = st.recursive(
    st.one_of(
        scalars, numeric,
        st.sampled_from([np.float32(1), np.int64(3), np.bool_(True), np.str_("a")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(hashable, inner), st.tuples(inner, inner),
        st.tuples(inner),
        st.sets(hashable), st.frozensets(hashable), st.lists(inner).map(tuple),
        st.lists(inner).map(collections.deque),
        st.dictionaries(hashable, inner).map(collections.OrderedDict),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: items * 3),
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=data, protocol=st.integers(0, 5))
def test_plain_data_has_no_finding(tmp_path: Path, value: object, protocol: int) -> None:
    assert scan_bytes(tmp_path, pickle.dumps(value, protocol), "data.pkl") == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=numeric, protocol=st.integers(2, 5))
def test_object_arrays_and_generators_have_no_finding(
    tmp_path: Path, value: np.ndarray, protocol: int
) -> None:
    held = np.empty(2, dtype=object)
    held[0], held[1] = value, {"k": value.dtype}
    mask = np.ma.masked_array([1, 2], mask=[True, False])
    things = [held, mask, np.random.default_rng(1), np.random.RandomState(1), random.Random(1)]
    assert scan_bytes(tmp_path, pickle.dumps(things, protocol)) == []


class Colour(enum.Enum):
    RED = 1


def test_records_of_the_standard_library(tmp_path: Path) -> None:
    counter = collections.Counter("abca")
    grouped = collections.defaultdict(list, a=[1])
    nested: list[object] = []
    nested.append(nested)
    things = [counter, grouped, nested, (nested, nested), datetime.UTC, decimal.Decimal("1.5"),
              fractions.Fraction(1, 3), uuid.uuid4(), type(None), ValueError("x"), 10**400,
              -(10**30)]  # fmt: skip
    for protocol in range(6):
        assert scan_bytes(tmp_path, pickle.dumps(things, protocol)) == []


@pytest.fixture(scope="module")
def network():
    torch = pytest.importorskip("torch")
    return torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3), torch.nn.LSTM(3, 2)
    )


@pytest.mark.parametrize("zip_format", [True, False])
def test_pytorch(tmp_path: Path, network, zip_format: bool) -> None:
    import torch

    optimiser = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 3)
    whole = {
        "model": network.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3,
        "schedule": schedule.state_dict(), "dtype": torch.bfloat16, "device": torch.device("cpu"),
        "generator": torch.get_rng_state(), "size": torch.Size([1, 2]), "layout": torch.strided,
        "half": torch.ones(3, dtype=torch.bfloat16), "sparse": torch.eye(3).to_sparse(),
        "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "complex": torch.ones(2, dtype=torch.complex64),
    }  # fmt: skip
    for name, value in {"weights": network.state_dict(), "module": network, "all": whole}.items():
        path = tmp_path / f"{name}.bin"
        torch.save(value, path, _use_new_zipfile_serialization=zip_format)
        findings, inspection = scan(path)
        assert findings == [], name
        assert (inspection.files, inspection.skipped) == (1, ())
    for protocol in (2, 4, 5):
        assert scan_bytes(tmp_path, pickle.dumps(network, protocol)) == []


def test_only_the_pickle_of_a_checkpoint_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "big.pt"
    torch.save({"w": torch.zeros(8_000_000), "v": torch.ones(1000)}, path)
    findings, inspection = scan(path)
    assert findings == []
    assert inspection.bytes < 200_000 < path.stat().st_size


def test_safetensors(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    tensors = {
        "a": np.ones((3, 4), np.float32),
        "b": np.zeros((0, 2), np.int64),
        "c": np.array(1.5),
    }
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format": "pt"})
    findings, inspection = scan(tmp_path / "x.safetensors")
    assert findings == []
    assert inspection.skipped == ()


MODELS = ["forest", "boosting", "histogram", "pipeline", "neighbours", "text", "search", "bayes"]


@pytest.fixture(scope="module")
def fitted():
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = np.random.default_rng(0).random((80, 5))
    labels = (numbers[:, 0] > 0.5).astype(int)
    pipeline = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression())
    models = {
        "forest": RandomForestClassifier(5),
        "boosting": GradientBoostingClassifier(n_estimators=3),
        "histogram": HistGradientBoostingClassifier(max_iter=3),
        "pipeline": pipeline,
        "neighbours": KNeighborsClassifier(algorithm="kd_tree"),
        "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2),
        "bayes": GaussianNB(),
    }
    found = {name: model.fit(np.abs(numbers), labels) for name, model in models.items()}
    found["text"] = (
        make_pipeline(TfidfVectorizer(), OneHotEncoder(handle_unknown="ignore"))
        .steps[0][1]
        .fit(["a bc", "bc de"])
    )
    return found


@pytest.mark.parametrize("name", MODELS)
def test_scikit_learn(tmp_path: Path, fitted, name: str) -> None:
    for protocol in range(6):
        assert scan_bytes(tmp_path, pickle.dumps(fitted[name], protocol)) == []


@pytest.mark.parametrize(
    "compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]
)
def test_joblib(tmp_path: Path, fitted, compress) -> None:
    import joblib

    arrays_of_all_kinds = {
        "numbers": np.random.default_rng(0).random((50, 60)),
        "objects": np.array(["a", {"x": 1}], dtype=object),
        "fields": np.zeros(3, dtype=[("a", "f4"), ("b", "O")]),
        "nested": np.zeros(3, dtype=[("a", "f4"), ("b", "i8", (2,)), ("c", [("d", "u1")])]),
        "fortran": np.asfortranarray(np.ones((5, 6))),
        "empty": np.zeros((0, 3)),
        "words": np.array(["ab", "c"]),
        "dates": np.array(["2020-01-01"], dtype="M8[D]"),
        "same": [np.arange(70_000)] * 3,
    }
    for value in (*fitted.values(), arrays_of_all_kinds):
        for protocol in (0, 2, 4, 5):
            path = tmp_path / "x.joblib"
            joblib.dump(value, path, compress=compress, protocol=protocol)
            findings, inspection = scan(path)
            assert findings == [], (value, protocol)
            assert inspection.skipped == ()


def test_numpy_files(tmp_path: Path) -> None:
    objects = np.array([1, "x", None, {"a": np.ones(2)}], dtype=object)
    np.save(tmp_path / "a.npy", np.ones((3, 4)))
    np.save(tmp_path / "empty.npy", np.ones((0, 4)))
    np.save(tmp_path / "fields.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "U3")]))
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=np.ones(3), b=objects)
    np.savez_compressed(tmp_path / "b.npz", a=np.ones(100_000), b=objects)
    findings, inspection = scan(tmp_path)
    assert findings == []
    assert (inspection.files, inspection.skipped) == (6, ())


def test_text_and_sources_are_no_pickles(tmp_path: Path) -> None:
    for number, content in enumerate(
        [
            "import os\nos.system('id')\n", "isympy\nsympy\n", "cos\nine\n", "config\nvalue\n",
            "(c) Copyright\nby us\n",
            "Name,I,d\n", "I am a text.\n", "N.\n", "Sequence.", "(dp0\n", "# README\n", "}{", "K",
            "",
            "i\nj\n", "VERSION\n1.0\n", "B\n", "[1, 2]", '{"a": 1}', "<html>", "csv\nos\n", "(i\n",
        ]
    ):  # fmt: skip
        (tmp_path / f"{number}.txt").write_text(content)
    findings, inspection = scan(tmp_path)
    assert findings == []
    assert len(inspection.skipped) == 1
    assert "no format that is known here" in inspection.skipped[0]


@pytest.mark.parametrize("seed", range(30))
def test_raw_numbers_are_no_pickles(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for length in (3, 100, 5000):
        assert scan_bytes(tmp_path, generator.bytes(length)) == []
        assert scan_bytes(tmp_path, generator.random(length, dtype=np.float32).tobytes()) == []
