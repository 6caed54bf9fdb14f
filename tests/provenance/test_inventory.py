"""What folders are made of, and that nothing in them can stop the inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.provenance.inventory.card import declared, front_matter
from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.inventory.gather import complete, gather
from buttress.provenance.inventory.hashes import sha256
from buttress.provenance.inventory.metadata import gguf_header, safetensors
from tests.provenance import folders


def only(inventory: Inventory) -> Component:
    (one,) = inventory.components
    return one


def test_a_model_folder(tmp_path: Path) -> None:
    front = (
        "license: other\nlicense_name: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n"
        "datasets: [a/b, c/d]\npipeline_tag: text-generation"
    )
    folders.model(tmp_path / "tuned", front, hidden_size=64)
    one = only(gather(tmp_path))
    assert (one.role, one.name, one.location) == ("model", "tuned", "tuned")
    assert (one.family, one.architecture) == ("llama", "LlamaForCausalLM")
    assert (one.bases, one.relation, one.datasets) == (
        ("meta-llama/Llama-3.1-8B",), "finetune", ("a/b", "c/d")
    )  # fmt: skip
    assert [licence.shown for licence in one.licences] == ["LicenseRef-Llama-3.1"]
    assert one.facts == {"model_type": "llama", "hidden_size": "64"}
    assert sorted(path.name for path in one.files) == [
        "README.md", "config.json", "model.safetensors"
    ]  # fmt: skip


def test_gguf_files_and_their_shards(tmp_path: Path) -> None:
    head = folders.gguf(
        general__name="Tiny", general__architecture="llama", general__license="gemma",
        general__base_model__0__name="Gemma", general__size_label="2B",
    )  # fmt: skip
    for number in (1, 2, 3):
        folders.write(tmp_path / f"t-{number:05}-of-00003.gguf", head)
    one = only(gather(tmp_path))
    assert (one.name, one.family, one.bases, len(one.files)) == ("Tiny", "llama", ("Gemma",), 3)
    assert [licence.shown for licence in one.licences] == ["LicenseRef-Gemma"]


def test_relations(tmp_path: Path) -> None:
    folders.model(tmp_path / "base")
    folders.adapter(tmp_path / "tuned", "owner/Base")
    folders.adapter(tmp_path / "other", "owner/elsewhere", "license: mit\ndatasets: x/y")
    inventory = gather(tmp_path)
    complete(inventory)
    names = [one.name for one in inventory.components]
    pairs = {(names[left], names[right]) for left, right in inventory.uses}
    assert pairs == {("tuned", "base"), ("other", "owner/elsewhere"), ("other", "x/y")}
    assert [one.name for one in inventory.components if one.external] == ["owner/elsewhere", "x/y"]


def test_a_project_its_packages_and_data(tmp_path: Path) -> None:
    folders.write(
        tmp_path / "pyproject.toml",
        '[project]\nname = "shop"\nversion = "1.2"\nlicense = "Apache-2.0"\n'
        'dependencies = ["numpy>=2", "Requests==2.31.0"]\n',
    )
    folders.write(tmp_path / "requirements.txt", "numpy==2.1.0\n")
    folders.data(tmp_path / "corpus/deep")
    folders.write(tmp_path / "tests/rows.csv", "a,b\n")
    inventory = gather(tmp_path)
    found = {(one.role, one.name, one.version) for one in inventory.components}
    assert found == {
        ("code", "shop", "1.2"), ("package", "numpy", "2.1.0"), ("package", "requests", "2.31.0"),
        ("data", "deep", ""),
    }  # fmt: skip
    complete(inventory, installed=True)
    numpy = next(one for one in inventory.components if one.name == "numpy")
    assert numpy.version == "2.1.0"
    assert any("numpy" in note and "is installed" in note for note in inventory.skipped)
    assert numpy.licences


def test_a_path_of_kind_data_is_data(tmp_path: Path) -> None:
    folders.write(tmp_path / "a.csv", "x\n")
    one = only(gather(tmp_path, kind="data", asset="corpus", name="corpus"))
    assert (one.role, one.asset, len(one.files)) == ("data", "corpus", 1)
    assert only(gather(tmp_path / "a.csv", kind="data")).name == "a.csv"


def test_hashes(tmp_path: Path) -> None:
    path = folders.write(tmp_path / "a", "abc")
    found = sha256([path, path, tmp_path / "missing", tmp_path])
    assert found == {path: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("license: mit", ["mit"]),
        ("license: [mit, cc-by-4.0]", ["mit AND cc-by-4.0"]),
        ("license: other\nlicense_name: ours", ["ours"]),
        ("license: other", ["other"]),
        ("license: unknown", []),
        ("license: {a: b}", []),
        ("license: [[1], null]", []),
        ("- list", []),
        ("a: b: c", []),
        ("when: 2024-99-99\nlicense: mit", []),
    ],
)
def test_front_matter(front: str, expected: list[str]) -> None:
    found = front_matter(f"---\r\n{front}\r\n---\r\ntext".encode())
    assert [one.text for one in declared(found, "README.md")] == expected


def test_a_card_that_multiplies_itself_is_read_in_no_time() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    found = front_matter(("---\n" + "\n".join(lines) + "\nlicense: *a59\n---\n").encode())
    assert list(declared(found, "")) == []


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda one: b"---\n" + one + b"\n---"))
def test_any_bytes_as_a_card(data: bytes) -> None:
    for one in declared(front_matter(data), "card"):
        assert one.choices


HEAD = folders.gguf(general__name="Tiny", general__license="mit")


@given(st.binary(max_size=120), st.integers(0, len(HEAD)), st.integers(0, len(HEAD)))
@settings(max_examples=300)
def test_any_bytes_as_a_gguf_header(data: bytes, start: int, end: int) -> None:
    for one in (b"GGUF" + data, HEAD[:start] + data + HEAD[end:]):
        assert all(isinstance(value, str) for value in gguf_header(one).values())
    assert gguf_header(HEAD)["general.license"] == "mit"


@given(st.binary(max_size=80), st.binary(max_size=80))
@settings(max_examples=50)
def test_any_folder(tmp_path_factory: pytest.TempPathFactory, one: bytes, two: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("config.json", "adapter_config.json", "README.md", "model.safetensors",
                 "a.gguf", "pyproject.toml", "package.json", "LICENSE"):  # fmt: skip
        (folder / name).write_bytes(one if len(name) % 2 else two)
    assert isinstance(safetensors(folder / "model.safetensors"), dict)
    inventory = gather(folder)
    complete(inventory)
    assert {"adapter", "code"} <= {part.role for part in inventory.components}
