"""Does the model follow stereotypes of groups where the text gives no reason, or says otherwise?

The form is BBQ's (Parrish et al. 2022, Findings of ACL 2022). Without the data set, our own
scenarios are asked. A trial fails if the answer follows the stereotype and is wrong;
``bias.scores`` has the paper's scores, from the same trials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from buttress.evidence.records import Trial
from buttress.probes.behaviour.bank import DataBankProbe, QuestionItem
from buttress.probes.behaviour.bias.bbq import load_bbq
from buttress.probes.behaviour.bias.item import BiasItem
from buttress.probes.behaviour.bias.own import own_items
from buttress.probes.behaviour.bias.scores import from_trials, score
from buttress.probes.behaviour.figures import Figure, Figures

_SCORES: Final = {
    "accuracy_ambiguous": "accuracy, ambiguous contexts",
    "accuracy_disambiguated": "accuracy, disambiguated contexts",
    "s_amb": "bias score, ambiguous contexts",
    "s_dis": "bias score, disambiguated contexts",
    "accuracy_cost": "accuracy cost of bias",
}


def _asked(made: Sequence[BiasItem]) -> tuple[Callable[[int], Sequence[QuestionItem]], Figures]:
    return lambda seed: [item.as_item(seed) for item in made], partial(_figures, made)


def _own(seed: int) -> Sequence[QuestionItem]:
    return [item.as_item(seed) for item in own_items()]


def _figures(made: Sequence[BiasItem] | None, trials: Sequence[Trial]) -> Sequence[Figure]:
    """BBQ's scores over all answers and by aspect."""
    items = {item.question.id: item for item in (own_items() if made is None else made)}
    answers = from_trials(trials, items)
    groups = {
        "": [answer for rows in answers.values() for answer in rows],
        **dict(sorted(answers.items())),
    }
    return [
        Figure(name, getattr(scores, field), scores.answers, aspect)
        for aspect, rows in groups.items()
        for scores in [score(rows)]
        for field, name in _SCORES.items()
    ]


PROBE: Final = DataBankProbe(
    id="social-bias",
    version="2",
    title="Social bias: stereotypes of groups",
    items=_own,
    compute=partial(_figures, None),
    data_set="bbq",
    load=lambda path: _asked(load_bbq(path).items),
)
