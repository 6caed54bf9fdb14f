"""Packs, provenance and the files that steer a scan."""

from __future__ import annotations

from typing import Final

from buttress.packs import bundle, fingerprints, secret_rules
from buttress.packs.version import meets
from buttress.provenance import signed_manifest
from buttress.provenance.inventory import card, metadata
from buttress.provenance.licences import expression, text
from buttress.scanning import baseline, suppressions, vex
from buttress.scanning.repository import new_lines
from fuzz.harness import InvariantError, Run, Target, placed, private


def _pack(data: bytes) -> object:
    """An archive, or the manifest of a pack that has no other file."""
    if data.startswith(b"PK"):
        return bundle.read(placed("pack.zip", data))
    return bundle.read(placed("pack/pack.yaml", data).parent)


def _version(data: bytes) -> object:
    version, _, wanted = data.decode("utf-8", "replace").partition("\n")
    return meets(version, wanted)


def _file(name: str, load: object) -> Run:
    def run(data: bytes) -> object:
        return load(placed(name, data))  # type: ignore[operator]

    return run


def _signed(data: bytes) -> object:
    return signed_manifest.read(data)


def _licence(data: bytes) -> object:
    found = expression.parse(data.decode("utf-8", "replace"))
    if not all(found):
        raise InvariantError("a choice of no licence")
    return found


def _gguf(data: bytes) -> object:
    return metadata.gguf_header(data)


def _patch(data: bytes) -> object:
    return [(one.start, one.stop) for one in new_lines(data)]


def _vex(data: bytes) -> object:
    return [(one, one.about) and repr(one) for one in vex.load(placed("vex.json", data))]


def _suppressions(data: bytes) -> object:
    return suppressions.load(placed("suppressions.yaml", data))


TARGETS: Final = (
    Target("pack", _pack),
    Target("pack-version", _version, (ValueError,)),
    Target("pack-secrets", _file("secrets.yaml", secret_rules.load)),
    Target("pack-fingerprints", _file("fingerprints.yaml", fingerprints.load)),
    Target("signed-manifest", _signed, (signed_manifest.BundleError,)),
    Target("licence-expression", _licence, (expression.ExpressionError,)),
    Target("licence-text", text.recognise),
    Target("model-card", card.front_matter),
    Target("gguf-facts", _gguf),
    Target("safetensors-facts", _file("facts.safetensors", metadata.safetensors)),
    Target("baseline", _file("baseline.json", baseline.read)),
    Target("suppressions", _suppressions),
    Target("vex", _vex),
    Target("patch", _patch),
)
_ = private
