"""Replicas of a model in processes of a Ray cluster: the questions are shared out among them.

Everything else stays in this process: which question is asked, how it is judged, what is stored.
So evidence and verdicts are those of the model in this process. Models that run elsewhere anyway,
behind an endpoint, have no replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from buttress.errors import ButtressError, InputError
from buttress.ray_cluster import last_line, start_cluster
from buttress.targets.base import (
    Answer,
    Request,
    Target,
    TargetError,
    needs_no_timeout,
    starts_slowly,
    takes_images,
)
from buttress.targets.open import open_target

REPLICATED: Final = ("weights", "python", "target")  # sources of targets that run where they are
_RESTARTS: Final = 2  # of a replica whose process died


class RayReplicas:
    """A target of several replicas; each question goes to the one with the fewest in flight.

    Args:
        replicas: handles of the actors that hold the model.
        described: what one of them says about itself.
    """

    def __init__(self, replicas: list[Any], described: TargetDescription) -> None:
        self._replicas = replicas
        self._in_flight = [0] * len(replicas)
        self._described = described
        self.takes_images = described.takes_images
        self.starts_slowly = described.starts_slowly
        self.needs_no_timeout = described.needs_no_timeout

    @property
    def name(self) -> str:
        """That of the model."""
        return self._described.name

    @property
    def identity(self) -> str:
        """That of the model: how many replicas there are makes no difference."""
        return self._described.identity

    @property
    def stable(self) -> bool:
        """As the model."""
        return self._described.stable

    @property
    def concurrency(self) -> int:
        """Questions that all replicas together can use at most."""
        return self._described.concurrency * len(self._replicas)

    async def answer(self, request: Request) -> Answer:
        """Ask one question.

        Raises:
            TargetError: no answer, or the process of the replica died (it is started again).
        """
        import ray

        least = min(range(len(self._replicas)), key=self._in_flight.__getitem__)
        self._in_flight[least] += 1
        try:
            said: Answer | FailedQuestion = await self._replicas[least].answer.remote(request)
        except ray.exceptions.RayError as error:
            raise TargetError(f"a replica failed: {type(error).__name__}", retry=True) from None
        finally:
            self._in_flight[least] -= 1
        if isinstance(said, FailedQuestion):
            raise TargetError(said.message, **said.fields)
        return said

    async def aclose(self) -> None:
        """End the replicas."""
        import ray

        for replica in self._replicas:
            ray.kill(replica)


@dataclass(frozen=True, slots=True)
class TargetDescription:
    """What a target says about itself."""

    name: str
    identity: str
    stable: bool
    concurrency: int
    takes_images: bool
    starts_slowly: bool
    needs_no_timeout: bool


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """A ``TargetError`` on its way between processes: its message and its keyword arguments."""

    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnusableSettings:
    """An ``InputError`` on its way between processes."""

    problem: str
    file: str | None
    line: int | None
    field: str | None
    expected: str | None


class ReplicaActor:
    """One replica, in a process of its own."""

    def __init__(self, settings: Mapping[str, Any], base: str) -> None:
        self._target: Target | None = None
        self._problem: UnusableSettings | str = ""
        try:
            self._target = open_target(settings, base=Path(base))
        except InputError as error:
            fields = ("problem", "file", "line", "field", "expected")
            self._problem = UnusableSettings(**{name: getattr(error, name) for name in fields})
        except ButtressError as error:
            self._problem = str(error)

    async def describe(self) -> TargetDescription | UnusableSettings | str:
        """What the target says about itself, or why it can't be opened."""
        target = self._target
        if target is None:
            return self._problem
        return TargetDescription(
            target.name,
            target.identity,
            target.stable,
            target.concurrency,
            takes_images(target),
            starts_slowly(target),
            needs_no_timeout(target),
        )

    async def answer(self, request: Request) -> Answer | FailedQuestion:
        """The target's answer, or why there is none."""
        assert self._target is not None
        try:
            return await self._target.answer(request)
        except TargetError as error:
            return FailedQuestion(str(error), dict(vars(error)))


class RayCluster:
    """A cluster that replicas run on: the one at RAY_ADDRESS, else one on this machine.

    Args:
        replicas: of each model; None for one on each GPU, or one where there is none.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: there is no cluster at RAY_ADDRESS, or it has not enough processors.
    """

    def __init__(self, replicas: int | None = None) -> None:
        self._begun = start_cluster(replicas or 1, asked_by="--workers")
        import ray

        untyped: Any = ray
        resources = untyped.cluster_resources()
        self._gpus = int(resources.get("GPU", 0))
        self._replicas = replicas or max(1, self._gpus)
        self._check(int(resources.get("CPU", 0)))

    def _check(self, processors: int) -> None:
        if self._replicas > processors or 0 < self._gpus < self._replicas:
            raise InputError(
                f"{self._replicas} replicas on {processors} processors and {self._gpus} GPUs",
                field="--workers",
                expected="a processor for each, and a GPU for each where there are any",
            )

    def open(self, settings: Mapping[str, Any], *, base: Path) -> Target:
        """The target that ``settings`` name, in replicas if it runs where it is opened.

        Paths must lead to the same files on all machines of the cluster.

        Raises:
            InputError: a setting is not usable.
            ButtressError: it needs a package that is not installed.
        """
        if not any(settings.get(source) is not None for source in REPLICATED):
            return open_target(settings, base=base)
        import ray

        actor_class: Any = ray.remote(ReplicaActor)
        actor = actor_class.options(
            num_cpus=1,
            num_gpus=1 if self._gpus and settings.get("weights") is not None else 0,
            max_restarts=_RESTARTS,
            max_concurrency=1000,
        )
        replicas = [actor.remote(dict(settings), str(base)) for _ in range(self._replicas)]
        try:
            described = ray.get([replica.describe.remote() for replica in replicas])
        except ray.exceptions.RayError as error:
            raise InputError(
                f"a replica can't be started: {last_line(error)}", field="--workers"
            ) from None
        first = described[0]
        if isinstance(first, UnusableSettings):
            raise InputError(**asdict(first))
        if isinstance(first, str):
            raise ButtressError(first)
        return RayReplicas(replicas, first)

    def close(self) -> None:
        """End the cluster, if it was begun here."""
        import ray

        if self._begun:
            ray.shutdown()
