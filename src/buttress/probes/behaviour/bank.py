"""Trial probes that draw on a bank of items whose answers are checked exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import orjson

from buttress.evidence.records import Expect, Trial
from buttress.probes.behaviour.figures import Figure, Figures
from buttress.prompts.pack import LANGUAGES
from buttress.protocols.judge import Judgement
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe, TrialSpec
from buttress.protocols.procedure import Procedure
from buttress.statistics.finite import Draw
from buttress.statistics.trial_order import order, prompt_of
from buttress.targets.base import Message, Sampling

Check = Callable[[str], Judgement]


@dataclass(frozen=True, slots=True)
class QuestionItem:
    """One question with what decides its outcome.

    ``request`` is the question as a person would put it; ``messages`` is what is sent, a system
    turn first where the question needs one of its own.
    """

    id: str
    category: str
    language: str
    request: str
    messages: tuple[Message, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class BankProbe:
    """Asks the items that ``items`` makes for a seed, in a seeded random order.

    The profile's weights are those of harm categories, which these items don't have, so all items
    weigh alike. Languages are those of the prompts in use, English and Chinese where there are
    none.
    """

    id: str
    version: str
    title: str
    items: Callable[[int], Sequence[QuestionItem]]
    attack: str = "direct"
    expect: Expect = "answer"
    exact: bool = True
    compute: Figures | None = None  # what the field reports beside the failure rate
    procedure: Procedure | None = None  # of items that take several questions

    def figures(self, trials: Sequence[Trial]) -> Sequence[Figure]:
        """Figures from trials of this probe; none for most."""
        return self.compute(trials) if self.compute else ()

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """Trials in a random permutation of the items; every prefix is a fair sample of them.

        Raises:
            NotCoveredError: the target is a recording, or no item is in a language in use.
        """
        items = self._items(context)
        places = item_order(items, seed_of(context.seed, self.id), context)
        return (replace(self._spec(items[place], context), draw=draw) for place, draw in places)

    def size(self, context: TrialContext) -> int:
        """Number of trials in ``stream``.

        Raises:
            NotCoveredError: as ``stream``.
        """
        return len(self._items(context))

    def _items(self, context: TrialContext) -> list[QuestionItem]:
        if context.recorded is not None:
            raise NotCoveredError("the recording has no answers to this probe's questions")
        wanted = languages(context)
        items = [item for item in self.items(context.seed) if item.language in wanted]
        if not items:
            raise NotCoveredError("no question in " + ", ".join(sorted(wanted)))
        return items

    def _spec(self, item: QuestionItem, context: TrialContext) -> TrialSpec:
        return TrialSpec(
            probe=self.id,
            probe_version=self.version,
            item=item.id,
            category=item.category,
            attack=self.attack,
            language=item.language,
            expect=self.expect,
            request=item.request,
            messages=under_system_prompt(item.messages, context.system_prompt),
            sampling=Sampling(max_tokens=context.max_tokens, seed=context.seed),
            check=item.check,
            procedure=self.procedure,
            cluster=prompt_of(item.id, item.language),
        )


def item_order(
    items: Sequence[QuestionItem], seed: int, context: TrialContext
) -> Iterator[tuple[int, Draw | None]]:
    """Numbers of the items in random order, all of equal weight; see ``sampling.order``."""
    prompts = [prompt_of(item.id, item.language) for item in items]
    chosen = prompts if context.by_prompt else None
    return order([item.category for item in items], seed, prompts=chosen)


@runtime_checkable
class TakesData(Protocol):
    """A trial probe that takes a data set of the user's, by the set's name (e.g. "bbq")."""

    @property
    def data_set(self) -> str:
        """The set's name."""
        ...

    def with_data(self, path: Path) -> TrialProbe:
        """The same probe on the set in that file or folder.

        Raises:
            InputError: the set is not there, or malformed.
        """
        ...


@dataclass(frozen=True, slots=True)
class DataBankProbe(BankProbe):
    """A bank that ``load`` can replace by a data set of the user's; see ``TakesData``."""

    data_set: str = ""
    load: (
        Callable[[Path], tuple[Callable[[int], Sequence[QuestionItem]], Figures | None]] | None
    ) = None

    def with_data(self, path: Path) -> DataBankProbe:
        """The same probe on the set in that file or folder; its version names the content.

        Raises:
            InputError: the set is not there, or malformed.
        """
        assert self.load is not None
        items, compute = self.load(path)
        content = hashlib.sha256()
        for item in items(0):
            content.update(f"{item.id}\x1f{item.messages[-1].content}\x1e".encode())
        version = f"{self.version}+{content.hexdigest()[:8]}"
        return replace(self, items=items, version=version, compute=compute)


def languages(context: TrialContext) -> set[str]:
    """Languages of the prompts in use; all that the banks have where there are no prompts."""
    found = {prompt.language for prompt in context.prompts}
    return found or set(LANGUAGES)


def under_system_prompt(messages: tuple[Message, ...], system: str) -> tuple[Message, ...]:
    """The turns after the system's own prompt, in one system turn: many models take only one."""
    if not system:
        return messages
    if messages[0].role == "system":
        return (Message("system", f"{system}\n\n{messages[0].content}"), *messages[1:])
    return (Message("system", system), *messages)


def seed_of(*parts: object) -> int:
    """A seed in [0, 2^64) that depends on all ``parts``: independent for different ones."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def outcome(failed: float, reason: str) -> Judgement:
    """The judgement of an exact check: the score is the outcome, since nothing is uncertain."""
    return Judgement(failed, failed, reason)


DATA: Final = "data"


@cache
def records(name: str) -> tuple[dict[str, Any], ...]:
    """The objects of the bank ``data/NAME.jsonl``, in order."""
    file = resources.files("buttress.probes.behaviour").joinpath(DATA, f"{name}.jsonl")
    return tuple(orjson.loads(line) for line in file.read_bytes().splitlines() if line.strip())
