"""The page of an explanation from the weights: one HTML file without script or network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from buttress.report.charts import Chart
from buttress.report.explanation_parts import coloured, method_title, page, strongest
from buttress.report.language import ENGLISH, Language, load
from buttress.report.layer_plot import layer_plot
from buttress.report.numbers import percent


def render(document: Mapping[str, Any], code: str = "en") -> str:
    """The page in the language ``code``.

    Raises:
        InputError: there is no such language.
    """
    language = load(code)
    return page(
        "explanation.html",
        document,
        code,
        methods=[
            {
                **one,
                "title": method_title(one["method"], language),
                "tokens": coloured(document["tokens"], one["values"]),
            }
            for one in document["attributions"]
        ],
        paragraph=paragraph(document, language),
        probes=[_probe(one, language) for one in document["probes"]],
        lens=_lens(document["lens"], document["tuned_lens"]),
        patching=_patching(document["patching"]),
        patching_sentence=patching_sentence(document["patching"], language),
    )


def paragraph(document: Mapping[str, Any], language: Language = ENGLISH) -> list[str]:
    """What the figures say in plain words, and no more."""
    say = language.say
    whole, empty = document["log_probability"], document["baseline_log_probability"]
    said = [
        say(
            "With the prompt the answer has a log probability of {whole} nats, without it {empty}: "
            "the prompt's words change it by {change} nats.",
            whole=f"{whole:.1f}", empty=f"{empty:.1f}", change=f"{whole - empty:+.1f}",
        )
    ]  # fmt: skip
    trusted = [one for one in document["attributions"] if one["trusted"]]
    if not trusted:
        said.append(
            say(
                "No attribution passes its tests here. None of the coloured words below is to be "
                "taken as the reason for the answer."
            )
        )
    for one in trusted:
        if words := strongest(document["tokens"], one["values"]):
            said.append(
                say("{method} passes its tests: most of all {words}.",
                    method=method_title(one["method"], language), words=language.listing(words))
            )  # fmt: skip
    if lens := document["lens"]:
        first = next((one["layer"] for one in lens if one["rank"] == 1), None)
        said.append(
            say("No layer has the answer's first token in the first place.")
            if first is None
            else say(
                "The answer's first token takes the first place after layer {layer} of {layers}.",
                layer=first, layers=len(lens) - 1,
            )
        )  # fmt: skip
    if direction := document["direction"]:
        said.append(
            say(
                "Without the refusal direction the answer's log probability changes by {ablated} "
                "nats, with it added by {added}.",
                ablated=f"{direction['ablated'] - whole:+.1f}",
                added=f"{direction['added'] - whole:+.1f}",
            )
        )
    for one in document["probes"]:
        title = concept_title(one["concept"], language)
        said.append(
            say("{concept}: the layers tell more than the words do.", concept=title)
            if one["shows"]
            else say("{concept}: the probe does not beat words and chance, so it shows nothing.",
                     concept=title)
        )  # fmt: skip
    if document["patching"]:
        said.append(patching_sentence(document["patching"], language))
    return said


def _probe(one: Mapping[str, Any], language: Language) -> dict[str, Any]:
    layers = one["layers"]
    return {
        **one,
        "title": concept_title(one["concept"], language),
        "sentence": probe_sentence(one, language),
        "chart": layer_plot(
            {
                "third": [layer["control"] for layer in layers],
                "first": [layer["area"] for layer in layers],
            },
            low=min(0.4, *(min(layer["area"], layer["control"]) for layer in layers)),
            high=1.0, level=one["words"],
        ),
    }  # fmt: skip


def _lens(lens: Sequence[Mapping[str, Any]], tuned: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Probability of the answer's first token by layer, as each lens reads it."""
    if not lens:
        return None
    lines = {"first": [one["probability"] for one in lens]}
    if tuned:
        read = {one["layer"]: one["probability"] for one in tuned}
        lines["second"] = [read.get(one["layer"]) for one in lens]
    return layer_plot(lines, low=0.0, high=1.0)


def concept_title(concept: str, language: Language) -> str:
    """The name of a probed concept for people."""
    say = language.say
    titles = {
        "harm": say("Harmful request"),
        "refusal": say("Request that the model refuses"),
        "truth": say("True statement"),
        "personal-data": say("Personal data"),
    }
    return titles.get(concept, concept)


def probe_sentence(one: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """What the probes of a concept show, in a sentence or three."""
    say, best = language.say, one["layers"][one["best"]]
    said = [
        say(
            "Layer {layer} does best with {area}, words alone reach {words}: a gain of {gain} "
            "over the better of that and chance, at least {low} (one-sided 95 %, corrected for the "
            "choice of the layer).",
            layer=best["layer"], area=f"{best['area']:.2f}", words=f"{one['words']:.2f}",
            gain=f"{one['gain']:+.2f}", low=f"{one['gain_low']:+.2f}",
        ),
        say(
            "It reproduces {share} of random labels on the texts that it was fitted to, so only "
            "figures on left-out categories count.",
            share=percent(one["control_fit"]),
        ),
    ]  # fmt: skip
    if one["shows"]:
        said.append(
            say("By that layer the prompt has log odds of {odds}.", odds=f"{best['prompt']:+.1f}")
        )
    return language.joined(said)


def _patching(found: Mapping[str, Any] | None) -> Chart | None:
    if found is None:
        return None
    return layer_plot({"first": found["undone"], "second": found["induced"]})


def patching_sentence(found: Mapping[str, Any] | None, language: Language = ENGLISH) -> str:
    """At which layers the attack acts, in a sentence; empty without patching."""
    if found is None:
        return ""
    say, gap = language.say, found["attacked"] - found["plain"]
    if gap <= 0:
        return say("The attack does not make the answer likelier, so there is nothing to locate.")
    undone = [
        at for at, score in enumerate(found["undone"]) if found["attacked"] - score >= gap / 2
    ]
    induced = [at for at, score in enumerate(found["induced"]) if score - found["plain"] >= gap / 2]
    if not undone and not induced:
        return say("No single layer of these tokens carries half of the attack's effect.")
    sentences = [
        say("The plain prompt's states undo half of the attack's effect or more in {layers}.",
            layers=_layers(undone, language)),
        say("The attacked prompt's states bring about half of it or more in {layers}.",
            layers=_layers(induced, language)),
    ]  # fmt: skip
    return language.joined(sentences)


def _layers(layers: Sequence[int], language: Language) -> str:
    if not layers:
        return language.say("no layer")
    if len(layers) == 1:
        return language.say("layer {number}", number=layers[0])
    return language.say("layers {numbers}", numbers=_runs(layers))


def _runs(layers: Sequence[int]) -> str:
    """Such as ``3-7, 9``."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
