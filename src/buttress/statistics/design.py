"""How much less trials tell because several share a prompt: intraclass correlation, design effect.

The variants, samples and translations of one prompt fail together more often than trials of
different prompts do. With an intraclass correlation ρ and k trials to a prompt, n trials tell as
much about prompts of their kind as n / (1 + (k - 1) ρ) prompts asked once would (Kish 1965, Survey
Sampling, section 5.4). ρ is estimated by analysis of variance (Donner 1986, "A review of inference
procedures for the intraclass correlation coefficient in the one-way random effects model", Int.
Stat. Review 54(1)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class DesignEffect:
    """Outcomes by cluster; memory grows with the number of clusters only."""

    clusters: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def update(self, outcomes: Iterable[tuple[str, float]]) -> None:
        """Take in pairs (cluster, outcome in [0, 1])."""
        for cluster, outcome in outcomes:
            count, total, squares = self.clusters.get(cluster, (0, 0.0, 0.0))
            self.clusters[cluster] = (count + 1, total + outcome, squares + outcome * outcome)

    @property
    def trials(self) -> int:
        """Number of outcomes."""
        return sum(count for count, _, _ in self.clusters.values())

    @property
    def mean_size(self) -> float:
        """Σ n² / Σ n: what clusters of different sizes count as; 1 before the first outcome."""
        trials = self.trials
        return sum(n * n for n, _, _ in self.clusters.values()) / trials if trials else 1.0

    @property
    def correlation(self) -> float | None:
        """Intraclass correlation in [0, 1]; None where clusters or outcomes are too few to tell."""
        groups, trials = len(self.clusters), self.trials
        if groups < 2 or trials == groups:
            return None
        mean = sum(total for _, total, _ in self.clusters.values()) / trials
        between = sum(n * (total / n - mean) ** 2 for n, total, _ in self.clusters.values())
        within = sum(squares - total * total / n for n, total, squares in self.clusters.values())
        between, within = between / (groups - 1), max(0.0, within) / (trials - groups)
        size = (trials - self.mean_size) / (groups - 1)
        spread = between + (size - 1) * within
        return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else None

    @property
    def effect(self) -> float:
        """The design effect, at least 1; 1 where every cluster has one outcome."""
        correlation = self.correlation
        return 1.0 if correlation is None else 1.0 + (self.mean_size - 1.0) * correlation
