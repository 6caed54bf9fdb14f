"""Names in pickles that packs allow or find dangerous: what is refused, and what they can't do."""

from __future__ import annotations

import pickletools
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.packs import bundle, verify
from buttress.probes.artifacts.pack import pickle_examples, pickle_names
from buttress.probes.artifacts.pack.pickle_examples import assemble, imported, suspicious
from buttress.probes.artifacts.pickles.added import Added, Told, merged
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists
from tests.packs.making import make

ALLOWED: dict[str, Any] = {
    "module": "ourlib.models", "names": ["Forest"], "why": "keeps numbers only",
    "positive": [{"new": "ourlib.models.Forest"}], "negative": [{"call": "os.system"}],
}  # fmt: skip
GADGET: dict[str, Any] = {
    "names": ["ourlib.shell.run"], "why": "it runs a command",
    "positive": [{"call": "ourlib.shell.run", "args": ["id"]}],
    "negative": [{"call": "ourlib.shell.quote", "args": ["id"]}],
}  # fmt: skip
PARTS = {"pickle-allowlist": ("allowed", ALLOWED), "pickle-danger": ("gadgets", GADGET)}


def check(folder: Path, kind: str, **fields: Any) -> None:
    part, base = PARTS[kind]
    entry = {key: one for key, one in (base | fields).items() if one is not None}
    folder = make(folder, {"p.yaml": (kind, yaml.safe_dump({part: [entry]}))})
    verify.contents(bundle.read(folder).manifest, folder)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"module": "os", "names": ["system"]}, "os.system can't be allowed by a pack: it runs"),
        ({"module": "builtins", "names": ["eval"]}, "builtins.eval can't be allowed"),
        ({"module": "builtins", "names": ["getattr"]}, "builtins.getattr can't be allowed"),
        ({"module": "nt", "names": ["system"]}, "nt.system can't be allowed"),
        ({"module": "__builtin__", "names": ["eval"]}, "__builtin__.eval can't be allowed"),
        ({"module": "types", "names": ["CodeType"]}, "types.CodeType can't be allowed"),
        ({"module": "subprocess", "names": ["Popen"]}, "can't be allowed"),
        ({"names": ["Forest.__globals__"]}, "reaches into the interpreter"),
        ({"module": "ourlib", "names": ["os.system"]}, "ourlib.os.system can't be allowed"),
        ({"names": ["a b"]}, "is no module.attribute"),
        ({"names": ["*"]}, "is no module.attribute"),
        ({"names": []}, "names"),
        ({"names": ["Forest", "Tree"]}, "'Tree' is in no positive example"),
        ({"positive": [{"new": "ourlib.models.Tree"}]}, "is not benign"),
        ({"positive": [[{"new": "ourlib.models.Forest"}, {"call": "os.system"}]]}, "not benign"),
        ({"negative": [{"new": "ourlib.models.Forest"}]}, "is benign"),
        ({"negative": []}, "negative"),
        ({"negative": None}, "'negative' is missing"),
        ({"positive": [{"call": "x"}]}, "describes no pickle"),
        ({"positive": [{"call": "a.b", "with": 1}]}, "describes no pickle"),
        ({"positive": [{"bytes": "xyz"}]}, "describes no pickle"),
        ({"why": ""}, "why"),
        ({"colour": 1}, "unknown field"),
    ],
)  # fmt: skip
def test_allowlists_that_are_refused(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        check(tmp_path / "p", "pickle-allowlist", **fields)
    assert told in str(caught.value)
    assert str(caught.value).startswith("pack acme 1.0.0: p.yaml:")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"names": ["run"]}, "'run' is no dotted name"),
        ({"names": ["a..b"]}, "is no dotted name"),
        ({"names": None}, "needs 'names' or 'modules'"),
        ({"modules": ["other"]}, "'other' is in no positive example"),
        ({"positive": [{"call": "ourlib.shell.quote"}]}, "is not found by the pack"),
        ({"positive": [{"call": "os.system"}]}, "is not found by the pack"),
        ({"negative": [{"import": "x:ourlib.shell.run"}]}, "is dangerous"),
    ],
)
def test_gadgets_that_are_refused(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        check(tmp_path / "p", "pickle-danger", **fields)
    assert told in str(caught.value)


def test_lists_that_pass_leave_nothing_behind(tmp_path: Path) -> None:
    before = OWN_LISTS.words
    check(tmp_path / "a", "pickle-allowlist")
    check(tmp_path / "d", "pickle-danger", modules=["ourlib.plugins"],
          positive=[{"call": "ourlib.shell.run"}, {"import": "ourlib.plugins.a.load"}])  # fmt: skip
    assert OWN_LISTS.judge_import("ourlib.models", "Forest").kind == "unknown"
    assert OWN_LISTS.judge("ourlib.shell", "run").kind == "unknown"
    assert OWN_LISTS.words == before


def test_whatever_a_pack_holds_danger_comes_first() -> None:
    told = Told("fine", "evil 1")
    keys = [
        ("os", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("nt", "popen"),
        ("a", "os.system"),
    ]  # fmt: skip
    names = NameLists(Added(allowed=dict.fromkeys(keys, told)))
    for key in keys:
        assert names.judge_import(*key).kind in ("dangerous", "conditional"), key
    assert suspicious(assemble({"call": "os.system", "args": ["id"]}), names)


def test_an_allowlist_is_for_imports_of_pickles_only() -> None:
    names = NameLists(Added(allowed={("ourlib", "Thing"): Told("fine", "acme 1")}))
    assert names.judge_import("ourlib", "Thing").pack == "acme 1"
    assert names.judge("ourlib", "Thing").kind == "unknown"  # what configurations are judged by


def test_danger_is_found_however_it_is_spelt() -> None:
    added = Added(names={"ourlib.shell.run": Told("runs", "p 1")},
                  modules={"ourlib.plugins": Told("loads", "p 1")})  # fmt: skip
    bad = [("ourlib.shell", "run"), ("ourlib", "shell.run"), ("other", "ourlib.shell.run"),
           ("ourlib.plugins", "x"), ("ourlib.plugins.deep", "x.y"), ("ourlib", "plugins.x"),
           ("other", "a.ourlib.plugins.x")]  # fmt: skip
    good = [("ourlib.shell", "runs"), ("ourlib", "plugins"), ("my.ourlib.plugins", "x"),
            ("ourlib.pluginsx", "y"), ("", "run")]  # fmt: skip
    assert all(added.danger(*one) for one in bad)
    assert not any(added.danger(*one) for one in good)


def test_the_first_of_two_packs_tells_why() -> None:
    one, two = (Added({("a", "B"): Told("x", pack)}) for pack in ("one 1", "two 1"))
    assert merged([one, two]).allowed["a", "B"].pack == "one 1"


def test_an_example_is_the_pickle_that_it_describes() -> None:
    described = [
        None, True, 7, 1.5, "é", {"tuple": [1, 2, 3, 4]}, {"dict": [["k", [1]]]}, {"bytes": "00ff"},
        {"call": "a.b:C.d", "args": [{"import": "e.f"}], "state": {"dict": []}}, {"new": "g.H"},
    ]  # fmt: skip
    names = [one.name for one, _, _ in pickletools.genops(assemble(described))]
    assert names[0] == "PROTO"
    assert names[-1] == "STOP"
    assert names.count("STACK_GLOBAL") == 3
    assert {"REDUCE", "NEWOBJ", "BUILD", "TUPLE", "TUPLE1", "SETITEMS", "BINBYTES"} <= set(names)
    assert imported(described) == {("a.b", "C.d"), ("e", "f"), ("g", "H")}


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
SHAPE = st.sampled_from(["call", "new", "import", "tuple", "dict", "bytes", "args", "state", "x"])
NAME = st.sampled_from(["a.b", "os.system", "a:b.c", "a", "", "ourlib.models.Forest", "00ff"])
DESCRIBED = st.recursive(
    LEAF | NAME,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(SHAPE, one | NAME, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(DESCRIBED)
def test_any_description_is_a_whole_pickle_or_refused(described: Any) -> None:
    with suppress(ValueError):
        data = assemble(described)
        imported(described)
        assert [op.name for op, _, _ in pickletools.genops(data)][-1] == "STOP"
        suspicious(data, OWN_LISTS)


FIELD = st.sampled_from(["module", "names", "modules", "why", "positive", "negative", "x"])


@given(st.dictionaries(FIELD, DESCRIBED, max_size=4), st.sampled_from(sorted(PARTS)), st.booleans())
def test_any_list_is_read_or_refused(
    tmp_path_factory: Any, fields: dict[str, Any], kind: str, whole: bool
) -> None:
    part, base = PARTS[kind]
    path = tmp_path_factory.mktemp("p") / "p.yaml"
    path.write_text(yaml.safe_dump({part: [(base if whole else {}) | fields]}), encoding="utf-8")
    with suppress(InputError):
        pickle_names.try_examples(path, kind, "p 1")


@given(st.text(max_size=40))
def test_any_name_is_split_or_refused(text: str) -> None:
    with suppress(ValueError):
        module, name = pickle_examples.split(text)
        assert module
        assert name
