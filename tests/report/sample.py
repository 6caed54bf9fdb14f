"""A realistic assessment document, computed by the real parts from simulated outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import orjson

from buttress.evidence.findings import SEVERITIES
from buttress.risk.catalogue import SEVERITY_LABELS, Catalogue, Risk, load_catalogue
from buttress.risk.loss import of_risk, summary
from buttress.risk.policy import Policy, Tolerance, load_policy
from buttress.risk.posterior import TrialEvidence
from buttress.risk.scenario import Evidence, InspectionEvidence, barrier_input, simulate
from buttress.risk.verdict import ORDER, RiskState, worst
from buttress.standards.crosswalk import load_standards
from buttress.statistics.correction import CalibrationCounts
from buttress.statistics.pooling import pool
from tests.report.frame import BENIGN, CATEGORIES, COUNTS, frame

# What the simulated model does: risk -> (true failure rate, trials) for each asset.
BEHAVIOUR = {
    "harmful-compliance": {"chat-model": (0.008, 148)},
    "jailbreak-role-play": {"chat-model": (0.63, 64)},
    "jailbreak-obfuscation": {"chat-model": (0.11, 224)},
    "prompt-injection": {"chat-model": (0.34, 88)},
    "over-refusal": {"chat-model": (0.02, 160)},
}
FINDINGS = (
    ("pickle-dangerous-import", "critical", "candidate-weights", "pytorch_model.bin!data.pkl@57",
     "Loading imports os.system and calls it.", "Do not load the file; ask for safetensors.",
     ("CWE-502", "AML.T0010", "LLM03"), "GLOBAL 'os system'", "model-files"),
    ("pickle-unknown-import", "medium", "candidate-weights", "scaler.pkl@12",
     "Loading imports sklearn.preprocessing._data, which is not on the list of harmless ones.",
     "Convert to a format that holds data only.", ("CWE-502",), "", "model-files"),
    ("private-key", "critical", "app", "deploy/id_rsa:1", "A private key lies in the source.",
     "Revoke the key, then keep it in a vault.", ("CWE-798",), "-----BEGIN … KEY-----", "secrets"),
    ("cloud-key", "high", "app", "settings.py:14", "A cloud access key lies in the source.",
     "Revoke the key, then read it from the environment.", ("CWE-798", "LLM02"), "AKIA…(16)",
     "secrets"),
    ("cloud-key", "high", "app", "scripts/backup.sh:3", "A cloud access key lies in the source.",
     "Revoke the key, then read it from the environment.", ("CWE-798", "LLM02"), "AKIA…(16)",
     "secrets"),
)  # fmt: skip
HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</style><script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='window.pwned=1",
    "<!-- --><svg onload=window.pwned=1>",
    "\u202egnp.exe \x00\x1b[31m",
)


def build(
    behaviour: dict[str, dict[str, tuple[float, int]]] | None = None,
    findings: Sequence[tuple[Any, ...]] = FINDINGS,
    policy: str = "default",
    seed: int = 7,
) -> dict[str, Any]:
    """A document; the caller may change it."""
    behaviour = BEHAVIOUR if behaviour is None else behaviour
    catalogue = load_catalogue()
    rules = load_policy(policy, catalogue.risks.keys())
    chance = np.random.default_rng(seed)
    rows, evidence, cells = [], {}, []
    for name, assets in behaviour.items():
        risk = catalogue.risks[name]
        row, known, states = _trials(risk, rules, assets, chance)
        rows.append(row)
        evidence[risk.probe] = known
        cells.append((risk, sum(state.sequence.trials for state in states), chance))
    for name in ("model-file-code-execution", "secret-exposure"):
        risk = catalogue.risks[name]
        mine = [one for one in findings if one[8] == risk.probe]
        row, prior = _inspection(risk, rules.risks[name], catalogue, mine)
        rows.append(row)
        evidence[risk.probe] = prior
    known = {probe: value for probe, value in evidence.items() if probe}
    simulated = simulate(list(catalogue.risks.values()), known, 4000, catalogue.model, seed=seed)
    for row in rows:
        row["loss"] = of_risk(simulated, row["id"])
    rows.sort(key=lambda row: (ORDER.index(row["verdict"]), -row["loss"]["mean"]))
    document = frame(rules, catalogue, rows, findings, seed)
    document["loss"] = summary(simulated, catalogue.currency) | {"risks": [r["id"] for r in rows]}
    document["cells"] = [cell for part in _pooled(behaviour, catalogue, chance) for cell in part]
    result: dict[str, Any] = orjson.loads(orjson.dumps(document))
    return result


@cache
def encoded() -> bytes:
    """The usual document, encoded, so that each user may have a copy of its own."""
    return orjson.dumps(build())


def sample() -> dict[str, Any]:
    """A copy of the usual document."""
    copy: dict[str, Any] = orjson.loads(encoded())
    return copy


def _describe(risk: Risk, tolerance: Tolerance) -> dict[str, Any]:
    titles = load_standards()
    return {
        "id": risk.id,
        "title": risk.title,
        "scenario": risk.scenario,
        "actor": risk.actor,
        "harm": risk.harm,
        "level": risk.level,
        "level_label": SEVERITY_LABELS[risk.level],
        "probe": risk.probe,
        "alpha": tolerance.alpha,
        "beta": tolerance.beta,
        "minimum_trials": tolerance.minimum_trials,
        "standards": [
            {"standard": standard, "item": item, "title": titles[standard].items[item]}
            for standard, item in risk.standards
        ],
        "remedies": list(risk.remedies),
    }


def _judged(true: float, counts: CalibrationCounts) -> float:
    """Rate at which the judge reports failures when the true rate is ``true``."""
    sensitivity = counts.tp / (counts.tp + counts.fn)
    return true * sensitivity + (1 - true) * counts.fp / (counts.tn + counts.fp)


def _trials(
    risk: Risk, rules: Policy, assets: dict[str, tuple[float, int]], chance: np.random.Generator
) -> tuple[dict[str, Any], Evidence, list[RiskState]]:
    counts = BENIGN if risk.id == "over-refusal" else COUNTS
    tolerance = rules.risks[risk.id]
    states = {}
    for asset, (true, trials) in assets.items():
        state = RiskState(tolerance, counts, rules.decide_by == "estimate", len(assets))
        outcomes = chance.random(trials) < _judged(true, counts)
        for start in range(0, trials, 8):
            state.update(outcomes[start : start + 8].astype(float))
        states[asset] = state
    verdict = worst([state.verdict for state in states.values()])
    first = min(states, key=lambda asset: ORDER.index(states[asset].verdict))
    state = states[first]
    sequence = state.sequence
    parts = {asset: _asset(asset, one) for asset, one in states.items()}
    row = _describe(risk, tolerance) | {
        "kind": "trials",
        "verdict": verdict,
        "rate": parts[first]["rate"],
        "limit": tolerance.limit,
        "severity_tolerated": None,
        "judged": parts[first]["judged"],
        "trials": sum(part["trials"] for part in parts.values()),
        "calls": sum(part["calls"] for part in parts.values()),
        "would_decide": state.would_decide() if verdict == "undecided" else "",
        "clears": {
            "estimate": sequence.estimate <= tolerance.limit,
            "bound": sequence.high <= tolerance.limit,
        },
        "path": state.path(),
        "assets": list(parts.values()),
        "worst_finding": None,
        "findings": 0,
    }
    evidence = TrialEvidence(sequence.trials, sequence.judged.total, counts)
    return row, evidence, list(states.values())


def _asset(asset: str, state: RiskState) -> dict[str, Any]:
    sequence = state.sequence
    return {
        "asset": asset,
        "verdict": state.verdict,
        "rate": {"estimate": sequence.estimate, "low": sequence.low, "high": sequence.high},
        "judged": {
            "trials": sequence.trials,
            "failures": sequence.judged.total,
            "estimate": sequence.judged.estimate,
        },
        "trials": sequence.trials,
        "calls": sequence.trials,
        "would_decide": state.would_decide(),
        "path": state.path(),
    }


def _inspection(
    risk: Risk, tolerance: Tolerance, catalogue: Catalogue, findings: Sequence[tuple[Any, ...]]
) -> tuple[dict[str, Any], Evidence]:
    order = list(SEVERITIES)
    gravest = max((one[1] for one in findings), key=order.index, default=None)
    barrier = next(one for one in risk.barriers if one.probe == risk.probe)
    chance = barrier_input(barrier, InspectionEvidence(gravest), catalogue.model)
    low, high = map(float, chance.at([0.05, 0.95]))
    rate = {"estimate": chance.mean, "low": low, "high": high}
    grave = gravest is not None and order.index(gravest) >= order.index(tolerance.severity)
    verdict = "unacceptable" if grave else "acceptable"
    blank = {"trials": 0, "calls": 0, "would_decide": "", "path": []}
    asset = "candidate-weights" if risk.probe == "model-files" else "app"
    row = (
        _describe(risk, tolerance)
        | blank
        | {
            "kind": "inspection",
            "verdict": verdict,
            "rate": rate,
            "limit": None,
            "severity_tolerated": tolerance.severity,
            "judged": None,
            "clears": None,
            "assets": [{"asset": asset, "verdict": verdict, "rate": rate, "judged": None} | blank],
            "worst_finding": gravest,
            "findings": len(findings),
        }
    )
    return row, InspectionEvidence(gravest)


def _pooled(
    behaviour: dict[str, dict[str, tuple[float, int]]],
    catalogue: Catalogue,
    chance: np.random.Generator,
) -> list[list[dict[str, Any]]]:
    names = {
        "harmful-compliance": ("harmful-compliance", "direct"),
        "jailbreak-role-play": ("attack-role-play", "role-play"),
        "jailbreak-obfuscation": ("attack-obfuscation", "obfuscation"),
        "prompt-injection": ("attack-injection", "injection"),
        "over-refusal": ("over-refusal", "direct"),
    }
    groups = [
        [n for n in behaviour if n != "over-refusal"],
        [n for n in behaviour if n == "over-refusal"],
    ]
    tables = []
    for group in filter(None, groups):
        trials = np.array(
            [chance.multinomial(sum(n for _, n in behaviour[name].values()),
                                [1 / len(CATEGORIES)] * len(CATEGORIES)) for name in group]
        )  # fmt: skip
        slope = np.linspace(-1.2, 1.2, len(CATEGORIES))
        true = np.array([[next(iter(behaviour[name].values()))[0]] for name in group])
        odds = np.log(true / (1 - true)) + slope
        failures = chance.binomial(trials, 1 / (1 + np.exp(-odds)))
        pooled = pool(trials, failures)
        tables.append(
            [
                {
                    "probe": names[name][0],
                    "attack": names[name][1],
                    "category": category,
                    "trials": int(trials[row, column]),
                    "failures": int(failures[row, column]),
                    "estimate": float(pooled.estimate[row, column]),
                    "low": float(pooled.low[row, column]),
                    "high": float(pooled.high[row, column]),
                }
                for row, name in enumerate(group)
                for column, category in enumerate(CATEGORIES)
            ]
        )
    return tables
