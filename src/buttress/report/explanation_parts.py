"""What pages of explanations share: titles, coloured pieces, the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment

from buttress.files.visible import visible
from buttress.report.language import Language, load
from buttress.report.page_templates import page_environment, template_text


def method_title(name: str, language: Language) -> str:
    """The name of a method for people."""
    say = language.say
    titles = {
        "gradient-x-input": say("Gradient × input"),
        "integrated-gradients": say("Integrated gradients"),
        "occlusion": say("Occlusion"),
        "rollout": say("Attention rollout"),
        "contrast": say("Contrast"),
        "log-probabilities": say("Log probabilities"),
        "logit-lens": say("Logit lens"),
        "tuned-lens": say("Tuned lens"),
        "probes": say("Linear probes"),
        "patching": say("Activation patching"),
        "direction": say("Refusal direction"),
    }
    return titles.get(name, name)


def coloured(texts: Sequence[str], values: Sequence[float]) -> list[dict[str, Any]]:
    """Pieces with their values; ``strength`` goes from -10 to 10 by the largest value."""
    most = max((abs(value) for value in values), default=0.0) or 1.0
    return [
        {"text": visible(text, keep=" \n"), "value": value, "strength": round(10 * value / most)}
        for text, value in zip(texts, values, strict=True)
    ]


def strongest(texts: Sequence[str], values: Sequence[float], most: int = 3) -> list[str]:
    """The pieces of the highest values above 0, in quotes, highest first."""
    order = sorted(range(len(values)), key=lambda at: -values[at])
    return [f"“{visible(texts[at].strip())}”" for at in order[:most] if values[at] > 0]


def page(template: str, document: Mapping[str, Any], code: str, **parts: Any) -> str:
    """A page in the language ``code``; all text of the document is escaped."""
    return (
        _environment(code)
        .get_template(template)
        .render(
            document=document,
            language=load(code),
            style=template_text("report.css") + template_text("explanation.css"),
            **parts,
        )
    )


@cache
def _environment(code: str) -> Environment:
    language = load(code)
    environment = page_environment()
    environment.filters.update(shown=lambda text: visible(text, keep="\n\t"), text=language.text)
    environment.globals.update(say=language.say, title=lambda name: method_title(name, language))
    return environment
