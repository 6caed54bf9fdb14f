"""Inspection probes that read what `buttress privacy` and `buttress data run` wrote.

Measuring takes weights and hours; an assessment takes the documents of it, so that what was
measured moves its risks. Whether a document is of the weights that are assessed is not checked: the
two lie in folders of the same asset because somebody put them there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.evidence.findings import Finding, Inspection, Severity
from buttress.evidence.locations import Location
from buttress.packs.knowledge import Knowledge
from buttress.protocols.inspection import InspectionContext

MAX_BYTES: Final = 64 << 20
# (rule, severity, message) of each defect; a document that does not speak of it: None.
Defects = list[tuple[str, Severity, str]]
Reader = Callable[[dict[str, Any]], Defects | None]


@dataclass(frozen=True, slots=True)
class ResultsProbe:
    """Reads the documents in a tree that ``read`` has something to say of.

    ``names`` are the documents' file names by the value of their field ``schema``.
    """

    id: str
    title: str
    kinds: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    read: Reader
    rules: tuple[tuple[str, tuple[str, ...], str], ...]  # id, references, remedy
    version: str = "1"
    on_request: bool = True  # a scan for defects in files has no use for it

    def rule_ids(self, _knowledge: Knowledge) -> list[str]:
        """Ids of all rules that its findings can have."""
        return sorted(rule for rule, _, _ in self.rules)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings of the documents in the tree; as ``InspectionProbe``."""
        began = time.monotonic()
        wanted = {name: schema for schema, name in self.names}
        skipped: list[str] = []
        files = size = 0
        for file in context.tree.files:
            schema = wanted.get(Path(file.path).name)
            if schema is None:
                continue
            document = _document(Path(file.path), schema)
            if isinstance(document, str):
                if document:
                    skipped.append(f"{file.location}: {document}")
                continue
            try:
                defects = self.read(document)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                skipped.append(f"{file.location}: not as {schema} says ({error!r})")
                continue
            if defects is None:
                skipped.append(f"{file.location}: does not hold what this probe reads")
                continue
            files += 1
            size += Path(file.path).stat().st_size
            for rule, severity, message in defects:
                yield self._finding(context.asset, file.location, rule, severity, message)
        yield Inspection(
            probe=self.id, probe_version=self.version, asset=context.asset, files=files,
            bytes=size, skipped=tuple(skipped), seconds=time.monotonic() - began,
            unread=tuple(one for one in skipped if "does not hold" not in one),
        )  # fmt: skip

    def _finding(
        self, asset: str, where: str, rule: str, severity: Severity, message: str
    ) -> Finding:
        references, remedy = next(
            (references, remedy) for name, references, remedy in self.rules if name == rule
        )
        return Finding(
            rule=rule, severity=severity, asset=asset, location=where, place=Location(where),
            message=message, remedy=remedy, references=references, probe=self.id,
            probe_version=self.version,
        )  # fmt: skip


def _document(path: Path, schema: str) -> dict[str, Any] | str:
    """The document, or why there is none; empty where the file is something else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"larger than {MAX_BYTES >> 20} MiB"
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        return error.strerror or str(error)
    except orjson.JSONDecodeError as error:
        return f"not valid JSON: {error.msg}"
    return found if isinstance(found, dict) and found.get("schema") == schema else ""


def memorisation(document: dict[str, Any]) -> Defects | None:
    """What a document of `buttress privacy` says of memorised records."""
    parts = [document.get(name) for name in ("extraction", "exposure", "divergence", "attributes")]
    if not any(parts):
        return None
    extraction, exposure, divergence, attributes = parts
    found: Defects = []
    if extraction and extraction["leak"] is not False:
        mine = extraction["members"]
        what = f"{mine['near']} of {mine['texts']} training texts are continued as they go on"
        if extraction["leak"]:
            found.append(("training-data-extracted", "high", f"{what}, more than the base rate."))
        else:
            found.append(("extraction-without-base", "low", f"{what}; there is no base rate."))
    if exposure and exposure["leak"]:
        verbatim = sum(group["verbatim"] for group in exposure["groups"] if group["repeats"])
        found.append(
            (
                "canaries-exposed",
                "high" if verbatim else "medium",
                "Planted canaries are more exposed than chance allows; "
                f"{verbatim} are written verbatim.",
            )
        )
    if divergence and divergence["leak"]:
        found.append(
            (
                "divergence-extracts",
                "high",
                f"{divergence['members']['hits']} of {divergence['draws']} answers to a word "
                "repeated without end hold training text.",
            )
        )
    if attributes and attributes["leak"]:
        found.append(
            (
                "attributes-inferred",
                "high",
                f"The model names {attributes['accuracy']:.0%} of hidden attributes of people, "
                "more than the base rate.",
            )
        )
    return found


def membership(document: dict[str, Any]) -> Defects | None:
    """What a document of `buttress privacy` says of membership; None for an unusable split."""
    found: Defects = []
    seen = False
    for name, rule, of_what in (
        ("membership", "membership-inferred", "texts"),
        ("preferences", "preference-membership-inferred", "preference pairs"),
    ):
        part = document.get(name)
        if not part or not part["usable"]:
            continue
        seen = True
        if part["leak"]:
            best = part["attacks"][0]
            message = (
                f"The attack '{best['attack']}' tells {of_what} of the training data from others: "
                f"AUC {best['auc']:.2f} ({best['auc_low']:.2f} to {best['auc_high']:.2f})."
            )
            sure = any(rate["low"] > rate["fpr"] * 5 for rate in best["tpr"])
            found.append((rule, "high" if sure else "medium", message))
    return found if seen else None


def poisoning(document: dict[str, Any]) -> Defects | None:
    """What a document of `buttress data run` says of poison; None where nobody looked for it."""
    stages = [one for one in document["stages"] if one["name"] == "poison"]
    if not stages:
        return None
    removed = sum(one["removed"] for one in stages)
    found: Defects = []
    if removed:
        rules = ", ".join(
            f"{name} {count:,}" for one in stages for name, count in one["rules"].items()
        )
        found.append(
            (
                "poison-found",
                "medium",
                f"{removed:,} records of the training data carried hidden messages or triggers "
                f"and were removed ({rules}).",
            )
        )
    for alarm in document["alarms"]:
        if alarm["rule"] == "source-refused":
            found.append(
                (
                    "source-refused",
                    "high",
                    f"{alarm['share']:.1%} of a source are harmful, above {alarm['limit']:.0%}.",
                )
            )
    return found


_LLM02: Final = ("CWE-200", "LLM02", "AML.T0024")
_CLEAN: Final = "Remove duplicates and personal data (`buttress data run`), and train anew."
MEMORISATION: Final = ResultsProbe(
    id="privacy-memorisation",
    title="Memorised training data, as measured by `buttress privacy`",
    kinds=("model", "data"),
    names=(("buttress-privacy/1", "privacy.json"),),
    read=memorisation,
    rules=(
        ("training-data-extracted", _LLM02, _CLEAN),
        ("extraction-without-base", _LLM02, "Measure with --non-members or --reference."),
        ("canaries-exposed", _LLM02, _CLEAN),
        ("divergence-extracts", _LLM02, _CLEAN),
        ("attributes-inferred", _LLM02, _CLEAN),
    ),
)
MEMBERSHIP: Final = ResultsProbe(
    id="privacy-membership",
    title="Membership inference, as measured by `buttress privacy`",
    kinds=("model", "data"),
    names=(("buttress-privacy/1", "privacy.json"),),
    read=membership,
    rules=tuple(
        (rule, _LLM02, "Train fewer epochs, or with differential privacy (`buttress tune`).")
        for rule in ("membership-inferred", "preference-membership-inferred")
    ),
)
POISONING: Final = ResultsProbe(
    id="training-data-poison",
    title="Poison in training data, as found by `buttress data run`",
    kinds=("data", "model"),
    names=(("buttress-data/1", "data.json"),),
    read=poisoning,
    rules=(
        ("poison-found", ("CWE-349", "LLM04", "AML.T0020"), "Find out where it came from."),
        ("source-refused", ("LLM04", "AML.T0020"), "Don't train on that source."),
    ),
)
