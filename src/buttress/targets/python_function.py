"""A function of the user's own as a target: ``python: module:function``, sync or async.

It takes the prompt, or the messages where its first parameter is named ``messages``, each a
mapping with ``role`` and ``content``. It returns the answer's text, or yields it in pieces, or
returns something that holds it; see ``returned_text``.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.completion import one_line
from buttress.targets.raised_errors import raised
from buttress.targets.returned_text import joined_pieces, returned_text
from buttress.targets.settings import unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("python", "concurrency")
_EXPECTED: Final = (
    "MODULE:FUNCTION, a module beside the manifest or an installed one, or FILE.py:FUNCTION"
)
_PARAMETER: Final = "a function that takes the prompt, or messages"


def create(
    *, python: str, base: Path | None = None, concurrency: int = 8, **others: Any
) -> PythonTarget:
    """The function ``python``; modules are looked for in the folder ``base`` first.

    Raises:
        InputError: no such module or function.
    """
    unknown(others, SETTINGS)
    function = named_function(str(python), base)
    return PythonTarget(
        str(python), function, concurrency=whole(concurrency, "concurrency", 1, 4096)
    )


def named_function(python: str, base: Path | None, field: str = "python") -> Callable[..., Any]:
    """The function that ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` names.

    Args:
        python: its name.
        base: folder in which modules are looked for first.
        field: the setting that names it, for messages.

    Raises:
        InputError: no such module or function.
    """
    module, _, name = python.rpartition(":")
    if not module or not name:
        raise InputError(f"{python!r} names no function", field=field, expected=_EXPECTED)
    folder = str(base) if base is not None else None
    if folder is not None and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        function: Any = (
            _from_file(module, base) if module.endswith(".py") else import_module(module)
        )
        for part in name.split("."):
            function = getattr(function, part)
    except (Exception, SystemExit) as error:  # whatever the user's module does when it is imported
        problem = f"can't be imported: {type(error).__name__}: {one_line(str(error))}"
        raise InputError(problem, field=field, expected=_EXPECTED) from None
    if inspect.isclass(function):
        raise InputError(
            f"'{python}' is a class", field=field, expected="a function, or an object of it"
        )
    if not callable(function):  # LangChain's chains and graphs are asked by a method
        function = getattr(function, "invoke", None)
    if not callable(function):
        raise InputError(f"'{python}' is no function", field=field, expected=_EXPECTED)
    found: Callable[..., Any] = function
    return found


def _from_file(path: str, base: Path | None) -> ModuleType:
    """The module in a file; relative paths start at the folder ``base``.

    Raises:
        ImportError: there is no such file.
    """
    file = (base or Path()) / path
    name = f"_target_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"no such file: {file}")
    module = module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickle look for it
    spec.loader.exec_module(module)
    return module


def _first_parameter(name: str, function: Callable[..., Any]) -> inspect.Parameter | None:
    """The parameter that the question is given as; None where nobody can tell.

    Raises:
        InputError: the function can't be called with a question alone.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a function that is not written in Python
        return None
    parameters = list(signature.parameters.values())
    needed = [
        p for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]  # fmt: skip
    if len(needed) > 1 or not parameters or parameters[0].kind is inspect.Parameter.VAR_KEYWORD:
        raise InputError(
            f"'{name}' takes {', '.join(p.name for p in parameters) or 'nothing'}",
            field="python",
            expected=_PARAMETER,
        )
    return (needed or parameters)[0]


def _is_asynchronous(function: Any) -> bool:
    """Whether a call returns at once, with something to wait for."""
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    called = getattr(function, "__call__", None)  # noqa: B004 -- an object's method, not whether
    return any(kind(each) for kind in kinds for each in (function, called))


class PythonTarget:
    """Calls the function; one that is not asynchronous runs in threads."""

    def __init__(self, name: str, function: Callable[..., Any], *, concurrency: int) -> None:
        self._name = name
        self._concurrency = concurrency
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="python-target")
        first = _first_parameter(name, function)
        self._takes_messages = first is not None and first.name == "messages"
        self._asynchronous = _is_asynchronous(function)
        self._function: Callable[[Any], Any] = function
        if first is not None and first.kind is inspect.Parameter.KEYWORD_ONLY:
            keyword = first.name
            self._function = lambda given: function(**{keyword: given})

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
        text = returned_text(said)
        return Answer(
            text,
            prompt_tokens=estimated(*(m["content"] for m in messages)),
            completion_tokens=estimated(text),
            estimated=True,
        )

    async def _call(self, given: Any) -> Any:
        """What the function returns, pieces joined."""
        function = self._function
        if self._asynchronous:
            said = function(given)
        else:
            loop = asyncio.get_running_loop()
            said = await loop.run_in_executor(self._threads, _called, function, given)
        if inspect.isawaitable(said):
            said = await said
        if inspect.isasyncgen(said):
            return joined_pieces([piece async for piece in said])
        return said

    async def aclose(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _called(function: Callable[[Any], Any], given: Any) -> Any:
    """What the function returns; the pieces of a generator are taken in the same thread."""
    said = function(given)
    return joined_pieces(said) if inspect.isgenerator(said) else said
