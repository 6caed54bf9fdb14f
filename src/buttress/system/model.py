"""A system and its assets, as the rest of Buttress sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from buttress.answers.own_refusals import OwnRefusals

AssetKind = Literal["model", "data", "source", "infrastructure", "link", "service", "client"]
TARGET_SOURCES: Final = (
    "endpoint", "http", "python", "weights", "replay", "browser", "script", "inspect", "target",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs, in any one currency."""

    per_call: float = 0.0
    per_million_prompt_tokens: float = 0.0
    per_million_completion_tokens: float = 0.0

    def cost(self, calls: int, prompt_tokens: int, completion_tokens: int) -> float:
        """Cost of so many calls and tokens together."""
        return (
            calls * self.per_call
            + prompt_tokens * self.per_million_prompt_tokens / 1e6
            + completion_tokens * self.per_million_completion_tokens / 1e6
        )


@dataclass(frozen=True, slots=True)
class Asset:
    """A part of the system.

    ``settings`` are the target's settings where the asset is a running model, else empty;
    ``paths`` are files and folders that inspection probes may read. ``file`` and ``line`` say where
    the manifest describes it, for errors that show only when it is used.
    """

    id: str
    kind: AssetKind
    location: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    system_prompt: str = ""
    max_tokens: int = 160
    price: Price = Price()
    description: str = ""
    url: str = ""  # of a host that live probes may ask; empty for none
    file: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    @property
    def is_target(self) -> bool:
        """Whether questions can be asked of it."""
        return any(source in self.settings for source in TARGET_SOURCES)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the system and its share of the requests, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Operational profile. ``categories`` weighs harm categories; empty means all alike."""

    users: str = ""
    requests_per_day: float = 1000.0
    uses: tuple[Use, ...] = ()
    categories: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """What an assessment may spend; None means no limit."""

    calls: int | None = 2000
    minutes: float | None = None
    cost: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A prompt set to use, by name; ``path`` None loads public sets from the hub."""

    set: str
    path: Path | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Which judge decides; ``target`` are target settings for an LLM judge, with its ``rubric``.

    ``model`` is the family of a guard. ``members``, ``rule`` and ``quorum`` are those of a panel;
    see ``judges.panel``.
    """

    id: str = "offline"
    model: str | None = None
    calibration: Path | None = None
    target: Mapping[str, Any] | None = None
    rubric: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[Mapping[str, Any], ...] = ()
    rule: str | None = None
    quorum: int | None = None


@dataclass(frozen=True, slots=True)
class System:
    """What is assessed: a model and everything that it ships in.

    ``attacker`` are a target's settings, or ``{"asset": id}``; ``attacks`` name the set of attacks,
    all families where empty; ``data`` are data sets by name; ``options`` are those of inspection
    probes; ``refusals`` are the application's own block messages; ``lines`` are those of the
    manifest's ``file`` by field; ``run_digest`` is that of the manifest without its budget, times,
    concurrency and prices, which a run that is resumed may change.
    """

    name: str
    purpose: str
    owner: str
    assets: tuple[Asset, ...]
    profile: Profile
    base: Path
    digest: str
    languages: tuple[str, ...] = ("en", "zh")
    prompts: tuple[PromptSource, ...] = (PromptSource("buttress"),)
    judge: JudgeSettings = JudgeSettings()
    refusals: OwnRefusals = field(default_factory=OwnRefusals)
    attacker: Mapping[str, Any] | None = None
    attacks: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    policy: str = "default"
    risks: Path | None = None
    budget: Budget = Budget()
    file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    run_digest: str = ""
