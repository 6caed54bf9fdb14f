"""The trials of a probe that an Inspect task asks: drawn as an assessment would draw them."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from buttress import extension
from buttress.protocols.probe import TrialContext, TrialProbe, TrialSpec


def trial_probes() -> dict[str, TrialProbe]:
    """All registered probes that ask a target, by id."""
    found = {name: extension.load("probes", name) for name in extension.names("probes")}
    return {name: probe for name, probe in found.items() if hasattr(probe, "stream")}


@lru_cache(maxsize=8)
def draw(
    name: str,
    *,
    seed: int,
    limit: int | None,
    languages: str,
    prompts: str,
    path: str | None,
) -> tuple[TrialSpec, ...]:
    """The first ``limit`` trials in the probe's seeded order, so a fair sample of all.

    Args:
        name: the probe's id.
        seed: same seed, same trials in the same order.
        limit: None for all.
        languages: of our own pack's prompts, separated by commas.
        prompts: "buttress" or the name of a public set.
        path: file of the public set; None loads it from the hub.

    Raises:
        InputError: an unknown name, or a file that is not usable.
        NotCoveredError: the prompts hold nothing for this probe.
    """
    from buttress.prompts.pack import load_pack
    from buttress.prompts.public import load_public

    if prompts == "buttress":
        chosen = load_pack(languages=[one.strip() for one in languages.split(",")])
    else:
        from pathlib import Path

        chosen = list(load_public(prompts, Path(path) if path else None))
    context = TrialContext(seed=seed, prompts=chosen)
    return tuple(islice(trial_probes()[name].stream(context), limit))
