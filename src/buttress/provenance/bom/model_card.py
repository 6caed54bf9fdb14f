"""The model card of a model or adapter: CycloneDX 1.6, ``modelCard``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from buttress.provenance.bom import claims
from buttress.provenance.inventory.card import text, texts
from buttress.provenance.inventory.component import Component

MAX_SLICES: Final = 2_000
_FORMATS: Final = {  # task of a card: what goes in, what comes out
    "text-generation": ("text", "text"), "text2text-generation": ("text", "text"),
    "translation": ("text", "text"), "summarization": ("text", "text"),
    "question-answering": ("text", "text"), "fill-mask": ("text", "text"),
    "text-classification": ("text", "label"), "token-classification": ("text", "label"),
    "feature-extraction": ("text", "vector"), "sentence-similarity": ("text", "number"),
    "image-classification": ("image", "label"), "object-detection": ("image", "label"),
    "image-to-text": ("image", "text"), "image-text-to-text": ("image and text", "text"),
    "text-to-image": ("text", "image"), "automatic-speech-recognition": ("audio", "text"),
    "text-to-speech": ("text", "audio"), "audio-classification": ("audio", "label"),
}  # fmt: skip
_SELF_SUPERVISED: Final = ("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")


def model_card(
    one: Component,
    datasets: Sequence[str],
    assessment: Mapping[str, Any] | None,
    profile: Mapping[str, Any],
    *,
    alone: bool,
) -> dict[str, Any]:
    """The card.

    Args:
        one: the model.
        datasets: references of the data that it was trained on.
        assessment: an assessment's document; its rates and verdicts of this asset are taken over.
        profile: ``users`` and ``uses`` of the system.
        alone: whether it is the only model that was assessed, so that cells are its own.
    """
    card: dict[str, Any] = {"modelParameters": _parameters(one, datasets)}
    risks = list(_risks(one, assessment)) if assessment else []
    metrics = [_metric(risk, row) for risk, row in risks if row["rate"] is not None]
    if assessment and risks and alone:
        metrics += list(_cells(assessment))
    metrics += claims.metrics(one.card)
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    considerations = _considerations(risks, profile)
    for field, said in claims.considerations(one).items():
        considerations[field] = [*considerations.get(field, ()), *said]
    if considerations:
        card["considerations"] = considerations
    if one.facts:
        card["properties"] = [
            {"name": f"buttress:config:{name}", "value": value} for name, value in one.facts.items()
        ]
    return card


def _parameters(one: Component, datasets: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if one.architecture.endswith(_SELF_SUPERVISED):
        found["approach"] = {"type": "self-supervised"}
    task = text(one.card.get("pipeline_tag"))
    if not task and one.architecture.endswith(("ForCausalLM", "LMHeadModel")):
        task = "text-generation"
    if task:
        found["task"] = task
    if one.family:
        found["architectureFamily"] = one.family
    if one.architecture:
        found["modelArchitecture"] = one.architecture
    if datasets:
        found["datasets"] = [{"ref": name} for name in datasets]
    if task in _FORMATS:
        given, made = _FORMATS[task]
        found |= {"inputs": [{"format": given}], "outputs": [{"format": made}]}
    return found


def _risks(
    one: Component, assessment: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Risks that trials measured on this asset, each with the asset's own row."""
    for risk in assessment["risks"]:
        if risk["kind"] == "trials":
            for row in risk["assets"]:
                if row["asset"] == one.asset:
                    yield risk, row


def _metric(risk: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    rate = row["rate"]
    confidence = 1 - risk["alpha"]
    return {
        "type": f"failure rate, {risk['probe']}",
        "value": _number(rate["estimate"]),
        "slice": f"risk {risk['id']}: {row['verdict']} after {row['trials']} trials, "
        f"{confidence:.0%} interval",
        "confidenceInterval": _interval(rate),
    }


def _cells(assessment: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in assessment["cells"][:MAX_SLICES]:
        yield {
            "type": f"failure rate, {cell['probe']}",
            "value": _number(cell["estimate"]),
            "slice": f"attack {cell['attack']}, category {cell['category']}, "
            f"{cell['trials']} trials",
            "confidenceInterval": _interval(cell),
        }


def _interval(rate: Mapping[str, Any]) -> dict[str, str]:
    return {"lowerBound": _number(rate["low"]), "upperBound": _number(rate["high"])}


def _number(value: float) -> str:
    return f"{value:.6g}"


def _considerations(
    risks: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], profile: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if users := text(profile.get("users")):
        found["users"] = [users]
    if uses := texts([use.get("name") for use in profile.get("uses", ())]):
        found["useCases"] = list(uses)
    undecided = [
        f"{risk['title']}: not decided after {row['trials']} trials"
        for risk, row in risks
        if row["verdict"] not in ("acceptable", "unacceptable")
    ]
    if undecided:
        found["technicalLimitations"] = undecided
    unacceptable = [
        {"name": risk["title"], "mitigationStrategy": " ".join(risk["remedies"])}
        for risk, row in risks
        if row["verdict"] == "unacceptable"
    ]
    if unacceptable:
        found["ethicalConsiderations"] = unacceptable
    return found
