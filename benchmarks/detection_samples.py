"""Builds the malicious samples of ``detection.py``, all inert.

Kinds of sample follow what the test suites of picklescan, modelscan, modelaudit and fickling build;
every builder is our own. Pickles are written opcode by opcode. Nothing here is ever loaded.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import itertools
import json
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib

import numpy as np
from detection_unseen import unseen
from tests.probes.artifacts import assemble as a
from tests.probes.artifacts import wire as w
from tests.probes.artifacts.test_archives import CENTRAL, CLEAN, END, LOCAL, patched, torch_zip
from tests.probes.artifacts.test_keras import DENSE, LAMBDA, layer, model
from tests.probes.artifacts.test_more_archives import ELF, seven
from tests.probes.artifacts.test_tensor_files import GOOD, TENSORS, gguf, pair, safetensors, string

_GADGETS = """
os.system posix.system nt.system subprocess.Popen subprocess.check_output pty.spawn
builtins.eval builtins.exec __builtin__.eval __builtin__.execfile builtins.compile
builtins.__import__ builtins.open builtins.breakpoint importlib.import_module runpy.run_path
socket.create_connection urllib.request.urlopen urllib2.urlopen requests.api.get webbrowser.open
httplib.HTTPSConnection aiohttp.client.ClientSession smtplib.SMTP ssl.get_server_certificate
shutil.rmtree tempfile.mktemp zipfile.ZipFile tarfile.open sqlite3.connect io.FileIO
timeit.timeit cProfile.run profile.run pdb.run bdb.Bdb.run trace.Trace.run doctest.debug_script
code.interact codeop.compile_command pydoc.locate pydoc.pipepager pkgutil.resolve_name
ctypes.CDLL cffi.FFI sys.modules gc.get_objects marshal.loads pickle.loads _pickle.loads
dill.loads cloudpickle.loads joblib.load numpy.load torch.load pandas.read_pickle
numpy.testing._private.utils.runstring numpy.f2py.crackfortran.myeval torch.hub.load
torch.utils.collect_env.run torch.jit.unsupported_tensor_ops.execWrapper
torch.utils.bottleneck.__main__.run_cprofile torch._dynamo.guards.GuardBuilder.get
idlelib.pyshell.ModifiedInterpreter.runcode idlelib.run.Executive.runcode
lib2to3.pgen2.grammar.Grammar.loads lib2to3.pgen2.pgen.ParserGenerator.make_label
logging.config._resolve logging.FileHandler asyncio.unix_events._UnixSubprocessTransport._start
distutils.file_util.write_file ensurepip._run_pip venv.create pip.main test.support.run_code
uuid._get_command_stdout imaplib.IMAP4_stream nturl2path.url2pathname platform.popen
operator.methodcaller operator.attrgetter functools.partial functools.reduce types.CodeType
types.FunctionType builtins.getattr multiprocessing.util.spawnv_passfds _posixsubprocess.fork_exec
tensorflow.keras.models.load_model keras.utils.get_file xgboost.Booster.load_model
somewhere.unknown.gadget __main__.Payload evil_package.run
"""
CALLS = {
    "reduce": a.call,
    "obj": a.by_obj,
    "new": a.by_new,
    "new-ex": lambda function: function + a.text("id") + b"\x85}\x92",
    "build": lambda function: function + b")R}" + a.text("x") + a.text("id") + b"sb",
}
EXPLOIT = (
    "{{ ''.__class__.__mro__[1].__subclasses__()[104].__init__.__globals__['o'~'s'].popen('id') }}"
)
REMOTE = {"model_type": "x", "auto_map": {"AutoModel": "modeling_x.XModel"}}


def malicious() -> dict[str, bytes]:
    """File name -> contents."""
    return {**_gadgets(), **_spellings(), **_containers(), **_formats(), **unseen()}


def _gadgets() -> dict[str, bytes]:
    """Each gadget once, the spelling of the import and of the call taken in turn."""
    ways = itertools.cycle(itertools.product(a.IMPORTS.values(), (a.call, a.by_obj, a.by_new)))
    samples = {}
    for gadget, (spell, call) in zip(_GADGETS.split(), ways, strict=False):
        module, _, name = gadget.rpartition(".")
        samples[f"gadget-{gadget}.pkl"] = a.proto(4) + call(spell(module, name)) + b"."
    return samples


def _spellings() -> dict[str, bytes]:
    """One gadget in all spellings, and tricks with the stream around it."""
    evil = a.call(a.by_stack_global("os", "system"))
    samples = {
        f"spelled-{import_}-{call}.pkl": a.proto(4) + how(spell("os", "system")) + b"."
        for import_, spell in a.IMPORTS.items()
        for call, how in CALLS.items()
    }
    hidden = base64.b64encode(a.EVIL)
    utf8 = a.EVIL.decode("latin-1").encode()
    return samples | {
        "inst.pkl": a.by_inst("os", "system") + b".",
        "no-protocol.pkl": a.call(a.by_global("os", "system")) + b".",
        "import-only.pkl": a.proto(4) + a.by_stack_global("os", "system") + b".",
        "broken-tail.pkl": a.proto(4) + evil + b"\xff\xff\xff",
        "no-stop.pkl": a.proto(4) + evil,
        "cut-argument.pkl": a.proto(4) + evil + b"X\xff\xff\0\0abc",
        "underflow-after.pkl": a.proto(4) + evil + b"000000.",
        "popped.pkl": a.proto(4) + evil + b"0N.",
        "dead-mark.pkl": a.proto(4) + b"(" + evil + b"1N.",
        "frame-lies.pkl": a.proto(4) + b"\x95" + struct.pack("<Q", 3) + evil + b".",
        "junk-first.pkl": a.proto(4) + b"N0" * 4000 + evil + b".",
        "second-stream.pkl": CLEAN + a.EVIL,
        "tenth-stream.pkl": CLEAN * 9 + a.EVIL,
        "dotted-name.pkl": a.proto(4)
        + a.call(a.by_stack_global("torch.serialization", "os.system")) + b".",
        "python2-name.pkl": a.proto(2) + a.call(a.by_global("commands", "getoutput")) + b".",
        "persistent-id.pkl": a.proto(4) + evil + b"Q.",
        "extension-code.pkl": a.proto(2) + b"\x82\x01" + a.text("id") + b"\x85R.",
        "patched-module.pkl": a.proto(4) + a.by_stack_global("builtins", "__dict__")
        + a.text("print") + a.by_stack_global("builtins", "eval") + b"s.",
        "getattr-chain.pkl": a.proto(4) + a.by_stack_global("builtins", "getattr")
        + a.by_stack_global("builtins", "__import__") + a.text("os") + b"\x85R" + a.text("system")
        + b"\x86R" + a.text("id") + b"\x85R.",
        "nested-bytes.pkl": a.proto(4) + a.constant(a.EVIL) + b".",
        "nested-text.pkl": a.proto(2) + b"c_codecs\nencode\n" + a.wide_text("latin1")[:0] + b"X"
        + struct.pack("<I", len(utf8)) + utf8 + a.wide_text("latin1") + b"\x86R.",
        "nested-base64.pkl": a.proto(4) + a.text(hidden.decode()) + b".",
        "nested-base64-bytes.pkl": a.proto(4) + a.constant(hidden) + b".",
        "nested-hex.pkl": a.proto(4) + a.text(a.EVIL.hex()) + b".",
        "lambda-bytecode.pkl": a.proto(4) + a.by_stack_global("dill._dill", "_create_function")
        + a.by_stack_global("dill._dill", "_create_code") + b")R\x85R.",
        "cloudpickle.pkl": a.proto(4)
        + a.by_stack_global("cloudpickle.cloudpickle", "_make_function") + b")R.",
    }  # fmt: skip


def _containers() -> dict[str, bytes]:
    """The same pickle where scanners do not look, or stop."""
    zipped = torch_zip(a.EVIL)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("pickle")
        member.size = len(a.EVIL)
        archive.addfile(member, io.BytesIO(a.EVIL))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("archive/data.pkl", a.EVIL)
        archive.writestr("archive/data.pkl", CLEAN)
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
    old = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        old, {"descr": "|O", "fortran_order": False, "shape": (1,)}
    )
    npy = old.getvalue() + a.EVIL
    return {
        "torch.pt": zipped,
        "torch-deflated.pt": a.zipped({"archive/data.pkl": a.EVIL}, zipfile.ZIP_DEFLATED),
        "torch-other-name.pt": a.zipped({"archive/data.pkl": CLEAN, "archive/weights.txt": a.EVIL}),
        "torch-crc.pt": patched(zipped, CENTRAL, 16, b"\xde\xad\xbe\xef"),
        "torch-flag-central.pt": patched(zipped, CENTRAL, 8, b"\x01\0"),
        "torch-flag-local.pt": patched(zipped, LOCAL, 6, b"\x01\0"),
        "torch-flag-20.pt": patched(zipped, LOCAL, 6, b"\x20\0"),
        "torch-flag-40.pt": patched(zipped, LOCAL, 6, b"\x40\0"),
        "torch-method.pt": patched(zipped, LOCAL, 8, b"\x63\0"),
        "torch-local-name.pt": patched(zipped, LOCAL, 30, b"X"),
        "torch-count.pt": patched(zipped, END, 10, b"\x63\0"),
        "torch-no-directory.pt": zipped[: zipped.index(CENTRAL)],
        "torch-prefix.pt": b"#!prefix\n" * 50 + zipped,
        "torch-twice.pt": twice.getvalue(),
        "torch-legacy.pt": magic + a.EVIL + b"\x80\x02].",
        "torch-legacy-other-magic.pt": b"\x80\x02\x8a\x0ai\xfc\x9cF\xf9 j\xa8P\x19." + a.EVIL * 3,
        "torch-tar.pt": tar.getvalue(),
        "polyglot-pickle-zip.pt": a.EVIL + torch_zip(CLEAN),
        "polyglot-clean-zip.pkl": CLEAN + zipped,
        "renamed.txt": a.EVIL,
        "renamed.safetensors": a.EVIL,
        "renamed-zip.png": zipped,
        "no-suffix": a.EVIL,
        "joblib-zlib.joblib": zlib.compress(a.EVIL),
        "joblib-gzip.joblib": gzip.compress(a.EVIL),
        "joblib-lzma.joblib": lzma.compress(a.EVIL, format=lzma.FORMAT_ALONE),
        "pickle.pkl.bz2": bz2.compress(a.EVIL),
        "pickle.pkl.xz": lzma.compress(a.EVIL),
        "array.npy": npy,
        "arrays.npz": a.zipped({"x.npy": npy}),
        "seven.7z": seven({"data.pkl": a.EVIL}),
        "zip-in-zip.zip": a.zipped({"inner.zip": a.zipped({"x.pkl": a.EVIL})}),
        "zip-in-gzip.tar.gz": gzip.compress(tar.getvalue()),
        "slip.zip": a.zipped({"../../../etc/cron.d/x": b"* * * * * root id"}),
        "program.zip": a.zipped({"lib.so": ELF}),
        "model.mar": a.zipped({"MAR-INF/MANIFEST.json": b"{}", "model.pt": zipped}),
        "model.nemo": tar.getvalue(),
    }


def _formats() -> dict[str, bytes]:
    """Code in formats that are no pickles."""
    function = {"module": "subprocess", "class_name": "function", "config": "run"}
    own = layer("Special", "somebody.layers")
    legacy = {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {
                    "class_name": "Lambda",
                    "config": {"name": "l", "function": ["4wEAAA==", None, None]},
                }
            ]
        },
    }
    custom = {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 4]}},
                {"class_name": "MaliciousLayer", "config": {"name": "m"}},
            ]
        },
    }
    nested = GOOD | {"a": {"__metadata__": None}}
    graph = w.graph_def(w.tf_node("r", "ReadFile", "name"), w.tf_node("c", "Const", text="/etc/x"))
    return {
        "lambda.keras": keras_archive(DENSE, LAMBDA),
        "lambda.json": json.dumps(legacy).encode(),
        "custom-layer.json": json.dumps(custom).encode(),
        "function.keras": keras_archive(layer("Dense", activation=function)),
        "foreign.keras": keras_archive(own),
        "get-file.keras": keras_archive(layer("Dense", activation={
            "module": "keras.utils", "class_name": "function", "config": "get_file"})),
        "read-file.pb": w.saved_model(graph),
        "write-file.pb": w.saved_model(w.graph_def(w.tf_node("r", "WriteFile", "name", "c"))),
        "py-func.pb": w.saved_model(w.graph_def(w.tf_node("r", "PyFunc", "x"))),
        "in-function.pb": w.saved_model(w.graph_def(
            w.tf_node("p", "Placeholder"), functions=((w.tf_node("r", "ReadFile", "x"),),))),
        "external.onnx": w.onnx(w.onnx_node("Add"), tensors=(
            w.onnx_tensor("t", [4], external={"location": "../../../../etc/passwd"}),)),
        "python.onnx": w.onnx(w.onnx_node("PyOp", "ai.onnx.contrib")),
        "template.gguf": gguf([pair("tokenizer.chat_template", 8, string(EXPLOIT))], TENSORS),
        "counts.gguf": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60) + bytes(64),
        "overlap.safetensors": safetensors(
            GOOD | {"b": {"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]}}),
        "length.safetensors": safetensors(GOOD, length=1 << 50),
        "entry.safetensors": safetensors(nested),
        "metadata.safetensors": safetensors(
            {"__metadata__": {"info": "import os; os.system('id')"}, **GOOD}),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "X", "chat_template": EXPLOIT})
        .encode(),
        "builtins-template.json": json.dumps({"tokenizer_class": "X", "chat_template":
            "{{ __builtins__['eval']('1') }}"}).encode(),
        "getattr-template.json": json.dumps({"tokenizer_class": "X", "chat_template":
            "{{ getattr(getattr('', '__class__'), '__mro__') }}"}).encode(),
        "chat_template.jinja": EXPLOIT.encode(),
        "remote-code.json": json.dumps(REMOTE).encode(),
        "hydra.yaml": b"model:\n  _target_: os.system\n  command: id\n",
        "tag.yaml": b"x: !!python/object/apply:os.system ['id']\n",
        "entity.pmml": b'<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/x">]>'
        b"<PMML version='4.4'><Header>&x;</Header></PMML>",
        "flax.msgpack": w.packed({"params": {"w": w.array([1], "float32", bytes(4))}, "x": a.EVIL}),
    }  # fmt: skip


def keras_archive(*layers: dict[str, object]) -> bytes:
    return a.zipped({"metadata.json": b'{"keras_version": "3.5.0"}', "config.json": model(*layers)})
