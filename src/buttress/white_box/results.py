"""The outcome of a study as one JSON document, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from buttress.white_box.effect import Effect, effect
from buttress.white_box.likelihood import Drift
from buttress.white_box.measures import Measures
from buttress.white_box.refusal_direction import Direction
from buttress.white_box.study import MethodTally

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA: Final = "buttress/white-box/1"
FILE_NAME: Final = "white-box.json"
_DECIMALS: Final = 6


@dataclass(slots=True)
class Results:
    """Tallies by method, on harmful requests and (refusal-direction only) on harmless ones.

    ``left_out`` says why a method that was asked for has no results.
    """

    direct: MethodTally
    methods: dict[str, MethodTally]
    harmless_direct: MethodTally | None = None
    harmless: MethodTally | None = None
    direction: Direction | None = None
    drift: Drift | None = None
    left_out: dict[str, str] = field(default_factory=dict)


def document(results: Results, measures: Measures, about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures, for machines; ``about`` says what was studied, and how."""
    made: dict[str, Any] = {"schema": SCHEMA, **about, "methods": []}
    for name, tally in results.methods.items():
        compared = _paired(results.direct, tally)
        entry: dict[str, Any] = {
            "method": name,
            "attack_success": _rounded(compared) if compared else None,
            "prefix_log_probability": _likely(results.direct, tally, measures),
            "seconds_per_request": _mean(measures, tally, "seconds"),
            "not_attacked": tally.problems,
        }
        reached = [measures.of(trial.key).get("reached") for trial in tally.trials]
        if any(one is not None for one in reached):
            entry["prefix_reached"] = sum(map(bool, reached))
            entry["steps"] = [measures.of(trial.key).get("steps") for trial in tally.trials]
        if name == "refusal-direction":
            entry |= _direction(results)
        made["methods"].append(entry)
    made["left_out"] = results.left_out
    return made


def table(made: Mapping[str, Any]) -> Table:
    """The methods of a ``document``, one a row; "s" are seconds a request."""
    from rich.table import Table

    shown = Table(
        title="attack success in %, with 95 % intervals", title_justify="left",
        box=None, pad_edge=False, header_style="bold",
    )  # fmt: skip
    for column in ("method", "n", "before", "after", "difference", "log p", "s"):
        shown.add_column(column, justify="left" if column == "method" else "right")
    for entry in made["methods"]:
        shown.add_row(entry["method"], *_cells(entry["attack_success"]), *_costs(entry))
        if entry.get("over_refusal"):
            shown.add_row("  harmless refused", *_cells(entry["over_refusal"]), "", "")
    return shown


def _cells(compared: Mapping[str, Any] | None) -> list[str]:
    if compared is None:
        return ["0", "", "", ""]
    return [
        str(compared["requests"]),
        *(
            f"{100 * compared[name]:{sign}.0f} "
            f"[{100 * compared[f'{name}_interval'][0]:{sign}.0f},"
            f"{100 * compared[f'{name}_interval'][1]:{sign}.0f}]"
            for name, sign in (("before", ""), ("after", ""), ("difference", "+"))
        ),
    ]


def _costs(entry: Mapping[str, Any]) -> list[str]:
    likely, seconds = entry["prefix_log_probability"], entry["seconds_per_request"]
    return [
        f"{likely['before']:.2f}→{likely['after']:.2f}" if likely else "given",
        "" if seconds is None else f"{seconds:.1f}",
    ]


def _paired(direct: MethodTally, attacked: MethodTally) -> Effect | None:
    """Outcomes before and after, of requests that have both; None if there are none."""
    before = {trial.item: trial.outcome for trial in direct.trials}
    pairs = [
        (before[trial.item], trial.outcome) for trial in attacked.trials if trial.item in before
    ]
    if not pairs:
        return None
    one, other = zip(*pairs, strict=True)
    return effect(one, other)


def _likely(
    direct: MethodTally, attacked: MethodTally, measures: Measures
) -> dict[str, float] | None:
    """Mean log-probability of the prefix before and after, of requests that have both."""
    before = {trial.item: measures.of(trial.key).get("log_probability") for trial in direct.trials}
    pairs = [
        (one, other)
        for trial in attacked.trials
        if (one := before.get(trial.item)) is not None
        and (other := measures.of(trial.key).get("log_probability")) is not None
    ]
    if not pairs:
        return None
    return {
        "before": round(fmean(one for one, _ in pairs), _DECIMALS),
        "after": round(fmean(other for _, other in pairs), _DECIMALS),
    }


def _mean(measures: Measures, tally: MethodTally, name: str) -> float | None:
    found = [measures.of(trial.key).get(name) for trial in tally.trials]
    known = [one for one in found if one is not None]
    return round(fmean(known), 3) if known else None


def _direction(results: Results) -> dict[str, Any]:
    assert results.direction is not None
    scores = {
        name: getattr(results.direction, name)
        for name in ("layer", "position", "baseline", "bypass", "induce", "divergence")
    }
    compared = None
    if results.harmless is not None and results.harmless_direct is not None:
        compared = _paired(results.harmless_direct, results.harmless)
    return {
        "direction": _numbers(scores),
        "over_refusal": _rounded(compared) if compared else None,
        "drift": _numbers(asdict(results.drift)) if results.drift else None,
    }


def _rounded(compared: Effect) -> dict[str, Any]:
    return _numbers(asdict(compared))


def _numbers(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in given.items()}


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_number(one) for one in value]
    return value


def notes(made: Mapping[str, Any]) -> list[str]:
    """What the table has no column for, one line each."""
    said = [f"{name}: left out: {why}" for name, why in made["left_out"].items()]
    for entry in made["methods"]:
        if "prefix_reached" in entry:
            steps = entry["steps"]
            said.append(
                f"{entry['method']}: answer begins with the prefix in {entry['prefix_reached']} of "
                f"{len(steps)} requests; steps {min(steps)} to {max(steps)}"
            )
        if entry["not_attacked"]:
            said.append(
                f"{entry['method']}: {len(entry['not_attacked'])} requests without a result; the "
                f"first: {entry['not_attacked'][0]}"
            )
        if entry.get("direction"):
            found = entry["direction"]
            said.append(
                f"refusal direction: layer {found['layer']}, position {found['position']}; log "
                f"odds of a refusal {found['baseline']:.2f} → {found['bypass']:.2f}"
            )
        if entry.get("drift"):
            moved = entry["drift"]
            said.append(
                f"drift on harmless answers: {moved['per_token']:.4f} nats a token; perplexity "
                f"{moved['perplexity_before']:.3f} → {moved['perplexity_after']:.3f}"
            )
    said.append("intervals: 95 %, anytime-valid, of what the judge sees; its errors stay in")
    return said
