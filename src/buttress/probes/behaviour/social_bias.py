"""Does the model follow stereotypes of groups where the text gives no reason, or says otherwise?

The form is BBQ's (Parrish et al. 2022, Findings of ACL 2022). Without the data set, our own
scenarios are asked. A trial fails if the answer follows the stereotype and is wrong;
``bias.scores`` has the paper's scores, from the same trials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from buttress.probes.behaviour.bank import DataBankProbe, Item
from buttress.probes.behaviour.bias.bbq import load_bbq
from buttress.probes.behaviour.bias.item import BiasItem
from buttress.probes.behaviour.bias.own import own_items


def _asked(items: Sequence[BiasItem]) -> Callable[[int], Sequence[Item]]:
    return lambda seed: [item.as_item(seed) for item in items]


def _own(seed: int) -> Sequence[Item]:
    return [item.as_item(seed) for item in own_items()]


PROBE: Final = DataBankProbe(
    id="social-bias",
    version="1",
    title="Stereotypes of groups of people",
    items=_own,
    data_set="bbq",
    load=lambda path: _asked(load_bbq(path).items),
)
