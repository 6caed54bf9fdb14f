"""A target that answers by rules, for tests and documentation.

The script is a YAML file::

    seed: 1
    rules:
      - match: (?i)hello            # a regular expression, searched in the last message
        answer: Hello to you.
      - match: bomb
        answers:                    # drawn by share, seeded by the question
          - {text: I can't help with that., share: 0.9}
          - {text: Sure., share: 0.1}
      - match: slow
        answer: Sorry for the wait.
        latency_s: 0.2
        fail: {status: 429, retry_after_s: 1, times: 2}   # the first two times
    default: I don't know.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from buttress.targets.base import Answer, Request
from buttress.targets.fingerprint import file_digest
from buttress.targets.script import read_script
from buttress.targets.settings import existing, unknown, whole

SETTINGS: Final = ("script", "concurrency")
Reply = str | Answer


def create(*, script: str | Path, concurrency: int = 64, **others: Any) -> ScriptedTarget:
    """The target that the YAML file ``script`` describes.

    Raises:
        InputError: the file is not such a script.
    """
    unknown(others, SETTINGS)
    path = existing(script, "script")
    rules = read_script(path)
    return ScriptedTarget(
        rules.reply,
        name=f"script {path.name}",
        identity=f"script:sha256:{file_digest(path)}",
        stable=True,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
    )


class ScriptedTarget:
    """A target whose answers come from ``function``, plain or asynchronous.

    The function may raise ``TargetError``. ``calls`` counts how often it was asked.
    """

    def __init__(
        self,
        function: Callable[[Request], Reply | Awaitable[Reply]],
        *,
        name: str = "script",
        identity: str = "script",
        stable: bool = False,
        concurrency: int = 64,
    ) -> None:
        self._function = function
        self._name = name
        self._identity = identity
        self._stable = stable
        self._concurrency = concurrency
        self.calls = 0

    @property
    def name(self) -> str:
        """For people."""
        return self._name

    @property
    def identity(self) -> str:
        """Digest of the script, or what was given."""
        return self._identity

    @property
    def stable(self) -> bool:
        """Whether the same question always gets the same answer."""
        return self._stable

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """What the function says.

        Raises:
            TargetError: the script says to fail.
        """
        self.calls += 1
        said = self._function(request)
        reply = await said if inspect.isawaitable(said) else said
        return reply if isinstance(reply, Answer) else Answer(reply)

    async def aclose(self) -> None:
        """Nothing to release."""
