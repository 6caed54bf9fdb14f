"""A risk as a YAML file that can be edited and that ``load_catalogue`` reads back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from buttress.risk.catalogue import Barrier, Risk

_HEAD = """\
# Put what you change into a file beside the manifest and name it there as `risks:`. A risk with a
# known id replaces the catalogue's; another id adds a risk, which needs a limit in the policy.
# Ranges hold 90 % of what is thought possible: [5th percentile, 95th percentile].
"""


class _Texts(list[str]):
    """A list of sentences: one a line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Texts,
    lambda dumper, texts: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", texts, flow_style=False
    ),
)


def write(risks: Iterable[Risk]) -> str:
    """The file's text. Figures come back exactly as they are."""
    data = {"risks": [_risk(risk) for risk in risks]}
    text = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None
    )
    return _HEAD + text


def _risk(risk: Risk) -> dict[str, Any]:
    severity: dict[str, Any] = {
        "level": risk.level,
        "loss": {"median": _plain(risk.loss[0]), "p95": _plain(risk.loss[1])},
    }
    if risk.most is not None:
        severity["loss"]["max"] = _plain(float(risk.most))
    if risk.why:
        severity["why"] = risk.why
    frequency = {
        name: list(map(_plain, bounds))
        for name, bounds in (("per_request", risk.per_request), ("per_year", risk.per_year))
        if bounds is not None
    }
    standards: dict[str, list[str]] = {}
    for standard, item in risk.standards:
        standards.setdefault(standard, []).append(item)
    data = {
        "id": risk.id,
        "title": risk.title,
        "scenario": risk.scenario,
        "actor": risk.actor,
        "harm": risk.harm,
        "severity": severity,
        "frequency": frequency,
        "barriers": [_barrier(barrier) for barrier in risk.barriers],
        "standards": standards,
        "remedies": _Texts(risk.remedies),
        "overlaps": risk.overlaps,
        "basis": risk.basis,
    }
    return {name: value for name, value in data.items() if value not in ("", {}, [])}


def _barrier(barrier: Barrier) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": barrier.id,
        "title": barrier.title,
        "failure": list(map(_plain, barrier.failure)),
    }
    if barrier.probe is not None:
        data["evidence"] = {"probe": barrier.probe}
    return data


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value
