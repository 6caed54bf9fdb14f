"""Differences between the two models of each seed, their intervals, and what follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

FIGURES = (
    "bits of repeated canaries", "verbatim canaries", "copied documents continued",
    "personal data written", "membership AUC of copied documents", "perplexity",
)  # fmt: skip
MARGIN = math.log(1.05)  # the cleaned model's perplexity may be 5 % higher


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval over seeds by Student's t; infinite for one seed."""
    if len(values) < 2:
        return values[0], -math.inf, math.inf
    reach = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return mean(values), mean(values) - reach, mean(values) + reach


def decide(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Paired by seed. Cleaning helped if exposure surely fell and perplexity is no worse."""
    differences = {
        name: interval([one["after"][name] - one["before"][name] for one in figures])
        for name in FIGURES[:-1]
    }
    worse = interval(
        [math.log(one["after"]["perplexity"] / one["before"]["perplexity"]) for one in figures]
    )
    exposure = differences[FIGURES[0]]
    alone = len(figures) == 1  # no interval: the estimates speak, which proves nothing
    fell = exposure[0] < 0 if alone else exposure[2] < 0
    kept = worse[0] < MARGIN if alone else worse[2] < MARGIN
    return {
        "differences": differences,
        "log perplexity": worse,
        "exposure fell": fell,
        "perplexity no worse": kept,
        "helped": fell and kept,
        "seeds": len(figures),
    }


def show(title: str, figures: Sequence[dict[str, Any]], result: dict[str, Any]) -> None:
    """Tables of all figures, and the verdict."""
    console = Console()
    console.print(f"\n{title}")
    table = Table("", "as planted", "cleaned", "difference, 95 %", box=None)
    for name in FIGURES:
        before, after = (mean(one[when][name] for one in figures) for when in ("before", "after"))
        said = ""
        if name in result["differences"]:
            said = _shown(result["differences"][name])
        table.add_row(name, f"{before:.2f}", f"{after:.2f}", said)
    for times in figures[0]["before"]["bits"]:
        cells = [mean(one[when]["bits"][times] for one in figures) for when in ("before", "after")]
        table.add_row(f"bits, planted {times} times", *(f"{one:.2f}" for one in cells), "")
    console.print(table)
    intervened = [one for one in figures if "privacy" in one]
    if intervened:
        _show_interventions(console, intervened)
    _show_verdict(console, result)


def _show_interventions(console: Console, figures: Sequence[dict[str, Any]]) -> None:
    seeds = "1 seed" if len(figures) == 1 else f"{len(figures)} seeds"
    table = Table(f"from the leaking model, {seeds}", "", "95 %", box=None)
    for state in figures[0]["unlearning"]:
        for name in figures[0]["unlearning"][state]:
            values = [one["unlearning"][state][name] for one in figures]
            table.add_row(f"{state}: {name}", f"{mean(values):.2f}", _bounds(values))
    for method in figures[0]["privacy"]:
        for name in figures[0]["privacy"][method]:
            values = [one["privacy"][method][name] for one in figures]
            if None not in values:
                table.add_row(f"{method}: {name}", f"{mean(values):.2f}", _bounds(values))
    console.print(table)


def _show_verdict(console: Console, result: dict[str, Any]) -> None:
    console.print(
        f"Cleaning {'helped' if result['helped'] else 'did not help'}: exposure "
        f"{'fell' if result['exposure fell'] else 'did not surely fall'}, perplexity is "
        f"{'no worse by 5 %' if result['perplexity no worse'] else 'worse, or not surely as good'} "
        f"({result['seeds']} seed{'s' if result['seeds'] > 1 else ''})."
    )
    if result["seeds"] == 1:
        console.print("One seed has no interval: this proves nothing.")


def _shown(found: Sequence[float]) -> str:
    if math.isinf(found[1]):
        return f"{found[0]:+.2f}"
    return f"{found[0]:+.2f} [{found[1]:+.2f}, {found[2]:+.2f}]"


def _bounds(values: Sequence[float]) -> str:
    _, low, high = interval(values)
    return "" if math.isinf(low) else f"{low:.2f}–{high:.2f}"
