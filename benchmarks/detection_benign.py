"""Builds the benign samples of ``detection.py``: files as frameworks write them."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import io
import itertools
import json
import pickle
from collections import Counter, OrderedDict, defaultdict
from datetime import UTC, datetime

import numpy as np
from detection_samples import keras_archive
from tests.probes.artifacts import assemble as a
from tests.probes.artifacts import wire as w
from tests.probes.artifacts.test_keras import DENSE, layer
from tests.probes.artifacts.test_tensor_files import (
    GOOD,
    NAME,
    TENSORS,
    gguf,
    pair,
    safetensors,
    string,
)

TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def benign() -> dict[str, bytes]:
    """File name -> contents, as frameworks write them."""
    data = {"a": [1, 2.5, None, True], "b": ("x", b"y"), "c": {"d": {1, 2}}}
    plain: list[object] = [
        data, OrderedDict(a=1), defaultdict(list, a=[1]), Counter("abc"), datetime.now(UTC),
        np.arange(12.0).reshape(3, 4), np.float32(3), np.array(["a", None], object),
        np.random.default_rng(0), [{"text": "import os; os.system is only text here"}],
    ]  # fmt: skip
    samples = {
        f"plain-{i}-{protocol}.pkl": pickle.dumps(one, protocol)
        for i, one in enumerate(plain)
        for protocol in (0, 2, 4, 5)
    }
    array = io.BytesIO()
    np.save(array, np.arange(100))
    arrays = io.BytesIO()
    np.savez_compressed(arrays, x=np.ones(9), y=np.arange(5))
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64}
    chat = json.dumps({"tokenizer_class": "X", "chat_template": TEMPLATE}).encode()
    samples |= {
        "array.npy": array.getvalue(),
        "arrays.npz": arrays.getvalue(),
        "good.safetensors": safetensors({"__metadata__": {"format": "pt"}, **GOOD}),
        "good.gguf": gguf([NAME, pair("tokenizer.chat_template", 8, string(TEMPLATE))], TENSORS),
        "good.onnx": w.onnx(w.onnx_node("Add"), tensors=(w.onnx_tensor("t", [1], bytes(4)),)),
        "saved_model.pb": w.saved_model(w.graph_def(w.tf_node("p", "Placeholder"))),
        "dense.keras": keras_archive(DENSE),
        "config.json": json.dumps(config).encode(),
        "tokenizer_config.json": chat,
        "flax.msgpack": w.packed({"params": {"w": w.array([1], "float32", bytes(4))}}),
        "readme.md": b"# A model\n\nLoad it with `torch.load`, or eval it with os.system.\n",
        "data.zip": a.zipped({"a.csv": b"a,b\n1,2\n", "readme.txt": b"text"}),
        "data.csv.gz": gzip.compress(b"a,b\n1,2\n" * 100),
        "train.yaml": b"lr: 0.1\nlayers: [1, 2]\n",
        "relu6.keras": keras_archive(DENSE, layer("Lambda", function="relu6")),
        "words.pmml": b'<PMML version="4"><DataField name="subprocess"><Value value="os.system"/>'
        b'<Value value="/bin/sh"/></DataField></PMML>',
        "readme.json": json.dumps(
            {
                "model_type": "x",
                "readme": "# Install\n\nRun `curl -fsSL "
                "https://example.org/i.sh | sh`, then:\n\n```\nsubprocess.run(['ls'])\n```\n",
                "about": "Evaluates commands such as rm -rf / safely; uses eval().",
            }
        ).encode(),
        "rows.json": json.dumps([{"instruction": "Delete all", "output": "rm -rf /"}]).encode(),
        "hydra.yaml": b"opt: torch.optim.Adam\nm:\n  _target_: ${opt}\n  lr: 0.1\n",
        "workflow.yaml": b"on: push\njobs:\n  a:\n    steps:\n    - run: curl https://x.invalid "
        b"| sh\n",
        "partial.pkl": pickle.dumps(functools.partial(np.mean, axis=0)),
    }
    return samples | _torch() | _sklearn()


def _torch() -> dict[str, bytes]:
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3))
    optimiser = torch.optim.Adam(network.parameters())
    objects = {"state": network.state_dict(), "whole": network, "optimiser": optimiser.state_dict()}
    samples = {}
    for (name, one), new in itertools.product(objects.items(), (True, False)):
        buffer = io.BytesIO()
        torch.save(one, buffer, _use_new_zipfile_serialization=new)
        samples[f"torch-{name}{'' if new else '-legacy'}.pt"] = buffer.getvalue()
    return samples


def _sklearn() -> dict[str, bytes]:
    if importlib.util.find_spec("sklearn") is None:
        return {}
    import joblib
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = np.random.default_rng(0).random((60, 4)), np.arange(60) % 2
    models = {
        "forest": RandomForestClassifier(5),
        "boosting": GradientBoostingClassifier(n_estimators=3),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    samples = {}
    for name, one in models.items():
        one.fit(rows, labels)
        samples[f"sklearn-{name}.pkl"] = pickle.dumps(one)
        for suffix, compress in (("", 0), ("-zlib", 3), ("-xz", ("xz", 3))):
            buffer = io.BytesIO()
            joblib.dump(one, buffer, compress=compress)
            samples[f"sklearn-{name}{suffix}.joblib"] = buffer.getvalue()
    return samples
