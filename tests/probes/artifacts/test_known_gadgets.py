"""Kinds of gadgets and evasions that scanners are known to have missed, built inert.

Which modules and tricks these are is public: advisories against picklescan and fickling (the
GHSA and CVE numbers below) and the test suites of picklescan, fickling, modelscan, modelaudit.
"""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.probes.artifacts.assemble import (
    by_global,
    by_inst,
    by_obj,
    by_stack_global,
    call,
    constant,
    proto,
    rules,
    scan_bytes,
    text,
    zipped,
)
from tests.probes.artifacts.test_archives import CENTRAL, patched
from tests.probes.artifacts.test_keras import HDF5, layer, model

# Module and name; advisories name them one by one, since each passed a list of forbidden names.
GADGETS = (
    """
numpy.f2py.crackfortran getlincoef|numpy.f2py.crackfortran _eval_length|ssl get_server_certificate
distutils.file_util write_file|idlelib.autocomplete AutoComplete.get_entity|cgitb handler
idlelib.autocomplete AutoComplete.fetch_completions|idlelib.calltip Calltip.fetch_tip
idlelib.calltip get_entity|idlelib.debugobj ObjectTreeItem.SetText|cgi parse|cython inline
idlelib.pyshell ModifiedInterpreter.runcode|idlelib.pyshell ModifiedInterpreter.runcommand
lib2to3.pgen2.grammar Grammar.loads|venv create|torch.jit.unsupported_tensor_ops execWrapper
torch.utils._config_module ConfigModule.load_config|torch.utils.bottleneck.__main__ run_cprofile
torch.utils.bottleneck.__main__ run_autograd_prof|trace Trace.runctx|profile Profile.runctx
torch.utils.data.datapipes.utils.decoder basichandlers|torch._inductor.codecache compile_file
torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
http.client HTTPConnection|pkgutil resolve_name|multiprocessing.util spawnv_passfds
_posixsubprocess fork_exec|pip main|_aix_support _read_cmd_output|_osx_support _read_output
site main|zipimport zipimporter|asyncio.unix_events _UnixSubprocessTransport._start
code InteractiveConsole|gc get_objects|ctypes.util find_library|_ctypes dlopen|imp load_source
py_compile compile|compileall compile_dir|modulefinder ModuleFinder.run_script
rlcompleter Completer.global_matches|unittest.mock _importer
test.support.script_helper assert_python_ok|doctest testsource|tarfile open|smtplib SMTP
torch.utils.cpp_extension load_inline|torch.distributed.rpc rpc_sync|cmd Cmd.onecmd
_interpreters exec|tensorflow.python.framework.load_library load_op_library
keras.src.utils.file_utils get_file|typing get_type_hints|typing ForwardRef._evaluate
string Formatter.get_field|threading Thread|networkx.readwrite.gpickle read_gpickle
statsmodels.iolib.smpickle load_pickle|weakref finalize|llvmlite.binding load_library_permanently
django.core.management call_command|flask.cli main|logging.config listen|logging FileHandler
xml.dom.pulldom parse|sqlite3 connect|shelve open|builtins breakpoint|builtins input|io open
io FileIO|codecs open|fileinput input|glob glob|torch.hub load|torch.serialization load|numpy load
pandas.io.pickle read_pickle|joblib load|pickle loads|_pickle Unpickler|marshal loads
yaml unsafe_load|jinja2.environment Template|cProfile runctx|bdb Bdb.run|pdb run|timeit timeit
pydoc locate|pydoc pipepager|runpy run_path|webbrowser open|antigravity geohash|setuptools setup
pkg_resources run_script|os startfile|concurrent.interpreters create|pathlib PosixPath.unlink
pathlib._local PosixPath.write_text|tokenize open|configparser ConfigParser.read|sysconfig _main
optparse Values.read_file|pandas DataFrame.query|pandas.core.frame DataFrame.eval|nltk.data load
contextlib ExitStack.callback|_interpreters run_string|ensurepip _run_pip|uuid _get_command_stdout
atexit register|site addpackage|_testinternalcapi run_in_subinterp|_pyrepl.main interactive_console
_xxsubinterpreters run_string|torch._dynamo.guards GuardBuilder.get|torch.utils.collect_env run
""".strip()
    .replace("\n", "|")
    .split("|")
)
KINDS = {"pickle-dangerous-import", "pickle-bytecode"}


@pytest.mark.parametrize("gadget", GADGETS)
def test_gadgets(tmp_path: Path, gadget: str) -> None:
    module, name = gadget.split(" ")
    for body in (call(by_stack_global(module, name)), by_inst(module, name),
                 by_obj(by_global(module, name)), by_global(module, name)):  # fmt: skip
        found = scan_bytes(tmp_path, proto(4) + body + b".")
        assert rules(found) & KINDS, body
        assert max(one.severity == "critical" or one.rule == "pickle-bytecode" for one in found)


def test_any_other_name_is_told_too(tmp_path: Path) -> None:
    for module, name in (("inspect", "getattr_static"), ("numba", "jit"), ("gettext", "find"),
                         ("builtins", "print"), ("posixpath", "expanduser")):  # fmt: skip
        found = scan_bytes(tmp_path, proto(4) + call(by_stack_global(module, name)) + b".")
        assert "pickle-unknown-import" in rules(found)


def _got(inner: bytes, attribute: str) -> bytes:
    return by_stack_global("builtins", "getattr") + inner + text(attribute) + b"\x86R"


CHAINS = {
    "a module fetched, then an attribute of it": _got(call(by_global("importlib", "x")), "system"),
    "import_module": _got(call(by_stack_global("importlib", "import_module"), "os"), "system")
    + text("id") + b"\x85R",
    "a library and its function": _got(call(by_stack_global("ctypes", "CDLL"), "libc"), "system"),
    "an interpreter and its method": _got(
        by_stack_global("code", "InteractiveInterpreter") + b")R", "runsource"),
    "attrgetter": call(by_stack_global("operator", "attrgetter"), "system")
    + call(by_stack_global("builtins", "__import__"), "os") + b"\x85R" + text("id") + b"\x85R",
    "locate": call(by_global("pydoc", "locate"), "ctypes.windll.kernel32.WinExec")
    + constant(b"calc") + b"\x85R",
    "code from marshal": by_stack_global("types", "FunctionType")
    + by_stack_global("marshal", "loads") + constant(b"\xe3" + bytes(20)) + b"\x85R}\x86R)R",
    "globals, compile, eval": b"c__builtin__\nglobals\n)Rp1\n0c__builtin__\ncompile\n"
    + b"(S'x=1'\nS''\nS'exec'\ntRp2\n0c__builtin__\neval\n(g2\ng1\ntR",
    "apply": b"c__builtin__\napply\n(cos\nsystem\n(S'id'\nltR",
    "map": by_stack_global("builtins", "list") + by_stack_global("builtins", "map")
    + by_stack_global("os", "system") + text("id") + b"\x85\x86R\x85R",
    "build after a reduce": call(by_stack_global("pty", "spawn")) + text("done") + b"b",
    "sys.modules changed": by_stack_global("sys", "modules") + text("os") + b"Ns",
    "partial": by_stack_global("functools", "partial") + by_stack_global("os", "system")
    + text("id") + b"\x86R)R",
    "a name with its module in dots": call(by_stack_global("torch.serialization", "os.system")),
    "names from escaped text": b"V\\u006fs\nVsys\\u0074em\n\x93" + text("id") + b"\x85R",
    "bytes for a name": constant(b"os") + constant(b"system") + b"\x93" + text("id") + b"\x85R",
    "numbers for a name": b"K\x01K\x02\x93" + text("id") + b"\x85R",
}  # fmt: skip
GRAVE = {"pickle-dangerous-import", "pickle-computed-name", "pickle-bytecode", "pickle-broken"}


@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_chains(tmp_path: Path, chain: str) -> None:
    assert rules(scan_bytes(tmp_path, proto(4) + CHAINS[chain] + b".")) & GRAVE
    # CVE-2025-10155: neither the name nor what lies before or behind it matters.
    for name in ("model.txt", "weights.safetensors", "x.png", "noext"):
        behind = b"\x80\x04N." + proto(4) + CHAINS[chain] + b".\xff\xff"
        assert rules(scan_bytes(tmp_path, behind, name)) & GRAVE


def test_archives_that_stop_scanners(tmp_path: Path) -> None:
    """CVE-2025-10156: a wrong checksum; and names, methods and flags that contradict each other."""
    evil = proto(2) + call(by_global("os", "system")) + b"."
    whole = zipped({"archive/data.pkl": evil, "archive/version": b"3"}, zipfile.ZIP_DEFLATED)
    for offset, value in ((16, b"\0\0\0\0"), (8, b"\x01\0"), (8, b"\x20\0"), (8, b"\x40\0"),
                          (20, b"\1\0\0\0"), (24, b"\0\0\0\0"), (46, b"X")):  # fmt: skip
        damaged = patched(whole, CENTRAL, offset, value)
        assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, damaged)), (offset, value)
    legacy = proto(2) + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + evil
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, legacy, "x.pt"))
    wrong_magic = proto(2) + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x20." + evil
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, wrong_magic, "x.pt"))


NESTED = [
    ("builtins", "exec", "critical"), ("builtins", "eval", "critical"),
    ("os", "system", "critical"),
    ("keras.utils", "get_file", "critical"),
    ("keras.config", "enable_unsafe_deserialization", "critical"),
    ("keras.src.saving.saving_api", "load_model", "critical"),
    ("keras.layers", "TorchModuleWrapper", "high"), ("keras.layers", "TFSMLayer", "high"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "severity"), NESTED)
@pytest.mark.parametrize("as_function", [True, False])
def test_keras_configurations_with_references_deep_inside(
    tmp_path: Path, module: str, name: str, severity: str, as_function: bool
) -> None:
    inner = {"module": module, "class_name": name, "config": {"x": 1}, "registered_name": name}
    if as_function:
        inner |= {"class_name": "function", "config": name, "registered_name": "function"}
    config = model(layer("Dense", kernel_initializer=inner))
    old = json.dumps({"class_name": "Sequential", "config": {"layers": [
        {"class_name": "Dense", "config": {"kernel_initializer": inner}}]}}).encode()  # fmt: skip
    for data in (config, HDF5 + bytes(900) + old, zipped({"config.json": config})):
        (found,) = scan_bytes(tmp_path, data)
        assert (found.rule, found.severity) == ("keras-foreign-module", severity)


def test_keras_functions_of_the_program_are_none_of_these(tmp_path: Path) -> None:
    own = {"module": "builtins", "class_name": "function", "config": "my_activation"}
    assert scan_bytes(tmp_path, model(layer("Dense", activation=own))) == []
    words = layer("StringLookup", vocabulary="/etc/passwd")
    assert rules(scan_bytes(tmp_path, model(words))) == {"config-path"}
    assert scan_bytes(tmp_path, model(layer("StringLookup", vocabulary=["a", "b"]))) == []


def test_numpy_files_that_unpickle(tmp_path: Path) -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    evil = proto(4) + CHAINS["attrgetter"] + b"."
    for version in (1, 2, 3):
        length = struct.pack("<H" if version == 1 else "<I", len(header))
        data = b"\x93NUMPY" + bytes([version, 0]) + length + header + evil
        assert rules(scan_bytes(tmp_path, data)) & GRAVE
    assert np.dtype("O").hasobject
