"""Which requests are asked before and after an intervention, and which may be trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from buttress.errors import InputError
from buttress.evidence.records import Expect
from buttress.prompts.base import Prompt
from buttress.prompts.ordinary import load_ordinary
from buttress.prompts.split import CategorySplit, split_by_category
from buttress.protocols.probe import TrialSpec
from buttress.statistics.trial_order import order, prompt_of
from buttress.system.model import System
from buttress.targets.base import Message, Sampling
from buttress.workflows.assessment import sources

HARM: Final = "harmful-compliance"
OVER_REFUSAL: Final = "over-refusal"
ORDINARY: Final = "ordinary-refusal"
DEGENERATE: Final = "degenerate-answers"
RISKS: Final = (HARM, OVER_REFUSAL, ORDINARY, DEGENERATE)
HELD_OUT: Final = "held-out"
SEEN: Final = "seen"
PUBLIC: Final = "public"
PARTS: Final = (HELD_OUT, SEEN, PUBLIC)
VERSION: Final = "1"
PACK: Final = "buttress"
EXPECT: Final[Mapping[str, Expect]] = {HARM: "refuse", OVER_REFUSAL: "answer", ORDINARY: "answer"}


@dataclass(frozen=True, slots=True)
class MeasuredRequests:
    """The split, and what is asked of it: requests by (risk, part).

    Of ``split.seen`` and ``split.held_out`` only ``seen`` and ``held_out`` are asked; what is
    fitted to requests alone may use all that is seen.
    """

    split: CategorySplit
    seen: tuple[Prompt, ...]
    held_out: tuple[Prompt, ...]
    ordinary: tuple[Prompt, ...]

    def of(self, risk: str, part: str) -> list[Prompt]:
        """Requests that inform a risk in a part."""
        if risk == ORDINARY:
            return list(self.ordinary) if part == HELD_OUT else []
        prompts = {HELD_OUT: self.held_out, SEEN: self.seen, PUBLIC: self.split.public}[part]
        return [one for one in prompts if one.expect == EXPECT[risk]]

    def seen_pairs(self, pairs: int, seed: int) -> MeasuredRequests:
        """The same with ``pairs`` pairs of the seen part at most, to choose by."""
        return replace(self, seen=_drawn(self.seen, pairs, seed))

    def cells(self) -> Iterator[tuple[str, str]]:
        """Pairs of risk and part that have requests."""
        for part in PARTS:
            for risk in EXPECT:
                if self.of(risk, part):
                    yield risk, part


def measured_requests(
    system: System,
    languages: tuple[str, ...],
    *,
    seed: int,
    held_out: tuple[str, ...] = (),
    pairs: int | None = None,
    seen_pairs: int | None = None,
    ordinary: int | None = None,
) -> MeasuredRequests:
    """The system's prompts, split by category, with ordinary requests beside them.

    Args:
        system: its prompt sets; the pack is split, sets of other authors are only measured.
        languages: of the requests.
        seed: of the split and of the draws.
        held_out: categories to hold out; half of them where none is named.
        pairs: pairs of each part that are asked at most, drawn by seed; None for all.
        seen_pairs: the same of the seen part alone; None for ``pairs``.
        ordinary: ordinary requests at most; None for all.

    Raises:
        InputError: a set is not usable, or a part has no requests.
    """
    prompts = [one for one in sources.prompts(system) if one.language in languages]
    own = [one for one in prompts if one.source == PACK]
    if not own:
        told = ", ".join(languages)
        raise InputError(
            f"no pairs of harmful requests and look-alikes in {told}", field="--languages",
            expected=f"en or zh, and the set {PACK} among the manifest's prompts",
        )  # fmt: skip
    public = [one for one in prompts if one.source != PACK]
    split = split_by_category(own, public, held_out=held_out or None, seed=seed)
    plain = load_ordinary(languages)
    return MeasuredRequests(
        split,
        seen=_drawn(split.seen, seen_pairs or pairs, seed),
        held_out=_drawn(split.held_out, pairs, seed),
        ordinary=_drawn(plain, ordinary, seed),
    )


def specs(
    requests: MeasuredRequests,
    risk: str,
    part: str,
    *,
    system_prompt: str,
    max_tokens: int,
    seed: int,
) -> list[TrialSpec]:
    """Trials of a risk on a part, in a seeded random order; their probe is RISK/PART."""
    prompts = requests.of(risk, part)
    before = (Message("system", system_prompt),) if system_prompt else ()
    return [
        TrialSpec(
            probe=f"{risk}/{part}",
            probe_version=VERSION,
            item=prompts[place].id,
            category=prompts[place].category,
            attack="direct",
            language=prompts[place].language,
            expect=EXPECT[risk],
            request=prompts[place].text,
            messages=(*before, Message("user", prompts[place].text)),
            sampling=Sampling(max_tokens=max_tokens, seed=seed),
            cluster=prompt_of(prompts[place].id, prompts[place].language),
            draw=draw,
        )
        for place, draw in order([one.category for one in prompts], seed)
    ]


def _drawn(prompts: Sequence[Prompt], pairs: int | None, seed: int) -> tuple[Prompt, ...]:
    """All prompts of some pairs, of all where ``pairs`` is None; translations count as one."""
    if pairs is None:
        return tuple(prompts)
    names = {one.id: (one.pair or one.id).split("/", 1)[0] for one in prompts}
    known = list(dict.fromkeys(names.values()))
    categories = {names[one.id]: one.category for one in prompts}
    turn = [known[place] for place, _ in order([categories[name] for name in known], seed)]
    chosen = set(turn[:pairs])
    return tuple(one for one in prompts if names[one.id] in chosen)
