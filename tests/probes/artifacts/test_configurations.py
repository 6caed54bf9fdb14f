"""Configurations, tokenizers, templates, YAML and XML that loaders act upon."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.probes.artifacts.assemble import EVIL, rules, scan, scan_bytes
from tests.probes.artifacts.test_tensor_files import EVIL_TEMPLATES, GOOD_TEMPLATES

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
    "_name_or_path": "some/model", "transformers_version": "5.0.0", "torch_dtype": "bfloat16",
}  # fmt: skip


def as_json(folder: Path, value: Any, name: str = "config.json") -> list:
    return scan_bytes(folder, json.dumps(value).encode(), name)


def test_a_plain_folder_has_no_finding(tmp_path: Path) -> None:
    files = {
        "config.json": CONFIG,
        "generation_config.json": {"do_sample": True, "temperature": 0.7, "eos_token_id": 2},
        "tokenizer_config.json": {
            "tokenizer_class": "LlamaTokenizer",
            "chat_template": GOOD_TEMPLATES[0],
        },
        "adapter_config.json": {
            "peft_type": "LORA", "r": 8, "base_model_name_or_path": "org/base-model",
            "auto_mapping": None,
        },
        "model.safetensors.index.json": {
            "metadata": {"total_size": 3}, "weight_map": {"a": "model-00001-of-00002.safetensors"}
        },
        "model_index.json": {
            "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0",
            "unet": ["diffusers", "UNet2DConditionModel"], "safety_checker": [None, None],
            "feature_extractor": ["transformers", "CLIPImageProcessor"],
        },
        "tokenizer.json": TOKENIZER,
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling",
             "type": "sentence_transformers.models.Pooling"},
        ],
    }  # fmt: skip
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "chat_template.jinja").write_text(GOOD_TEMPLATES[0])
    findings, seen = scan(tmp_path)
    assert findings == []
    assert seen.skipped == ()


TOKENIZER: dict[str, Any] = {
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [
        {"id": 0, "content": "<s>", "special": True}, {"id": 1, "content": "</s>", "special": True},
        {"id": 2, "content": "    ", "special": False},
    ],
    "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "'s|'t| ?\\p{L}+"}},
    "model": {"type": "BPE", "vocab": {"a": 3, "{": 4, "\"": 5, "]": 6}, "merges": []},
}  # fmt: skip


def test_remote_code(tmp_path: Path) -> None:
    mapped = CONFIG | {"auto_map": {"AutoModel": "modeling_x.XModel", "AutoConfig": None}}
    (found,) = as_json(tmp_path, mapped)
    assert (found.rule, found.severity) == ("hf-remote-code", "medium")
    assert "modeling_x.py" in found.message
    assert "not there" in found.message
    (tmp_path / "modeling_x.py").write_text("import torch\nclass XModel(torch.nn.Module): pass\n")
    (found,) = as_json(tmp_path, mapped)
    assert (found.severity, "not there" in found.message) == ("medium", False)
    (tmp_path / "modeling_x.py").write_text("from subprocess import run as r\nr('id')\n")
    (found,) = as_json(tmp_path, mapped)
    assert found.severity == "high"
    assert "subprocess.run" in found.message
    elsewhere = CONFIG | {"auto_map": {"AutoModel": "other/repo--modeling_x.XModel"}}
    (found,) = as_json(tmp_path, elsewhere)
    assert (found.severity, "other/repo" in found.message) == ("high", True)


def test_remote_code_in_other_places(tmp_path: Path) -> None:
    tokenizer = {"auto_map": {"AutoTokenizer": ["tokenization_x.Slow", None]}}
    pipelines = {"custom_pipelines": {"pair": {"impl": "pair.Pair", "pt": ["AutoModel"]}}}
    index = {"_diffusers_version": "0.3", "unet": ["my_unet", "Net"]}
    for value in (
        tokenizer, CONFIG | pipelines, {"trust_remote_code": True}, index,
        CONFIG | {"_attn_implementation": "somebody/kernel"}, {"text_config": tokenizer},
    ):  # fmt: skip
        assert rules(as_json(tmp_path, value)) == {"hf-remote-code"}, value
    escaped = json.dumps(tokenizer).replace("auto_map", "auto\\u005fmap").encode()
    assert rules(scan_bytes(tmp_path, escaped)) == {"hf-remote-code"}
    late = {"padding": "x" * 2_000_000} | tokenizer
    assert rules(as_json(tmp_path, late)) == {"hf-remote-code"}


@pytest.mark.parametrize(
    "base", ["https://example.org/x", "file:///models/x", "../../other", "weights/model.bin"]
)
def test_adapters(tmp_path: Path, base: str) -> None:
    adapter = {"peft_type": "LORA", "base_model_name_or_path": base}
    assert rules(as_json(tmp_path, adapter)) == {"adapter-base"}
    library = {"base_model_class": "X", "parent_library": "evil_library"}
    mapped = {"peft_type": "LORA", "base_model_name_or_path": "a/b", "auto_mapping": library}
    assert rules(as_json(tmp_path, mapped)) == {"config-target"}


def test_paths_and_named_classes(tmp_path: Path) -> None:
    index = {"metadata": {}, "weight_map": {"a": "../../x.safetensors"}}
    assert rules(as_json(tmp_path, index)) == {"config-path"}
    (found,) = as_json(tmp_path, {"_target_": "os.system", "command": "id"})
    assert (found.rule, found.severity) == ("config-target", "critical")
    modules = [{"idx": 0, "name": "0", "path": "../x", "type": "evil_module.Layer"}]
    assert rules(as_json(tmp_path, modules)) == {"config-target", "config-path"}
    node = {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}
    (found,) = as_json(tmp_path, {"protocol": 1, "content": node})
    assert (found.rule, found.severity) == ("config-target", "critical")
    twice = b'{"model_type": "x", "auto_map": {}, "auto_map": {"AutoModel": "m.X"}}'
    assert rules(scan_bytes(tmp_path, twice)) == {"config-malformed", "hf-remote-code"}


@pytest.mark.parametrize("template", EVIL_TEMPLATES[:-1])
def test_templates(tmp_path: Path, template: str) -> None:
    config = {"tokenizer_class": "X", "chat_template": template}
    assert rules(as_json(tmp_path, config)) == {"template-code"}
    several = [{"name": "default", "template": "ok"}, {"name": "tool", "template": template}]
    assert rules(as_json(tmp_path, {"chat_template": several})) == {"template-code"}
    path = tmp_path / "chat_template.jinja"
    path.write_text(template)
    assert rules(scan(path)[0]) == {"template-code"}


def _token(content: str, number: int = 9, special: bool = True) -> dict[str, Any]:
    return {"id": number, "content": content, "special": special}


@pytest.mark.parametrize(
    "token",
    [_token("<s>\u202e"), _token("\U000e0041\U000e0042"), _token("＜s＞"), _token("<s\u200b>"),
     _token("x", 0), _token("ignore the rules " * 40)],
)  # fmt: skip
def test_tokenizers(tmp_path: Path, token: dict[str, Any]) -> None:
    changed = TOKENIZER | {"added_tokens": [*TOKENIZER["added_tokens"], token]}
    assert rules(as_json(tmp_path, changed, "tokenizer.json")) == {"tokenizer-tricks"}


def test_tokenizers_that_rewrite_or_break(tmp_path: Path) -> None:
    swap = {"type": "Replace", "pattern": {"String": "unsafe"}, "content": "safe"}
    for part in ("normalizer", "decoder"):
        changed = TOKENIZER | {part: {"type": "Sequence", "decoders": [swap]}}
        assert rules(as_json(tmp_path, changed, "tokenizer.json")) == {"tokenizer-tricks"}
    broken = json.dumps(TOKENIZER).encode()[:-30]
    assert rules(scan_bytes(tmp_path, broken)) == {"config-malformed"}
    large = TOKENIZER | {"model": {"vocab": {f"word{i}": i for i in range(600_000)}}}
    assert as_json(tmp_path, large, "tokenizer.json") == []


MLMODEL = """
artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.skops
    python_version: 3.11.4
  sklearn:
    code: null
    serialization_format: skops
run_id: abc
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", set()),
        ("mlflow.sklearn", "evil_loader", {("mlflow-code", "medium")}),
        ("mlflow.sklearn", "subprocess", {("mlflow-code", "critical")}),
        ("code: null", "code: code", {("mlflow-code", "medium")}),
        ("model.skops", "model.pkl", {("mlflow-code", "low")}),
        ("model.skops", "../../model.pkl", {("config-path", "high")}),
        ("model.skops", "s3://bucket/model", {("config-path", "high")}),
    ],
)
def test_mlflow(tmp_path: Path, old: str, new: str, expected: set) -> None:
    findings = scan_bytes(tmp_path, MLMODEL.replace(old, new).encode(), "MLmodel")
    assert {(one.rule, one.severity) for one in findings} == expected


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("model:\n  _target_: nemo.collections.asr.models.EncDecCTCModel\n", None),
        ("loader:\n  _target_: torch.utils.data.DataLoader\n", None),
        ("model:\n  _target_: os.system\n  command: id\n", "critical"),
        ("a: &x {_target_: subprocess.Popen}\nb: *x\n", "critical"),
        ("model: {'_target_': builtins.eval}\n", "critical"),
        ("get_class: builtins.staticmethod\n", None),
        ("model:\n  _target_: evil_package.Model\n", "medium"),
        ("f:\n  _target_: hydra.utils.get_method\n  path: os.system\n", "high"),
        ("x: !new:torch.nn.Linear\n    in_features: 3\n", None),
        ("x: !apply:os.system\n    [id]\n", "critical"),
        ("x: !name:subprocess.call\n", "critical"),
    ],
)
def test_yaml_that_names_classes(tmp_path: Path, text: str, severity: str | None) -> None:
    findings = scan_bytes(tmp_path, text.encode(), "model_config.yaml")
    assert [(one.rule, one.severity) for one in findings] == (
        [("config-target", severity)] if severity else []
    )


@pytest.mark.parametrize(
    ("tag", "severity"),
    [("!!python/object/apply:os.system [id]", "critical"), ("!!python/tuple [1, 2]", None),
     ("!<tag:yaml.org,2002:python/object/new:subprocess.Popen> [id]", "critical"),
     ("!!python/name:material.extensions.emoji.twemoji", None),
     ("!!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower}}", None),
     ("!!python/name:pymdownx_other.slugify", "high"), ("!!python/name:own.thing", "high"),
     ("!!python/module:own", "high")],
)  # fmt: skip
def test_yaml_with_tags_of_python(tmp_path: Path, tag: str, severity: str | None) -> None:
    for text in (f"{tag}\n", f"a:\n  b: {tag}\n", f"- {tag}\n"):
        findings = scan_bytes(tmp_path, text.encode(), "hyperparams.yaml")
        assert [one.severity for one in findings] == ([severity] if severity else []), text


def test_nemo_archives(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {
            "./model_config.yaml": b"decoder:\n  _target_: os.system\n",
            "./model_weights.ckpt": EVIL,
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    findings = scan_bytes(tmp_path, buffer.getvalue(), "model.nemo")
    assert rules(findings) == {"config-target", "pickle-dangerous-import"}


PMML = """<?xml version="1.0"?>
<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary/>
<TransformationDictionary><DefineFunction name="own"/></TransformationDictionary>
<TreeModel functionName="regression"><Apply function="own"/><Apply function="+"/>MORE</TreeModel>
</PMML>"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", set()),
        ("<Extension name='x' value='1.0'/>", set()),
        ("<Extension>&lt;script&gt;alert(1)&lt;/script&gt;</Extension>", {"pmml-code"}),
        ("<Extension name='run' value='Runtime.getRuntime().exec(x)'/>", {"pmml-code"}),
        ("<Extension name='x' value='http://example.org/x'/>", {"pmml-code"}),
        ("<Apply function='org.evil.Gadget'/>", {"pmml-code"}),
        ("<xi:include xmlns:xi='x' href='file:///etc/passwd'/>", {"xml-entities", "pmml-code"}),
        ("<unclosed>", {"xml-malformed"}),
    ],
)
def test_pmml(tmp_path: Path, more: str, expected: set) -> None:
    for encoding in ("utf-8", "utf-16"):
        data = PMML.replace("MORE", more).encode(encoding)
        assert rules(scan_bytes(tmp_path, data, "model.pmml")) == expected


@pytest.mark.parametrize("name", ["PMML", "net"])
@pytest.mark.parametrize(
    ("declared", "severity"),
    [
        ('<!ENTITY x SYSTEM "file:///etc/passwd">', "high"),
        ('<!ENTITY % x SYSTEM "http://example.org/x.dtd"> %x;', "high"),
        ('<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">', "medium"),
    ],
)
def test_entities(tmp_path: Path, name: str, declared: str, severity: str) -> None:
    text = f'<?xml version="1.0"?><!DOCTYPE {name} [{declared}]><{name}>&x;</{name}>'
    (found,) = scan_bytes(tmp_path, text.encode(), "model.xml")
    assert (found.rule, found.severity) == ("xml-entities", severity)


NET = """<?xml version="1.0"?><net name="m" version="11"><layers>
<layer id="0" name="w" type="Const" version="opset1"><data element_type="f32" offset="0" size="16"/>
</layer>MORE</layers><edges/></net>"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", set()),
        ('<layer id="1" type="Evil" version="extension"/>', {"openvino-custom-layer"}),
        ('<layer id="1" type="Const" version="opset1"><data offset="12" size="8"/></layer>',
         {"openvino-malformed"}),
        ('<layer id="1" type="Const" version="opset1"><data offset="-4" size="8"/></layer>',
         {"openvino-malformed"}),
        ('<layer id="1" type="X" version="opset1"><data impl="./libevil.so"/></layer>',
         {"openvino-custom-layer"}),
    ],
)  # fmt: skip
def test_openvino(tmp_path: Path, more: str, expected: set) -> None:
    (tmp_path / "model.bin").write_bytes(bytes(16))
    findings = scan_bytes(tmp_path, NET.replace("MORE", more).encode(), "model.xml")
    assert rules(findings) == expected


def test_xml_that_is_too_much_is_told(tmp_path: Path) -> None:
    for text in (
        "<PMML>" + "<a>" * 5_000,
        "<net>" + "<a>" * 5_000,
        f"<PMML a='{'x' * 5_000_000}'/>",
    ):
        assert rules(scan_bytes(tmp_path, text.encode())) == {"xml-malformed"}


def test_other_texts_are_not_touched(tmp_path: Path) -> None:
    texts = {
        "a.json": '{"a": 1}', "b.yaml": "on: push\njobs: {}\n", "c.svg": "<svg></svg>",
        "d.html": "<!DOCTYPE html><html>{{ config }}</html>", "e.j2": "{{ request.args }}",
        "f.py": "x = '''\n_target_: os.system\n'''\nif x:\n\tpass\n", "g.md": "# {{ x }}",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert scan(tmp_path)[0] == []


def test_a_configuration_that_is_too_large_is_told(tmp_path: Path) -> None:
    large = b'{"a": "' + b"x" * (8 << 20) + b'", "auto_map": {"AutoModel": "m.Net"}}'
    (one,) = scan_bytes(tmp_path, large, "config.json")
    assert (one.rule, one.severity) == ("content-not-searched", "low")
    assert scan_bytes(tmp_path, large, "rows.json") == []


@pytest.mark.parametrize(
    ("name", "severity"), [("page.html", "medium"), ("chat_template.jinja", "high")]
)
def test_a_page_that_is_too_large_for_a_template_is_told_as_that(
    tmp_path: Path, name: str, severity: str
) -> None:
    page = "{% for a in range(3) %}{{ a.__name__ }}{% endfor %}" + "<p>x</p>\n" * 30_000
    findings = scan_bytes(tmp_path, page.encode(), name)
    assert [(one.rule, one.severity) for one in findings] == [("template-code", severity)]


@pytest.mark.parametrize("lines", [60, 900, 70_000])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_blank_lines_in_front_hide_nothing_and_hold_nobody_up(
    tmp_path: Path, lines: int, mark: bytes
) -> None:
    blanks = mark + b"\n" * lines
    config = CONFIG | {"auto_map": {"AutoModel": "other/repository--modeling.Model"}}
    found = scan_bytes(tmp_path, blanks + json.dumps(config).encode(), "config.json")
    assert rules(found) == {"hf-remote-code"}
    found = scan_bytes(tmp_path, blanks + b"model:\n  _target_: os.system\n", "config.yaml")
    assert rules(found) == {"config-target"}
    assert scan_bytes(tmp_path, blanks + b"A text, and no key at all", "notes.txt") == []


@pytest.mark.parametrize(
    ("tag", "told"),
    [("datetime.datetime", set()), ("uuid.UUID", set()), ("acme.Model", {"yaml-python-tag"})],
)
def test_values_that_a_tag_of_yaml_makes(tmp_path: Path, tag: str, told: set[str]) -> None:
    """What does nothing when it is made is not told."""
    text = f"a: !!python/object/apply:{tag} [2020, 1, 1]\n"
    assert rules(scan_bytes(tmp_path, text.encode(), "a.yaml")) == told
