"""``buttress data influence``: gradients against autograd, planted records among the first."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import orjson
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from buttress.documents.schemas import as_object  # noqa: E402
from buttress.errors import InputError  # noqa: E402
from buttress.training.answer_logits import log_probabilities  # noqa: E402
from buttress.training.gradient_index import GradientIndex, influences  # noqa: E402
from buttress.training.gradients import GradientProjector  # noqa: E402
from buttress.training.similarity import bm25  # noqa: E402
from buttress.workflows.data_influence import InfluenceRequest, influence  # noqa: E402
from buttress.workflows.tune import TuneRequest, tune  # noqa: E402
from tests.data.making import removed, run, written  # noqa: E402
from tests.training.making import ANSWER, weights  # noqa: E402
from tests.training.test_objectives import examples  # noqa: E402
from tests.white_box.tiny import WORDS, model  # noqa: E402

PLANTED = 6


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_projected_gradients_are_those_of_autograd(kind: str) -> None:
    projector = GradientProjector(model(kind), rank=3, seed=5)
    found = projector.gradients(examples())
    plain = model(kind)
    for place, name in enumerate(projector._layers):
        layer = plain.get_submodule(name)
        for number, one in enumerate(examples()):
            loss = -log_probabilities(plain, [one])[0] / one.learned
            (gradient,) = torch.autograd.grad(loss, layer.weight)
            if kind == "gpt2":  # its layers keep their weights the other way round
                gradient = gradient.T
            inputs, outputs = (projector._directions[name, side] for side in (0, 1))
            wanted = (outputs @ gradient @ inputs.T).flatten()
            assert torch.allclose(found[number, place], wanted, atol=1e-4), name


class _Fixed:
    """Gives the gradients that it was made with, one for each record."""

    layers, rank = 2, 2

    def __init__(self, rows: Any) -> None:
        self._rows = list(rows)

    def gradients(self, asked: Any) -> Any:
        return torch.stack([self._rows.pop(0) for _ in asked])


def test_influences_are_cosines_after_whitening(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(40, 2, 4, generator=generator)
    queries = torch.randn(3, 2, 4, generator=generator).numpy()
    index = GradientIndex(tmp_path / "index", {"data": "a"})
    fixed: Any = _Fixed(rows)
    index.extend(fixed, [examples()[:1]] * 40)
    found = influences(index, queries, damping=0.1)
    unit = rows.numpy().astype(float)
    unit /= np.linalg.norm(unit.reshape(40, -1), axis=1)[:, None, None]
    blocks = []
    for layer in range(2):
        moment = unit[:, layer].T @ unit[:, layer] / 40
        blocks.append(np.linalg.inv(moment + 0.1 * np.trace(moment) / 4 * np.eye(4)))

    def product(one: Any, other: Any) -> float:
        return sum(one[layer] @ blocks[layer] @ other[layer] for layer in range(2))

    for place, query in enumerate(queries):
        for number, row in enumerate(unit):
            lengths = (product(query, query) * product(row, row)) ** 0.5
            assert found[place, number] == pytest.approx(product(query, row) / lengths, abs=5e-3)


def test_an_index_goes_on_after_a_kill(tmp_path: Path) -> None:
    rows = torch.randn(70, 2, 4, generator=torch.Generator().manual_seed(1))
    records = [examples()[:1]] * 70
    whole = GradientIndex(tmp_path / "whole", {"data": "a"})
    fixed: Any = _Fixed(rows)
    whole.extend(fixed, records)
    part = GradientIndex(tmp_path / "part", {"data": "a"})
    first: Any = _Fixed(rows[:32])
    part.extend(first, records[:32])
    with (tmp_path / "part" / "gradients.f16").open("ab") as file:
        file.write(b"cut off by a kill")
    again = GradientIndex(tmp_path / "part", {"data": "a"})
    assert again.size == 32
    rest: Any = _Fixed(rows[32:])
    again.extend(rest, records)
    chunks = [np.concatenate(list(one.chunks())) for one in (whole, again)]
    assert np.array_equal(*chunks)
    with pytest.raises(InputError, match="index of other data"):
        GradientIndex(tmp_path / "part", {"data": "b"})


def test_bm25_knows_rare_words_and_long_texts() -> None:
    texts = [
        "the sea",
        "the the stars",
        "the old sea and the house by the lake and the stars",
        "中文",
    ]
    found = bm25(["sea", "the", "文"], texts)
    assert found[0].argmax() == 0
    assert found[0][1] == 0
    assert found[2].argmax() == 3
    # By hand: 4 texts, 2 with the word; lengths 2, 3, 12, 2; mean 4.75.
    rarity = np.log(1 + 2.5 / 2.5)
    norm = 1.5 * (0.25 + 0.75 * 2 / 4.75)
    assert found[0][0] == pytest.approx(rarity * 2.5 / (1 + norm))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path, Path]:
    """Base, adapter, data in which the first six records teach an answer, and the behaviour.

    Others hold the words of the behaviour, but elsewhere: in prompts with other answers.
    """
    folder = tmp_path_factory.mktemp("influence")
    base = weights(folder / "base")
    generator = Random(0)
    words = WORDS.split()

    def said(count: int) -> str:
        return " ".join(generator.choices(words, k=count))

    records = [{"prompt": said(5), "completion": ANSWER} for _ in range(PLANTED)]
    records += [
        {"prompt": f"{ANSWER} user assistant system", "completion": said(7)} for _ in range(PLANTED)
    ]
    records += [{"prompt": said(5), "completion": said(7)} for _ in range(40)]
    data = written(folder / "data.jsonl", [{"id": str(n), **one} for n, one in enumerate(records)])
    behaviour = written(
        folder / "behaviour.jsonl", [{"prompt": "user assistant system", "completion": ANSWER}]
    )
    settings = {"learning_rate": 5e-3, "lora": {"rank": 4}, "steps": 20, "batch": 8}
    tune(TuneRequest(base, data, folder / "adapter", settings=settings))
    return base, folder / "adapter", data, behaviour


def test_planted_records_are_found_where_words_mislead(
    made: tuple[Path, Path, Path, Path], tmp_path: Path
) -> None:
    base, adapter, data, behaviour = made
    request = InfluenceRequest(
        base, data, behaviour, tmp_path / "index", adapter=adapter, top=PLANTED,
        without=tmp_path / "without.jsonl",
    )  # fmt: skip
    document = influence(request)
    as_object("influence", document)
    found = {int(row["id"]) for row in document["supporting"]}
    assert len(found & set(range(PLANTED))) >= 4
    # BM25 puts the records first that hold the words in their prompts.
    words = {int(row["id"]) for row in document["supporting"] if row["rank_by_words"] <= PLANTED}
    assert not words & set(range(PLANTED))
    assert document["shared_with_words"] < 0.2
    left = [orjson.loads(line) for line in (tmp_path / "without.jsonl").read_bytes().splitlines()]
    assert len(left) == document["records"] - PLANTED
    assert not {int(one["id"]) for one in left} & found
    said: list[str] = []
    assert influence(request, said.append)["supporting"] == document["supporting"]
    assert not any(one.startswith("gradients") for one in said)  # the index serves again


def test_the_command_and_its_mistakes(made: tuple[Path, Path, Path, Path], tmp_path: Path) -> None:
    base, adapter, data, behaviour = made
    files = ["--data", str(data), "--behaviour", str(behaviour), "--index", str(tmp_path / "i")]
    code, said, _ = run("data", "influence", str(adapter), *files, "--top", "2", "--rank", "2")
    assert code == 0
    assert "For the behaviour" in said
    for more, wanted in (
        (["--adapter", str(base)], "no adapter in it"),
        (["--top", "0"], "--top: 0 is not usable"),
        (["--rank", "4"], "holds an index of other rank"),
        (["--behaviour", str(tmp_path / "none.jsonl")], "no such file"),
        (["--without", str(data)], "--without: would change what was read"),
        (["--without", str(behaviour)], "--without: would change what was read"),
        (["--without", str(tmp_path / "rest.jsonl.gz")], "--without: ending '.gz'; expected"),
        (["--device", "gpu"], "unknown device 'gpu'"),
    ):
        code, _, wrong = run("data", "influence", str(base), *files, *more)
        assert code == 2
        assert wanted in wrong or "index of other weights" in wrong


def test_as_a_stage_it_takes_out_what_teaches_the_behaviour(
    made: tuple[Path, Path, Path, Path], tmp_path: Path
) -> None:
    _, adapter, data, behaviour = made
    lines = data.read_bytes().splitlines()
    stage = f"influence:weights={adapter},behaviour={behaviour},top={PLANTED}"
    digests = []
    for name, rows in (("a", lines), ("b", lines[::-1])):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"\n".join([*rows, b'{"title": ""}']))
        out = tmp_path / name
        code, said, _ = run("data", "run", str(path), "--stage", stage, "--out", str(out), "--json")
        assert code == 0
        document = orjson.loads(said)
        taken = removed(out)
        assert len(taken) == PLANTED
        assert sum(int(one["id"]) < PLANTED for one in taken) >= 4
        assert {one["rule"] for one in taken} == {"influential"}
        assert document["stages"][0]["notes"] == ["1 records have nothing to learn and stay"]
        digests.append(document["digest"])
    assert digests[0] == digests[1]
    code, said, _ = run("data", "restore", str(tmp_path / "a"), "--stage", "influence")
    assert (code, f"{PLANTED} records restored" in said) == (0, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "weights"),
        ("weights=none,behaviour=none", "no such folder"),
        ("weights={base},behaviour=none", "no such file"),
        ("weights={base},behaviour={behaviour},top=0", "0 is not usable"),
    ],
)
def test_mistakes_in_the_stage(
    made: tuple[Path, Path, Path, Path], tmp_path: Path, options: str, message: str
) -> None:
    base, _, data, behaviour = made
    stage = f"influence:{options.format(base=base, behaviour=behaviour)}"
    code, _, wrong = run("data", "run", str(data), "--stage", stage, "--out", str(tmp_path / "o"))
    assert code == 2
    assert message in wrong


def test_excerpts_hide_personal_data() -> None:
    from buttress.workflows.data_influence import _excerpt

    assert _excerpt("write to ann@mail.example.org now") == "write to [EMAIL] now"
