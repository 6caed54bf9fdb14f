"""A function of the user's own as a target: ``python: module:function``, sync or async.

It takes the prompt, or the messages where its first parameter is named ``messages``, each a
mapping with ``role`` and ``content``; it returns the answer's text, or a mapping with ``text``.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.completion import one_line
from buttress.targets.settings import unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("python", "concurrency")
_EXPECTED: Final = "MODULE:FUNCTION, a module beside the manifest or an installed one"


def create(
    *, python: str, base: Path | None = None, concurrency: int = 8, **others: Any
) -> PythonTarget:
    """The function ``python``; modules are looked for in the folder ``base`` first.

    Raises:
        InputError: no such module or function.
    """
    unknown(others, SETTINGS)
    module, _, name = str(python).partition(":")
    if not module or not name:
        raise InputError(f"{python!r} names no function", field="python", expected=_EXPECTED)
    folder = str(base) if base is not None else None
    if folder is not None and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        function: Any = import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except Exception as error:  # whatever the user's module does when it is imported
        problem = f"can't be imported: {type(error).__name__}: {one_line(str(error))}"
        raise InputError(problem, field="python", expected=_EXPECTED) from None
    if not callable(function):
        raise InputError(f"'{python}' is no function", field="python", expected=_EXPECTED)
    return PythonTarget(
        str(python), function, concurrency=whole(concurrency, "concurrency", 1, 4096)
    )


class PythonTarget:
    """Calls the function; one that is not asynchronous runs in threads."""

    def __init__(self, name: str, function: Callable[..., Any], *, concurrency: int) -> None:
        self._name = name
        self._function = function
        self._concurrency = concurrency
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="python-target")
        parameters = list(inspect.signature(function).parameters)
        self._takes_messages = bool(parameters) and parameters[0] == "messages"

    @property
    def name(self) -> str:
        """Module and function."""
        return self._name

    @property
    def identity(self) -> str:
        """Module and function."""
        return f"python:{self._name}"

    @property
    def stable(self) -> bool:
        """False: nobody knows what a function depends on."""
        return False

    @property
    def concurrency(self) -> int:
        """Calls at once at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """What the function returns.

        Raises:
            TargetError: it raised, or returned no text.
        """
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        given: Any = messages
        if not self._takes_messages:
            given = "\n\n".join(m["content"] for m in messages if m["role"] != "assistant")
        try:
            if inspect.iscoroutinefunction(self._function):
                said = await self._function(given)
            else:
                loop = asyncio.get_running_loop()
                said = await loop.run_in_executor(self._threads, self._function, given)
                if inspect.isawaitable(said):
                    said = await said
        except TargetError:
            raise
        except Exception as error:  # whatever the user's function does
            problem = f"{type(error).__name__}: {one_line(str(error))}"
            raise TargetError(problem, retry=False) from None
        text = said.get("text") if isinstance(said, Mapping) else said
        if isinstance(said, Answer):
            return said
        if not isinstance(text, str):
            raise TargetError(f"it returned {type(said).__name__}, not text", retry=False)
        return Answer(
            text,
            prompt_tokens=estimated(*(m["content"] for m in messages)),
            completion_tokens=estimated(text),
            estimated=True,
        )

    async def aclose(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
