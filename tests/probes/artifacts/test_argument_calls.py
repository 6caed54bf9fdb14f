"""Allowed names are allowed as frameworks use them: what an attacker hands them is told."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from buttress.probes.artifacts.pickles.judge import OWN_LISTS
from tests.probes.artifacts.assemble import (
    by_global,
    by_stack_global,
    proto,
    rules,
    scan_bytes,
    text,
)

CODE = "__import__('os').getpid()"
MODEL = ("ultralytics.nn.tasks", "DetectionModel")
TRANSFORMER = ("sentence_transformers.models", "Transformer")
CALL, TEXT = "pickle-constructor-call", "pickle-argument-text"


def only(folder: Path, stream: bytes) -> tuple[str, str]:
    """Rule and severity of the one finding at low severity or above."""
    found = scan_bytes(folder, stream, "m.pkl")
    assert len(found) == 1, found
    return found[0].rule, found[0].severity


def dictionary(**values: str) -> bytes:
    return b"}(" + b"".join(text(k) + text(v) for k, v in values.items()) + b"u"


@pytest.mark.parametrize("name", [MODEL, TRANSFORMER, ("timm.models.vision_transformer", "Net")])
@pytest.mark.parametrize("importing", [by_global, by_stack_global])
def test_a_class_made_empty_and_given_a_state_is_what_frameworks_write(
    tmp_path: Path, name: tuple[str, str], importing
) -> None:
    state = dictionary(activation=CODE)
    assert scan_bytes(tmp_path, proto(2) + importing(*name) + b")\x81" + state + b"b.") == []
    old = b"ccopy_reg\n_reconstructor\n(" + importing(*name) + b"c__builtin__\nobject\nNtR"
    assert scan_bytes(tmp_path, old + state + b"b.") == []
    framed = proto(4) + importing(*name) + b")\x95" + bytes([2] + [0] * 7) + b"\x81."
    assert scan_bytes(tmp_path, framed) == []


@pytest.mark.parametrize("kept", [b"", b"\x94", b"q\x09"])
def test_code_in_a_dictionary_among_the_arguments_is_shown(tmp_path: Path, kept: bytes) -> None:
    made = by_global(*MODEL) + b"(" + dictionary(activation=CODE) + kept + b"tR."
    (found,) = scan_bytes(tmp_path, proto(2) + made)
    assert (found.rule, found.severity) == (CALL, "high")
    assert "looks like code" in found.message
    assert CODE in found.message
    assert found.proof.startswith("ultralytics.nn.tasks.DetectionModel(")
    assert CODE in found.proof


def test_a_repository_as_argument(tmp_path: Path) -> None:
    made = by_global(*TRANSFORMER) + text("someone/some-model") + b"N\x86R."
    (found,) = scan_bytes(tmp_path, proto(2) + made)
    assert (found.rule, found.severity) == (CALL, "high")
    assert "a repository: 'someone/some-model'" in found.message


WAYS = {
    "reduce": by_global(*MODEL) + b"K\x01\x85R.",
    "empty tuple that is remembered": b")q\x000" + by_global(*MODEL) + b"h\x00R.",
    "constructor without arguments": by_global(*MODEL) + b")R.",
    "inst": b"(K\x01iultralytics.nn.tasks\nDetectionModel\n.",
    "obj": b"(" + by_global(*MODEL) + b"K\x01o.",
    "newobj": by_global(*MODEL) + b"K\x01\x85\x81.",
    "newobj_ex": by_global(*MODEL) + b")}(" + text("cfg") + text(CODE) + b"u\x92.",
    "through copyreg": b"ccopyreg\n__newobj__\n" + by_global(*MODEL) + b"K\x01\x86R.",
    "as base": b"ccopyreg\n_reconstructor\n" + by_global(*MODEL) * 2 + b"}\x87R.",
    "as constructor of a generator": b"cnumpy.random._pickle\n__generator_ctor\n}"
    + by_global(*MODEL) + b"\x86R.",
    "as maker of a tensor": b"ctorch._tensor\n_rebuild_from_type_v2\n(" + by_global(*MODEL)
    + b"ctorch\nTensor\n}\x85}tR.",
    "kept function": b"cnumpy\nmean\nK\x01\x85R.",
    "in a tuple": b"ccollections\nOrderedDict\n" + by_global(*MODEL) + b"K\x01\x86\x85R.",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_hand_arguments_over(tmp_path: Path, way: str) -> None:
    rule, severity = only(tmp_path, proto(4) + WAYS[way])
    assert rule == CALL
    assert severity in ("medium", "high")


def test_the_second_call_counts_as_much_as_the_first(tmp_path: Path) -> None:
    good = by_global(*MODEL) + b"q\x00)\x81}b0"
    for again in (b"h\x00)\x81}b0", b"h\x00K\x05\x85R0"):
        found = scan_bytes(tmp_path, proto(2) + good * 3 + again * 2 + b"N.")
        assert rules(found) == ({CALL} if b"R" in again else set())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (CODE, ("medium", "code")),
        ("https://example.com/x", ("low", "a URL")),
        ("/etc/passwd", ("low", "a path")),
        ("..\\up", None),
        ("owner/name", ("low", "a repository")),
        ("a plain word", None),
    ],
)
def test_texts_among_the_arguments_of_any_call(
    tmp_path: Path, given: str, expected: tuple[str, str] | None
) -> None:
    for name in (("torch", "device"), ("builtins", "ValueError"), ("collections", "Counter")):
        found = scan_bytes(tmp_path, proto(4) + by_stack_global(*name) + text(given) + b"\x85R.")
        if expected is None:
            assert found == []
        else:
            assert [(one.rule, one.severity) for one in found] == [(TEXT, expected[0])]
            assert f"looks like {expected[1]}" in found[0].message


def test_paths_and_zones_are_what_some_names_are_for(tmp_path: Path) -> None:
    for value in (Path("/home/someone/data"),):
        assert scan_bytes(tmp_path, pickle.dumps(value)) == []
    zone = by_stack_global("zoneinfo", "ZoneInfo") + text("Europe/Berlin") + b"\x85R."
    assert scan_bytes(tmp_path, proto(4) + zone) == []


@pytest.mark.parametrize("package", ["numpy.core", "numpy._core"])
def test_a_function_that_imports_by_name_is_followed(tmp_path: Path, package: str) -> None:
    def of(module: str, name: str) -> bytes:
        start = proto(2) + by_global(package, "_ufunc_reconstruct")
        return start + text(module) + text(name) + b"\x86R"

    assert scan_bytes(tmp_path, of("numpy", "log") + b".") == []
    found = scan_bytes(tmp_path, of("os", "system") + text("id") + b"\x85R.")
    assert [one.rule for one in found if one.severity == "critical"] == ["pickle-dangerous-import"]
    computed = proto(2) + by_global(package, "_ufunc_reconstruct") + b"K\x01" + b"\x85R."
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, computed))


def test_unknown_names_are_high_where_a_text_looks_odd_wherever_it_lies(tmp_path: Path) -> None:
    unknown = by_global("acme.models", "Thing")
    assert only(tmp_path, proto(2) + unknown + b"(K\x01tR.") == ("pickle-unknown-import", "medium")
    for odd in (CODE, "https://example.com/w.pt", "/etc/passwd", "owner/name"):
        stream = proto(2) + unknown + b"(" + dictionary(x=odd) + b"tR."
        assert only(tmp_path, stream) == ("pickle-unknown-import", "high")


def test_code_in_the_state_of_an_unknown_class(tmp_path: Path) -> None:
    """scipy.stats executes ``_parse_arg_template`` of the state when it is unpickled."""
    made = proto(2) + by_global("scipy.stats._continuous_distns", "norm_gen") + b")\x81"
    template = "def _parse_args(self, %(shape_arg_str)s):\n    return (%(a)s), 1, 2"
    for code, expected in ((template, "medium"), ("import os; os.getpid()", "high")):
        stream = made + dictionary(_parse_arg_template=code) + b"b."
        assert only(tmp_path, stream) == ("pickle-unknown-import", expected)


def test_the_list_says_how_each_name_is_used() -> None:
    assert OWN_LISTS.judge("torch.nn.modules.linear", "Linear").calls == "bare"
    assert OWN_LISTS.judge("sklearn.linear_model._logistic", "LogisticRegression").calls == "empty"
    assert OWN_LISTS.judge("sklearn.tree._tree", "Tree").calls == "any"
    assert OWN_LISTS.judge("sklearn.metrics._regression", "mean_squared_error").calls == "never"
    assert OWN_LISTS.judge("collections", "OrderedDict").calls == "any"
    for module in ("sklearn.externals.joblib.memory", "sklearn.callback._scoring_monitor"):
        assert OWN_LISTS.judge(module, "Thing").kind == "unknown"


def test_a_list_of_texts_with_an_address(tmp_path: Path) -> None:
    for address, told in (("https://model-host.net/card", [(TEXT, "low")]), ("block/conv1", [])):
        pairs = pickle.dumps([["home", address]], 2)[2:-1]
        found = scan_bytes(
            tmp_path, proto(2) + by_global("collections", "OrderedDict") + pairs + b"\x85R."
        )
        assert [(one.rule, one.severity) for one in found] == told


@pytest.mark.parametrize(
    ("name", "severity"),
    [("runners._run_entry_point", "high"), ("net.load_from_url", "high"), ("net.Block", "medium"),
     ("net.rebuild", "medium")],
)  # fmt: skip
def test_an_unknown_function_whose_name_says_that_it_runs_things(
    tmp_path: Path, name: str, severity: str
) -> None:
    module, _, last = name.rpartition(".")
    made = by_global(module, last) + text("echo a") + b"\x85R."
    assert only(tmp_path, proto(2) + made) == ("pickle-unknown-import", severity)


PARTIAL = by_global("functools", "partial")
ITEMGETTER = by_global("operator", "itemgetter")


def test_a_partial_hands_its_arguments_to_what_it_calls(tmp_path: Path) -> None:
    wrapped = PARTIAL + by_global(*TRANSFORMER) + text("evil/repo") + b"\x86R"
    for stream in (wrapped + b".", wrapped + b")R.", wrapped.replace(b"\x86R", b"\x86\x81") + b"."):
        assert (CALL, "high") in [
            (one.rule, one.severity) for one in scan_bytes(tmp_path, proto(2) + stream)
        ]
    state = b"(" + by_global(*TRANSFORMER) + text("evil/repo") + b"\x85}Nt"
    late = PARTIAL + by_global("builtins", "int") + b"\x85R" + state + b"b."
    assert CALL in rules(scan_bytes(tmp_path, proto(2) + late))


def test_a_partial_that_is_called_is_told(tmp_path: Path) -> None:
    made = PARTIAL + by_global("collections", "OrderedDict") + b"\x85R"
    assert scan_bytes(tmp_path, proto(2) + made + b".") == []
    assert rules(scan_bytes(tmp_path, proto(2) + made + b")R.")) == {"pickle-computed-call"}


def test_a_factory_that_no_framework_calls(tmp_path: Path) -> None:
    made = by_global("collections", "defaultdict") + by_global(*MODEL) + b"\x85R."
    assert CALL in rules(scan_bytes(tmp_path, proto(2) + made))
    usual = by_global("collections", "defaultdict") + by_global("builtins", "list") + b"\x85R."
    assert scan_bytes(tmp_path, proto(2) + usual) == []


@pytest.mark.parametrize("argument", [b"K\x01", text("column")])
def test_an_item_getter_of_constants(tmp_path: Path, argument: bytes) -> None:
    made = ITEMGETTER + argument + b"\x85R"
    assert scan_bytes(tmp_path, proto(2) + made + b".") == []
    called = made + by_global("builtins", "list") + b"\x85R."
    assert "pickle-computed-call" in rules(scan_bytes(tmp_path, proto(2) + called))
    odd = ITEMGETTER + by_global("os", "system") + b"\x85R."
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, proto(2) + odd))
