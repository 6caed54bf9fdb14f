"""Model files, containers and what stands in them; nothing is loaded."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from buttress.evidence.findings import Inspection
from buttress.files.bounded_json import JsonError, parse
from buttress.files.byte_source import (
    BytesSource,
    ExpansionError,
    FileSource,
    ResourceMeter,
)
from buttress.probes.artifacts import code_text, digests, jinja_template, python_beside
from buttress.probes.artifacts.containers.decompress import Decompressed
from buttress.probes.artifacts.encodings.text_message import messages
from buttress.probes.artifacts.formats import (
    chat_template,
    compressed,
    core_ml_weights,
    flax,
    gguf,
    graph_text,
    hdf5,
    json_config,
    keras,
    numpy_array,
    onnx_external,
    opaque_weights,
    paddle_json,
    paddle_params,
    pickled,
    protobuf_model,
    python_path,
    safetensors,
    seven_zip_archive,
    stray_pickle,
    tar_archive,
    tflite,
    xml_model,
    yaml_config,
    zip_archive,
)
from buttress.probes.artifacts.integrity.probe import PROBE as INTEGRITY
from buttress.probes.artifacts.issue import RULES, ArtifactIssue
from buttress.probes.artifacts.pickles.added import Added, Told
from buttress.probes.artifacts.pickles.judge import OWN_LISTS
from buttress.probes.artifacts.recognise import Format, examine
from buttress.probes.artifacts.scope import FileTally, Scope
from buttress.probes.artifacts.sniffers import HEAD
from buttress.protocols.inspection import InspectionContext
from fuzz.harness import InvariantError, Run, Target, check_finding, placed, private

_MOST: Final = 200  # issues looked at, as the probe does
_PLAIN: Final = 1 << 20  # bytes that come out of a stream
FORMATS: Final[dict[str, Format]] = {
    "pickle": pickled,
    "zip": zip_archive,
    "safetensors": safetensors,
    "gguf": gguf,
    "npy": numpy_array,
    "hdf5": hdf5,
    "keras": keras,
    "tar": tar_archive,
    "compressed": compressed,
    "7z": seven_zip_archive,
    "json-config": json_config,
    "yaml-config": yaml_config,
    "chat-template": chat_template,
    "xml": xml_model,
    "tflite": tflite,
    "flax": flax,
    "protobuf": protobuf_model,
    "stray-pickle": stray_pickle,
    "graph-text": graph_text,
    "paddle-json": paddle_json,
    "paddle-params": paddle_params,
    "core-ml-weights": core_ml_weights,
    "opaque-weights": opaque_weights,
}


def _scope(data: bytes) -> Scope:
    """A whole file's, so that formats look at what lies beside it: here nothing."""
    tally = FileTally(private() / "beside" / "model.bin")
    tally.meter.size = len(data)
    return Scope(tally)


def _checked(issues: list[ArtifactIssue]) -> list[ArtifactIssue]:
    for one in issues:
        if one.rule not in RULES.own:
            raise InvariantError(f"no such rule: {one.rule}")
        for text in (one.message, one.proof, one.location):
            if not text.isprintable():
                raise InvariantError(f"a text that can't be printed: {text!r}")
    return issues


def _whole(data: bytes) -> object:
    """All formats by content, as for a file in a scan."""
    scope = _scope(data)
    issues = _checked(list(islice(examine(BytesSource(data), scope), _MOST)))
    return issues, scope.tally.unread, scope.tally.recognised, scope.tally.meter.expanded


def _of(form: Format) -> Run:
    """One format alone: nothing else spends the fuzzer's time."""

    def run(data: bytes) -> object:
        source, scope = BytesSource(data), _scope(data)
        if not data or not form.matches(source, data[:HEAD]):
            return None
        try:
            issues = list(islice(form.inspect(source, scope), _MOST))
        except ExpansionError as error:
            issues = [scope.bomb(error)]
        return _checked(issues), scope.tally.unread

    return run


def _template(data: bytes) -> object:
    return jinja_template.suspicious(data.decode("utf-8", "replace"))


def _digests(data: bytes) -> object:
    return digests.read(placed("sha256sums.txt", data))


def _beside(data: bytes) -> object:
    return python_beside.reaches(placed("modeling.py", data), OWN_LISTS)


def _integrity(data: bytes) -> object:
    *findings, last = INTEGRITY.inspect(InspectionContext.at("fuzzed", placed("weights.bin", data)))
    if not isinstance(last, Inspection):
        raise InvariantError("no inspection at the end")
    for one in findings:
        check_finding(one)
    return findings, replace(last, seconds=0.0)


def _python_path(data: bytes) -> object:
    """Under each kind of name that Python runs a file by."""
    found = []
    for name in ("x.pth", "sitecustomize.py"):
        with FileSource(placed(name, data), ResourceMeter()) as source:
            if data and python_path.matches(source, data[:HEAD]):
                found += _checked(list(python_path.inspect(source, _scope(data))))
    return found


def _values(data: bytes) -> object:
    """Code in the values of a configuration; each part must stand where it is said to be."""
    try:
        value, _ = parse(data)
    except JsonError as error:
        return str(error)
    found = list(islice(code_text.in_values(value), _MOST))
    if any(len(part) > 60 or not part for _, part in found):
        raise InvariantError("a part of no length, or a whole text")
    return found


def _gzip(data: bytes) -> object:
    """What Python's own reader takes comes out the same here."""
    inner = Decompressed(BytesSource(data), "gzip", ResourceMeter())
    plain = inner.read_at(0, _PLAIN)
    try:
        theirs = gzip.decompress(data)[:_PLAIN]
    except (OSError, EOFError, zlib.error):
        return plain
    if data and plain != theirs:
        raise InvariantError(f"{len(plain)} bytes where Python has {len(theirs)}")
    end = inner.end(_PLAIN)
    if end is not None and not 0 <= end <= len(data):
        raise InvariantError(f"it ends at {end} of {len(data)}")
    return plain


def _external(data: bytes) -> object:
    """Entries of external data: pairs of lines, tensors apart by blank lines."""
    external = onnx_external.External()
    scope, said = _scope(data), []
    for tensor in data.decode("utf-8", "replace").split("\n\n")[:_MOST]:
        lines = tensor.split("\n")
        entries = list(zip(lines[::2], lines[1::2], strict=False))
        said.append(external.add(entries, lines[0], len(tensor), 0))
    return said, _checked(list(islice(external.issues(scope), _MOST)))


def _message(data: bytes) -> object:
    """Each message begins within the text, and the outermost comes last."""
    text = data.decode("utf-8", "replace")
    found = list(messages(text))
    if any(not 0 <= one.offset <= len(text) for one in found) or found[-1].depth != 0:
        raise InvariantError("a message that lies nowhere")
    return found


def _added(data: bytes) -> object:
    """Names of packs come back the same from what one process tells another."""
    lines = data.decode("utf-8", "replace").split("\n")
    told = Told(lines[0], lines[-1])
    before = Added(
        dict.fromkeys(pairwise(lines), told),
        dict.fromkeys(lines[::2], told), dict.fromkeys(lines[1::2], told),
    )  # fmt: skip
    if Added.of_plain(before.plain()) != before:
        raise InvariantError("names were lost on the way")
    return [before.danger(module, name) for module, name in before.allowed][:_MOST]


TARGETS: Final = (
    Target("model-file", _whole),
    *(Target(name, _of(form)) for name, form in FORMATS.items()),
    Target("jinja", _template),
    Target("python-path", _python_path),
    Target("config-values", _values),
    Target("gzip", _gzip),
    Target("onnx-external", _external),
    Target("text-message", _message),
    Target("pack-names", _added),
    Target("digest-manifest", _digests),
    Target("python-beside", _beside),
    Target("weight-integrity", _integrity),
)
