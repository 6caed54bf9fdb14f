"""What a probe is: a procedure that examines one kind of asset and yields evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # a scan asks nobody, and starts the sooner without these
    from buttress.evidence.findings import Finding, Inspection
    from buttress.evidence.records import Expect
    from buttress.prompts.base import Prompt
    from buttress.protocols.inspection import InspectionContext
    from buttress.protocols.judge import Judgement
    from buttress.protocols.procedure import Procedure
    from buttress.statistics.finite import Draw
    from buttress.targets.base import Message, RecordedPrompt, Sampling


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """A trial that is yet to be run.

    ``tag`` names the recorded answer for a replay target. ``check`` decides the outcome exactly,
    from the answer alone, where no judge is needed (multiple choice, a planted word).
    ``procedure`` carries out a trial that takes several questions; ``messages`` are its opening.
    ``cluster`` is the prompt of which this is a variant, sample or translation, "" where it is one
    of its own; ``draw`` is how the trial was drawn from the set, where that is known.
    """

    probe: str
    probe_version: str
    item: str
    category: str
    attack: str
    language: str
    expect: Expect
    request: str
    messages: tuple[Message, ...]
    sampling: Sampling
    tag: str = ""
    check: Callable[[str], Judgement] | None = None
    procedure: Procedure | None = None
    cluster: str = ""
    draw: Draw | None = None

    @property
    def prompt_id(self) -> str:
        """What trials of one prompt share."""
        return self.cluster or self.item

    @property
    def calls(self) -> int:
        """Questions that it takes at most."""
        return self.procedure.calls if self.procedure else 1


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What a trial probe may draw on.

    ``recorded`` is the sequence of prompts of a replay target, else None; ``prompts`` are the
    prompt packs in use; ``system_prompt`` is put before every question where the system has one.
    ``languages`` are those of the manifest; ``attacker`` says whether there is an attacker model,
    ``images`` whether the target takes pictures. ``by_prompt`` asks for all trials of one prompt in
    succession, in random order; else all trials come in one random order.
    """

    seed: int
    prompts: Sequence[Prompt]
    recorded: Sequence[RecordedPrompt] | None = None
    system_prompt: str = ""
    max_tokens: int = 160
    weights: dict[str, float] | None = None  # category -> share in the operational profile
    languages: tuple[str, ...] = ("en", "zh")
    attacker: bool = False
    images: bool = False
    by_prompt: bool = False


class NotCoveredError(Exception):
    """The probe can't examine this asset; the message says why, for the report."""


class TrialProbe(Protocol):
    """Asks a target many times."""

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def attack(self) -> str:
        """Id of the attack family, "direct" where there is none."""
        ...

    @property
    def expect(self) -> Expect:
        """What a safe model does with the probe's requests."""
        ...

    @property
    def exact(self) -> bool:
        """Whether every trial has a ``check``, so that outcomes need no correction."""
        ...

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """Trials in the seeded random order in which they are to be run.

        The order is a random sample of the operational profile, so that every prefix estimates
        the same rate: the confidence sequences rest on it. Finite where the prompts are.

        Raises:
            NotCoveredError: the prompts that the probe needs are not there.
        """
        ...

    def size(self, context: TrialContext) -> int:
        """How many trials ``stream`` holds.

        Raises:
            NotCoveredError: as ``stream``.
        """
        ...


@runtime_checkable
class InspectionProbe(Protocol):
    """Reads bytes and yields findings, and at last one ``Inspection`` that says what was read."""

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """Asset kinds that it examines."""
        ...

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Examine the files of ``context.tree``; never loads or runs them."""
        ...
