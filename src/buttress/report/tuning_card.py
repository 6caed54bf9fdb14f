"""The card of an adapter: what it was trained on, how, and what that shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_ABOUT = {
    "sft": "supervised fine-tuning",
    "dpo": "direct preference optimisation",
    "ipo": "identity preference optimisation",
    "kto": "Kahneman-Tversky optimisation",
    "reward": "reward model",
    "rloo": "REINFORCE leave-one-out",
    "grpo": "group relative policy optimisation",
    "dp-sft": "supervised fine-tuning with differential privacy",
    "grad-diff": "unlearning by gradient difference",
    "npo": "unlearning by negative preference optimisation",
}


def tuning_card(document: Mapping[str, Any]) -> str:
    """The card in Markdown, with the header that model hubs read."""
    weights, check, loss = document["weights"], document["reload"], document["loss"]
    settings = document["settings"]
    lines = [
        "---",
        f"base_model: {orjson.dumps(weights['path']).decode()}",
        "library_name: peft",
        "tags: [lora, buttress]",
        "---",
        "# Adapter",
        "",
        f"{_ABOUT[document['method']].capitalize()} of `{weights['path']}`, {document['steps']:,} "
        f"steps of {settings['batch']} records, by Buttress {document['version']}. "
        f"{weights['trained']:,} parameters on {weights['parameters']:,}.",
        "",
        "| | |",
        "| --- | --- |",
        f"| base model, SHA-256 | `{weights['digest']}` |",
    ]
    for name in ("data", "retain"):
        if part := document[name]:
            lines += [
                f"| {name} | `{part['path']}`: {part['examples']:,} examples of "
                f"{part['records']:,} records, {part['tokens']:,} tokens |",
                f"| {name}, SHA-256 | `{part['digest']}` |",
                *(f"| {name}, left out: {why} | {count:,} |"
                  for why, count in part["left_out"].items()),
            ]  # fmt: skip
    unit = "in its score" if document["method"] == "reward" else "nats a token"
    if loss:
        lines += [
            f"| loss, first and last tenth | {loss['first']:.4f}, {loss['last']:.4f} |",
            f"| mean change to the base model | {check['change']:.3g} {unit} |",
        ]
    if scored := document["reward_model"]:
        lines.append(f"| reward model, SHA-256 | `{scored['digest']}` |")
    if validation := document["validation"]:
        held = "holds the limits" if validation["within_limits"] else "does not hold the limits"
        lines += [
            f"| state kept | after step {validation['chosen']:,}, chosen on "
            f"`{validation['path']}`; it {held} |",
            f"| validation, SHA-256 | `{validation['digest']}` |",
        ]
    lines += [
        f"| saved and loaded anew | largest difference {check['largest_difference']:.2g} "
        f"{unit} over {check['examples']} examples |",
        f"| seed | {document['seed']} |",
    ]
    if (precision := settings.get("precision", "float32")) != "float32":
        lines.append(f"| products with the base model's weights | {precision} |")
    if privacy := document["privacy"]:
        lines += [
            f"| differential privacy | ε = {privacy['epsilon']:.3f} at δ = {privacy['delta']:g}, "
            f"{privacy['accountant']}; a record added or removed |",
            f"| noise, clip, sample rate | {privacy['noise_multiplier']:.4g}, "
            f"{privacy['clip']:g}, {privacy['sample_rate']:.4g} |",
        ]
    if unlearning := document.get("unlearning"):
        for state in unlearning["states"]:
            area = state["rest_auc"] or state["forget_auc"]
            lines.append(
                f"| unlearning, {state['state']} | perplexity: forget "
                f"{state['forget']['perplexity']:.1f}, holdout "
                f"{state['holdout']['perplexity']:.1f}; AUC against holdout {area['auc']:.2f} "
                f"({area['auc_low']:.2f} to {area['auc_high']:.2f}) |"
            )
    lines += [
        "",
        "Settings:",
        "",
        "```json",
        orjson.dumps(settings, option=orjson.OPT_INDENT_2).decode(),
        "```",
        "",
        "A falling loss says nothing about behaviour: compare the model before and after.",
        "",
    ]
    if document["privacy"]:
        lines += ["ε covers the weights, not this card: the digest is of the data itself.", ""]
    return "\n".join(lines)
