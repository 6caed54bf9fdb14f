"""Does a verdict survive other words, typing errors, temperature and another system prompt?

``PerturbedProbe`` asks what another probe asks, changed, in the same order and under the same item
ids, so that ``paired.compare`` pairs the trials of the two and ``paired.survival`` their verdicts.
Languages need no change: ``paired.by_item_across_languages`` pairs them within one probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from buttress.evidence.records import Expect
from buttress.probes.behaviour.perturbations import Perturbation
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe, TrialSpec


@dataclass(frozen=True, slots=True)
class PerturbedProbe:
    """Another probe's trials, changed by ``perturbation``."""

    base: TrialProbe
    perturbation: Perturbation

    @property
    def id(self) -> str:
        """The base's id and the perturbation's."""
        return f"{self.base.id}+{self.perturbation.id}"

    @property
    def version(self) -> str:
        """Of both."""
        return f"{self.base.version}+{self.perturbation.version}"

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.base.title}, {self.perturbation.title}"

    @property
    def attack(self) -> str:
        """As the base."""
        return self.base.attack

    @property
    def expect(self) -> Expect:
        """As the base: the change should not matter."""
        return self.base.expect

    @property
    def exact(self) -> bool:
        """As the base."""
        return self.base.exact

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """The base's trials, changed, in its order.

        Raises:
            NotCoveredError: as the base, or the target is a recording.
        """
        self.size(context)
        return (self._changed(spec, context.seed) for spec in self.base.stream(context))

    def size(self, context: TrialContext) -> int:
        """As the base.

        Raises:
            NotCoveredError: as ``stream``.
        """
        if context.recorded is not None:
            raise NotCoveredError("the recording has no answers to changed questions")
        return self.base.size(context)

    def _changed(self, spec: TrialSpec, seed: int) -> TrialSpec:
        changed = self.perturbation.apply(spec, seed)
        return replace(changed, probe=self.id, probe_version=self.version)
