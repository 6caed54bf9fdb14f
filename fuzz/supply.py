"""Packs, provenance and the files that steer a scan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from buttress.inspection.repository import new_lines
from buttress.packs import bundle
from buttress.packs.version import meets
from buttress.probes.agents.pack_contents import AGENT_RULES
from buttress.probes.artifacts.pack import fingerprints, known_good, pickle_names
from buttress.probes.deployment.pack_contents import INFRASTRUCTURE_RULES
from buttress.provenance import signed_manifest
from buttress.provenance.inventory import card, metadata
from buttress.provenance.licences import expression, text
from buttress.rules.credentials.pack_rules import SECRET_RULES
from buttress.rules.packed import PackedRules
from buttress.triage import baseline, suppressions, vex_file
from fuzz.harness import InvariantError, Run, Target, placed


def _pack(data: bytes) -> object:
    """An archive, or the manifest of a pack that has no other file."""
    archived = data.startswith(b"PK")
    path = placed("pack.zip", data) if archived else placed("pack/pack.yaml", data).parent
    found = bundle.read(path)
    return found.manifest.id, str(found.manifest.version), found.manifest.contents, found.files


def _version(data: bytes) -> object:
    version, _, wanted = data.decode("utf-8", "replace").partition("\n")
    return meets(version, wanted)


def _file(name: str, load: Callable[[Path], object]) -> Run:
    return lambda data: load(placed(name, data))


def _names(kind: str) -> Run:
    """Load the names, and try their examples, which are assembled to pickles."""

    def run(data: bytes) -> object:
        path = placed("names.yaml", data)
        pickle_names.try_examples(path, kind, "fuzzed 1.0.0")
        return pickle_names.load(path, kind, "fuzzed 1.0.0")

    return run


def _rules(contents: PackedRules[Any]) -> Run:
    def run(data: bytes) -> object:
        return contents.check(placed("rules.yaml", data), "fuzzed 1.0.0", {})

    return run


def _licence(data: bytes) -> object:
    found = expression.parse(data.decode("utf-8", "replace"))
    if not all(found):
        raise InvariantError("a choice of no licence")
    return found


def _patch(data: bytes) -> object:
    return [(one.start, one.stop) for one in new_lines(data)]


TARGETS: Final = (
    Target("pack", _pack),
    Target("pack-version", _version, (ValueError,)),
    Target("pack-secrets", _rules(SECRET_RULES)),
    Target("pack-fingerprints", _file("fingerprints.yaml", fingerprints.load)),
    Target("pack-known-good", _file("good.yaml", lambda path: known_good.load(path, "fuzzed 1"))),
    Target("pack-allowlist", _names("pickle-allowlist")),
    Target("pack-danger", _names("pickle-danger")),
    Target("pack-infrastructure", _rules(INFRASTRUCTURE_RULES)),
    Target("pack-agents", _rules(AGENT_RULES)),
    Target("signed-manifest", signed_manifest.read, (signed_manifest.BundleError,)),
    Target("licence-expression", _licence, (expression.ExpressionError,)),
    Target("licence-text", text.recognise),
    Target("model-card", card.front_matter),
    Target("gguf-facts", metadata.gguf_header),
    Target("safetensors-facts", _file("facts.safetensors", metadata.safetensors)),
    Target("baseline", _file("baseline.json", baseline.read)),
    Target("suppressions", _file("suppressions.yaml", suppressions.load)),
    Target("vex", _file("vex.json", vex_file.load)),
    Target("patch", _patch),
)
