"""The probe of weights: values that no training gives, and bytes that are no weights."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection, Severity
from buttress.files.tree import TreeFile
from buttress.files.visible import shortened
from buttress.packs.knowledge import Knowledge
from buttress.probes.artifacts.integrity.reference import ReferenceWeights
from buttress.probes.artifacts.integrity.tensors import Tensor, tensors
from buttress.probes.artifacts.integrity.values import Values, measure
from buttress.probes.artifacts.issue import RULES, ArtifactIssue
from buttress.probes.artifacts.reporting import finding_of
from buttress.protocols.inspection import InspectionContext

_MAX_TOLD: Final = 100  # findings of one rule
_MATRIX: Final = 256  # values from which on a dead or doubled tensor means something
_ODD_SHARE: Final = 0.01
_BROKEN_SHARE: Final = 0.001
_FEW: Final = 16  # values; fewer are a constant of a graph
_TIED: Final = ("embed", "lm_head", "shared", "wte", "output.weight", "token_embd")
_FRESH: Final = ("lora_B", "lora_embedding_B", "position_ids", "mask", "running_", "num_batches")


@dataclass(frozen=True, slots=True)
class WeightIntegrity:
    """An ``InspectionProbe``. It reads every byte of the weights, so it runs on request only.

    ``reference`` is a folder of weights that are known to be good.
    """

    reference: Path | None = None
    id: str = "weight-integrity"
    version: str = "1"
    title: str = "Tampered or damaged weights"
    kinds: tuple[str, ...] = ("model",)
    on_request: bool = True

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        return {"reference": "a folder of weights that are known to be good"}

    def rule_ids(self, _knowledge: Knowledge) -> list[str]:
        """Ids of all rules that its findings can have."""
        return [name for name in RULES.own if name.startswith("weights-")]

    def with_options(self, **values: str) -> WeightIntegrity:
        """The probe with these set.

        Raises:
            InputError: no such folder.
        """
        reference = Path(values["reference"])
        if not reference.exists():
            raise InputError(
                "no such file or folder", file=str(reference), field="reference",
                expected="weights that are known to be good",
            )  # fmt: skip
        return replace(self, reference=reference)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all tensors, then what was read.

        Raises:
            InputError: there are no tensors in the reference.
        """
        started = time.perf_counter()
        asset, path = context.asset, context.tree.root
        reference = ReferenceWeights(self.reference) if self.reference is not None else None
        skipped: list[str] = []
        count, read, other = 0, 0, 0
        told: dict[str, int] = {}
        for file in context.tree.files:
            one, relative = Path(file.path), file.location
            try:
                found = tensors(one)
                if found is None:
                    other += 1
                    continue
                count += 1
                digests: dict[str, str] = {}  # of one file: a model may be exported several times
                for tensor, values in _measured(one, found):
                    read += tensor.length
                    issues = [*_issues(tensor, values, digests)]
                    if reference is not None:
                        issues += _compared(tensor, values, reference)
                    for issue in issues:
                        told[issue.rule] = told.get(issue.rule, 0) + 1
                        if told[issue.rule] <= _MAX_TOLD:
                            yield finding_of(self, issue, asset, file)
            except OSError as error:
                skipped.append(f"{relative}: {error.strerror or error}")
        skipped += context.tree.notes()
        if reference is not None and (missing := reference.missing()):
            message = (
                f"{len(missing)} tensors of the reference are missing: {', '.join(missing[:8])}."
            )
            yield finding_of(
                self,
                ArtifactIssue("weights-differ", "", message),
                asset,
                TreeFile(str(path), path.name),
            )
        skipped += (
            f"{rule}: {number - _MAX_TOLD} more"
            for rule, number in told.items()
            if number > _MAX_TOLD
        )
        if other:
            skipped.append(f"{other} files without tensors that are known here")
        seconds = time.perf_counter() - started
        yield Inspection(self.id, self.version, asset, count, read, tuple(skipped), seconds)


def _measured(path: Path, found: list[Tensor]) -> Iterator[tuple[Tensor, Values]]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for tensor in found:
            yield tensor, measure(descriptor, tensor)
    finally:
        os.close(descriptor)


def _issue(
    rule: str, tensor: Tensor, offset: int, what: str, severity: Severity | None = None
) -> ArtifactIssue:
    message = f"The tensor {shortened(tensor.name)!r} {what}."
    return ArtifactIssue(rule, f"@{tensor.offset + offset}", message, severity)


def _issues(tensor: Tensor, values: Values, digests: dict[str, str]) -> Iterator[ArtifactIssue]:
    """What is wrong with one tensor on its own, and with tensors that are the same."""
    for payload in values.payloads:
        what = f"holds {payload.what} at byte {payload.offset} of it"
        yield _issue("weights-payload", tensor, payload.offset, what)
    if not values.numeric:
        return
    if values.nan or values.infinite:
        share = (values.nan + values.infinite) / values.count
        what = f"has {values.nan} NaN and {values.infinite} infinite values, {share:.2%} of all"
        grave = share > _BROKEN_SHARE and values.count >= _FEW and not values.masking
        yield _issue("weights-not-finite", tensor, 0, what, "medium" if grave else None)
    if values.random is not None:
        what = "has random bytes where sign and exponent lie, as packed or encrypted data has"
        yield _issue("weights-random", tensor, values.random, what)
    elif values.huge + values.tiny > _ODD_SHARE:
        odd = values.huge + values.tiny
        what = f"has {odd:.1%} values beyond 1e18 or closer to zero than 1e-25, as "
        if (values.one_huge and values.tiny <= _ODD_SHARE) or values.count < _FEW:
            what += "masks and constants have"
            yield _issue("weights-implausible", tensor, 0, what, "low")
        elif values.huge > _BROKEN_SHARE:
            what += f"bytes of another type than {tensor.dtype} have"
            yield _issue("weights-implausible", tensor, 0, what)
        else:  # bytes of another type give both; a weight that decays gets only ever smaller
            what += "weights have that decayed, or integers whose type is declared wrongly"
            yield _issue("weights-implausible", tensor, 0, what, "low")
    if values.count < _MATRIX or len(tensor.shape) == 1 or _expected(tensor.name, _FRESH):
        return
    if values.constant:
        yield _issue("weights-dead", tensor, 0, f"has the value {values.least:g} throughout")
        return
    first = digests.setdefault(values.digest, tensor.name)
    if first != tensor.name and not _expected(f"{first} {tensor.name}", _TIED):
        what = f"has the very values of {shortened(first)!r}"
        yield _issue("weights-doubled", tensor, 0, what)


def _expected(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name for part in parts)


def _compared(
    tensor: Tensor, values: Values, reference: ReferenceWeights
) -> Iterator[ArtifactIssue]:
    for what in reference.differences(tensor, values):
        yield _issue("weights-differ", tensor, 0, what)


PROBE: Final = WeightIntegrity()
