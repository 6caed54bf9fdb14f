"""Graphs as text or JSON: TensorFlow's .pbtxt, ONNX, PaddlePaddle's PIR."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.encodings.text_message import messages
from buttress.probes.artifacts.formats import graph_text, paddle_json
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.recognise import examine
from buttress.probes.artifacts.scope import FileTally, Scope


def look(form: ModuleType, text: str | bytes) -> list[ArtifactIssue]:
    data = text.encode() if isinstance(text, str) else text
    source, tally = BytesSource(data), FileTally()
    assert form.matches(source, data[:512])
    issues = list(examine(source, Scope(tally)))
    assert tally.recognised
    return issues


def graph(*nodes: str) -> str:
    return "".join(f"node {{\n  {one}\n}}\n" for one in nodes) + "versions {\n  producer: 2303\n}\n"


PLACE = 'name: "x"\n  op: "Placeholder"\n  attr { key: "dtype" value { type: DT_FLOAT } }'
READ = 'name: "r"\n  op: "ReadFile"\n  input: "x"'
CONST = (
    'name: "c"\n  op: "Const"\n  attr { key: "value" value { tensor { dtype: DT_STRING '
    'tensor_shape { } string_val: "/etc/passwd" } } }'
)


def test_tensorflow() -> None:
    assert look(graph_text, graph(PLACE)) == []
    wrapped = f"saved_model_schema_version: 1\nmeta_graphs {{\n graph_def {{\n{graph(READ)}}}\n}}"
    for text in (
        graph(PLACE, READ), wrapped, graph(READ.replace('op: "ReadFile"', 'op: "Read" "File"')),
        graph(READ.replace("ReadFile", "\\122ead\\x46ile")), graph(READ.replace('"', "'")),
        graph(PLACE, READ).replace("{", "<").replace("}", ">"), "# a note\n" + graph(READ),
        graph(READ.replace('op: "', 'op # why\n : "')),
    ):  # fmt: skip
        (found,) = look(graph_text, text)
        assert (found.rule, found.severity) == ("tensorflow-operator", "high"), text
    library = (
        "meta_graphs {\n graph_def {\n  library {\n   function {\n    signature { name: 'f' }\n"
        f"    node_def {{ {READ} }}\n   }}\n  }}\n }}\n}}"
    )
    assert [one.rule for one in look(graph_text, library)] == ["tensorflow-operator"]
    table = 'name: "t" op: "InitializeTableFromTextFileV2" input: "h" input: "c"'
    (found,) = look(graph_text, graph(CONST, table))
    assert "/etc/passwd" in found.message


ONNX = {
    "irVersion": "8",
    "graph": {
        "node": [{"input": ["x"], "output": ["y"], "opType": "Relu", "domain": ""}],
        "name": "g",
        "initializer": [
            {
                "dims": ["4"], "dataType": 1, "name": "w", "dataLocation": "EXTERNAL",
                "externalData": [{"key": "location", "value": "weights"}],
            }
        ],
    },
    "opsetImport": [{"domain": "", "version": "17"}],
}  # fmt: skip
NODE = ONNX["graph"]["node"][0]  # type: ignore[index]


def changed(old: object, new: object) -> str:
    text, before = json.dumps(ONNX, indent=1), json.dumps(old, indent=1)
    assert before.strip("{}[] \n") in text or json.dumps(old) in text
    return text.replace(json.dumps(old), json.dumps(new))


def test_onnx_as_json() -> None:
    assert look(graph_text, json.dumps(ONNX)) == []
    for text, rule in (
        (changed("weights", "../../x"), "onnx-external-data"),
        (changed("weights", "/etc/passwd"), "onnx-external-data"),
        (json.dumps(ONNX).replace('"domain": ""', '"domain": "evil"', 1), "onnx-custom-operator"),
        (changed("Relu", "PyOp"), "onnx-python-operator"),
    ):
        assert [one.rule for one in look(graph_text, text)] == [rule], text


def test_onnx_as_text() -> None:
    good = (
        'ir_version: 8\ngraph {\n  node {\n    output: "y"\n    op_type: "If"\n    attribute {\n'
        '      name: "then"\n      g {\n        node { op_type: "Relu" domain: "" }\n      }\n'
        '    }\n  }\n  initializer {\n    name: "w"\n    external_data {\n      key: "location"\n'
        '      value: "weights"\n    }\n  }\n}\nfunctions { name: "F" domain: "own" }\n'
    )
    assert look(graph_text, good) == []
    assert look(graph_text, good.replace('"Relu" domain: ""', '"F" domain: "own"')) == []
    for text, rule in (
        (good.replace('"weights"', '"../x"'), "onnx-external-data"),
        (good.replace('"weights"', '".." "/x"'), "onnx-external-data"),
        (good.replace('domain: ""', 'domain: "evil"'), "onnx-custom-operator"),
        (good.replace('"Relu" domain: ""', '"G" domain: "own"'), "onnx-custom-operator"),
    ):
        assert [one.rule for one in look(graph_text, text)] == [rule], text


def pir(*operators: str) -> str:
    made = [{"#": one, "I": [], "O": []} for one in operators]
    blocks = [{"#": "block_0", "args": [], "ops": made}]
    base = {"magic": "pir", "trainable": False, "version": 4}
    program = {"regions": [{"#": "region_0", "blocks": blocks}]}
    return json.dumps({"base_code": base, "program": program}, separators=(",", ":"))


def test_paddle() -> None:
    assert look(paddle_json, pir("p", "1.data", "1.conv2d", "1.fetch")) == []
    for operator in ("1.py_func", "1.load", "1.save_combine", "pd_op.read_file"):
        (found,) = look(paddle_json, pir("1.data", operator))
        assert (found.rule, found.severity) == ("paddle-operator", "high")
    escaped = pir("1.py_func").replace("py_func", "\\u0070y_func")
    assert [one.rule for one in look(paddle_json, escaped)] == ["paddle-operator"]
    broken = look(paddle_json, pir("1.py_func").encode() + b"\x7fELF\xff")
    assert {one.rule for one in broken} == {"config-malformed", "paddle-operator"}


@pytest.mark.parametrize(
    "text",
    ["node: a list of things\ngraph: of what\n", '{"node": {"version": 18}}', "graph TD;\n a-->b\n",
     "digraph {\n node [shape=box];\n}", "# Graph\n\nop: read it\n", '{"op": "add", "path": "/a"}'],
)  # fmt: skip
def test_other_texts(text: str) -> None:
    source = BytesSource(text.encode())
    assert not graph_text.matches(source, text.encode()[:512])
    assert not paddle_json.matches(source, text.encode()[:512])


SCALARS = st.text(st.characters(codec="utf-8"), max_size=12)
TREES = st.recursive(
    SCALARS, lambda inner: st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner),
    max_leaves=12,
)  # fmt: skip


def _scalars(tree: object) -> list[str]:
    if isinstance(tree, dict):
        return [text for one in tree.values() for text in _scalars(one)]
    return [str(tree)]


@settings(max_examples=200, deadline=None)
@given(tree=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), TREES))
def test_json_gives_every_scalar(tree: dict[str, object]) -> None:
    found = messages(json.dumps(tree))
    texts = [text for one in found for values in one.values.values() for text in values]
    assert sorted(texts) == sorted(_scalars(tree))


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=300) | st.lists(st.sampled_from("{}<>[]:;,\"'#\\ \nab")).map("".join))
def test_any_text_ends(text: str) -> None:
    assert sum(1 for _ in messages(text)) <= len(text) + 1


def test_depth_and_length_are_bounded() -> None:
    for text in (
        "a {" * 100_000,
        '"a" ' * 100_000,
        "[" * 100_000,
        '"' + "\\" * 100_001,
        "a:" * 99_999,
    ):
        assert sum(1 for _ in messages(text)) < 300
