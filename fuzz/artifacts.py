"""Model files, containers and what stands in them; nothing is loaded."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Final

from buttress.evidence.records import Inspection
from buttress.probes.artifacts import digests, jinja_template, python_beside
from buttress.probes.artifacts.formats import (
    chat_template,
    compressed,
    flax,
    gguf,
    hdf5,
    json_config,
    keras,
    numpy_array,
    pickled,
    protobuf_model,
    safetensors,
    seven_zip_archive,
    tar_archive,
    tflite,
    xml_model,
    yaml_config,
    zip_archive,
)
from buttress.probes.artifacts.integrity.probe import PROBE as INTEGRITY
from buttress.probes.artifacts.issue import Issue, rules
from buttress.probes.artifacts.recognise import HEAD, Format, examine
from buttress.probes.artifacts.scope import Scope, Tally
from buttress.probes.artifacts.source import BytesSource, ExpansionError
from fuzz.harness import InvariantError, Run, Target, check_finding, placed, private

_MOST: Final = 200  # issues looked at, as the probe does
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
}


def _scope(data: bytes) -> Scope:
    """A whole file's, so that formats look at what lies beside it: here nothing."""
    tally = Tally(private() / "beside" / "model.bin")
    tally.meter.size = len(data)
    return Scope(tally)


def _checked(issues: list[Issue]) -> list[Issue]:
    for one in issues:
        if one.rule not in rules():
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
    return python_beside.reaches(placed("modeling.py", data))


def _integrity(data: bytes) -> object:
    *findings, last = INTEGRITY.inspect("fuzzed", placed("weights.bin", data))
    if not isinstance(last, Inspection):
        raise InvariantError("no inspection at the end")
    for one in findings:
        check_finding(one)
    return findings, replace(last, seconds=0.0)


TARGETS: Final = (
    Target("model-file", _whole),
    *(Target(name, _of(form)) for name, form in FORMATS.items()),
    Target("jinja", _template),
    Target("digest-manifest", _digests),
    Target("python-beside", _beside),
    Target("weight-integrity", _integrity),
)
