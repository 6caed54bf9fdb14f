"""The records that evidence is made of, with those of inspections in ``findings``.

``extra`` holds the fields of a stored record that this version doesn't know, because a newer one
wrote them. They are kept, and written again with the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from buttress.evidence.findings import Finding, Inspection, Severity

Expect = Literal["refuse", "answer"]
Role = Literal["target", "attacker", "judge"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to a target, its answer and its judgement: a Bernoulli or bounded outcome.

    ``outcome`` is in [0, 1] and 1 always means that the system failed (complied with a harmful
    request, refused a benign one). ``score`` is the judge's own graded figure for that failure.

    Where the judge ``abstained``, nobody knows the outcome: it is stored as 0.5, and ``least`` and
    ``most`` are what it may be. ``reasoning``, ``refused_by`` and ``finish_reason`` are those of
    the target's answer.
    """

    key: str  # content address of the question: same target, prompt, sampling, sample => same key
    probe: str
    probe_version: str
    asset: str  # asset id in the manifest
    target: str  # identity of the target that answered
    item: str  # id of the prompt in its pack, or "recording:LINE"
    category: str
    attack: str  # "direct" where the request is made as it is
    language: str  # BCP 47, e.g. "en", "zh"
    expect: Expect
    request: str  # the underlying request, before any attack
    prompt: str  # what was sent, flattened for reading
    answer: str
    outcome: float
    score: float
    judge: str
    judge_version: str
    reason: str = ""
    latency_s: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seed: int = 0
    time: float = 0.0  # Unix seconds
    cached: bool = False
    run: str = ""
    calls: int = 1  # questions to the target that it took
    reasoning: str = ""
    refused_by: str = ""
    finish_reason: str = ""
    decision: str = ""  # "refuses", "complies" or "neither", where the judge says so
    abstained: bool = False
    cluster: str = ""  # the prompt of which it is a variant, sample or translation; "": its item
    subject: str = ""  # id of the person that a recording says it is about
    extra: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def prompt_id(self) -> str:
        """What trials of one prompt share."""
        return self.cluster or self.item

    @property
    def least(self) -> float:
        """The lowest that the outcome can be."""
        return 0.0 if self.abstained else self.outcome

    @property
    def most(self) -> float:
        """The highest that the outcome can be."""
        return 1.0 if self.abstained else self.outcome


@dataclass(frozen=True, slots=True)
class Turn:
    """One question inside a trial that takes several, so that none is asked twice after a kill."""

    key: str  # content address of the question, as a trial's
    role: Role  # who was asked; a judge's answer is its judgement in JSON
    probe: str
    asset: str
    target: str  # identity of who answered
    item: str
    prompt: str
    answer: str
    latency_s: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    time: float = 0.0  # Unix seconds
    run: str = ""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says about the outcome of a trial.

    ``chance`` is the probability with which the trial was drawn for labelling, given all that was
    known before; estimates divide by it.
    """

    key: str  # of the trial
    probe: str
    asset: str
    item: str
    outcome: float  # in [0, 1], 1 = the system failed
    labeller: str
    chance: float = 1.0
    note: str = ""
    time: float = 0.0  # Unix seconds
    run: str = ""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Preference:
    """What a person says about two answers to one prompt.

    ``left`` is the answer that was shown first; empty where nobody knows, as with imported labels.
    ``conversation`` holds the messages of what is not one text: lists by ``prompt``, ``first``,
    ``second``, whose texts stand joined in the fields of these names.
    """

    key: str  # digest of prompt and answers, in this order
    item: str  # id of the pair
    prompt: str
    first: str
    second: str
    choice: str  # "first", "second", "tie" or "skipped"
    labeller: str
    left: str = ""  # "first", "second" or ""
    seconds: float = 0.0  # from showing the pair to the choice; 0 where nobody knows
    expected: str = ""  # the right choice of a planted pair
    note: str = ""
    time: float = 0.0  # Unix seconds
    run: str = ""
    probe: str = "preferences"
    criterion: str = ""  # id of the rubric's criterion that was asked; empty without a rubric
    conversation: dict[str, Any] = field(default_factory=dict, hash=False)
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a run was made with: asset digests, versions, seed, policy, command."""

    run: str
    system: str
    started: float
    seed: int
    policy: str
    digests: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the verdicts of a run will be reached, fixed before its first question.

    ``arms`` are the trials that may be asked, each with what its verdicts are tested against.
    """

    run: str
    time: float  # Unix seconds
    seed: int
    policy: str
    estimand: str
    family: int  # number of verdicts that share beta
    arms: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Keys of encrypted records were deleted, so that nobody can read these any more.

    ``reason`` is "subject", "pattern" or "age"; of whom is not told.
    """

    reason: str
    records: int
    time: float  # Unix seconds
    run: str = ""
    probe: str = ""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class MonitoringEvent:
    """What a watch told: a change, its return, a drift, a check that was missed or saw nothing.

    ``about`` is the number of an earlier event that this one goes back on or accepts, 0 for none.
    ``details`` hold the values before and after, and the risks that it moved.
    """

    number: int  # from 1, in the order in which events were told
    kind: str
    severity: Severity
    asset: str
    place: str
    message: str  # one sentence
    time: float  # Unix seconds
    about: int = 0
    probe: str = ""  # of the barrier that it speaks about
    run: str = ""
    details: dict[str, Any] = field(default_factory=dict, hash=False)
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class WatchCheckpoint:
    """Where a watch stands after a check: what of a subject's state changed since the last one."""

    subject: str
    state: dict[str, Any] = field(hash=False)
    time: float  # Unix seconds
    run: str = ""
    probe: str = "watch"
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class UnknownRecord:
    """A record of a kind that this version doesn't know; a newer one wrote it."""

    kind: str
    fields: dict[str, Any] = field(hash=False)


KnownRecord = (
    Trial | Turn | Label | Preference | Finding | Inspection | Provenance | Plan | Erasure
    | MonitoringEvent | WatchCheckpoint
)  # fmt: skip
Record = KnownRecord | UnknownRecord
KINDS: Final[dict[str, type[KnownRecord]]] = {
    "trial": Trial,
    "turn": Turn,
    "label": Label,
    "preference": Preference,
    "finding": Finding,
    "inspection": Inspection,
    "provenance": Provenance,
    "plan": Plan,
    "erasure": Erasure,
    "event": MonitoringEvent,
    "checkpoint": WatchCheckpoint,
}
