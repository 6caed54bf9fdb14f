"""The terms of each method over its examples."""

from __future__ import annotations

from typing import Any, Final

from buttress.errors import InputError
from buttress.training.examples import ExampleSet
from buttress.training.loop import ever_drawn, steps_of
from buttress.training.precision import FrozenProducts
from buttress.training.settings import UNLEARNING, TuneSettings
from buttress.training.terms import (
    Desirability,
    Divergence,
    Forgetting,
    Likelihood,
    PreferenceTerm,
    Term,
)

PREFERENCES: Final = ("dpo", "ipo", "reward")


def terms_of(
    model: Any, settings: TuneSettings, data: ExampleSet, retain: ExampleSet | None, seed: int
) -> list[Term]:
    """The terms of the settings' method; the retain term is the last.

    The reference model is asked once, about the examples that ``train`` draws with this seed.

    Raises:
        InputError: ``grad-diff`` without a retain set: ascent alone destroys a model.
    """
    with FrozenProducts(model, settings.precision).used():
        return _terms(model, settings, data, retain, seed)


def _terms(
    model: Any, settings: TuneSettings, data: ExampleSet, retain: ExampleSet | None, seed: int
) -> list[Term]:
    method, beta = settings.method, settings.beta
    needed = ever_drawn(data.size, settings.batch, steps_of(settings, data.size), seed)
    terms: list[Term]
    if method in PREFERENCES:
        terms = [
            PreferenceTerm(
                method, data.pairs, model, beta, needed, length_penalty=settings.length_penalty
            )
        ]
    elif method == "kto":
        terms = [Desirability(method, data.examples, model, beta, needed)]
    elif method == "npo":
        terms = [Forgetting(method, data.examples, model, beta, needed)]
    elif method == "grad-diff":
        if retain is None or not settings.retain_weight:
            raise InputError(
                "missing", field="--retain", expected="records that the model is to keep"
            )
        terms = [Likelihood("forget", data.examples, -1.0)]
    else:
        terms = [Likelihood(method, data.examples)]
    if retain is not None:
        kind = settings.retain_loss or ("likelihood" if method in UNLEARNING else "kl")
        term = Divergence if kind == "kl" else Likelihood
        terms.append(term("retain", retain.examples, settings.retain_weight))
    return terms
