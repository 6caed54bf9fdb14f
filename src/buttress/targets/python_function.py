"""A function of the user's own as a target: ``python: module:function``, sync or async.

It takes the prompt, or the messages where its first parameter is named ``messages``, each a
mapping with ``role`` and ``content``. It returns the answer's text, or yields it in pieces, or
returns something that holds it: a mapping or an object with ``text`` or ``content``, or a chat
completion of OpenAI's form.
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
from buttress.targets import completion
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.completion import one_line
from buttress.targets.raised_errors import raised
from buttress.targets.settings import unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("python", "concurrency")
_FIELDS: Final = ("text", "content")
_RETURNS: Final = "it may return a text or something with a field 'text' or 'content'"
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
    except (Exception, SystemExit) as error:  # whatever the user's module does when it is imported
        problem = f"can't be imported: {type(error).__name__}: {one_line(str(error))}"
        raise InputError(problem, field="python", expected=_EXPECTED) from None
    if not callable(function):  # LangChain's chains and graphs are asked by a method
        function = getattr(function, "invoke", None)
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
            said = await self._call(given)
        except TargetError:
            raise
        except (Exception, SystemExit) as error:  # whatever the user's function does
            outcome = raised(error)
            if isinstance(outcome, Answer):
                return outcome
            raise outcome from None
        if isinstance(said, Answer):
            return said
        text = _text(said)
        return Answer(
            text,
            prompt_tokens=estimated(*(m["content"] for m in messages)),
            completion_tokens=estimated(text),
            estimated=True,
        )

    async def _call(self, given: Any) -> Any:
        """What the function returns, pieces joined."""
        function = self._function
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            said = function(given)
        else:
            loop = asyncio.get_running_loop()
            said = await loop.run_in_executor(self._threads, _called, function, given)
        if inspect.isawaitable(said):
            said = await said
        if inspect.isasyncgen(said):
            return "".join([_text(piece) async for piece in said])
        return said

    async def aclose(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _called(function: Callable[..., Any], given: Any) -> Any:
    """What the function returns; the pieces of a generator are taken in the same thread."""
    said = function(given)
    return "".join(map(_text, said)) if inspect.isgenerator(said) else said


def _text(said: Any) -> str:
    """The text in what a function returned.

    Raises:
        TargetError: there is none.
    """
    if isinstance(said, str):
        return said
    if isinstance(said, Mapping):
        if "choices" in said:
            return completion.read(dict(said), 0.0).text
        found = [said[name] for name in _FIELDS if name in said]
        has = "a mapping with " + (", ".join(map(str, list(said)[:5])) or "nothing")
    else:
        dump = getattr(said, "model_dump", None)
        if hasattr(said, "choices") and callable(dump):  # the official client's completion
            return completion.read(dump(), 0.0).text
        found = [getattr(said, name) for name in _FIELDS if hasattr(said, name)]
        has = type(said).__name__
    text = next((_flat(each) for each in found if isinstance(each, str | list)), None)
    if text is None:
        raise TargetError(f"it returned {has}, not text; {_RETURNS}", retry=False, fatal=True)
    return text


def _flat(content: str | list[Any]) -> str:
    """A content as text; LangChain's messages may hold a list of parts."""
    if isinstance(content, str):
        return content
    return completion.read({"choices": [{"message": {"content": content}}]}, 0.0).text
