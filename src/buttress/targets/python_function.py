"""A function of the user's own as a target: ``python: module:function``, sync or async.

It takes the prompt, or the messages where its first parameter is named ``messages``, each a
mapping with ``role`` and ``content``. Beside the prompt it may take ``history``, the messages of
the turns before (Gradio's ``fn(message, history)``), ``system_prompt``, and promptfoo's ``options``
and ``context``. It returns the answer's text, or yields it in pieces, or returns something that
holds it; see ``returned_text``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.completion import one_line
from buttress.targets.daemon_threads import DaemonThreads
from buttress.targets.raised_errors import raised
from buttress.targets.returned_text import joined_pieces, returned_text
from buttress.targets.settings import TIMEOUT_S, seconds, unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("python", "concurrency", "timeout_s")
_EXPECTED: Final = (
    "MODULE:FUNCTION, a module beside the manifest or an installed one, or FILE.py:FUNCTION"
)
_HISTORY: Final = frozenset({"history", "chat_history"})
_SYSTEM: Final = frozenset({"system", "system_prompt"})
_EMPTY: Final = frozenset({"options", "context"})  # mappings of promptfoo's providers
_PARAMETERS: Final = (
    "a function that takes the prompt, or messages, and beside it only "
    + ", ".join(sorted(_HISTORY | _SYSTEM | _EMPTY))
)


def create(
    *,
    python: str,
    base: Path | None = None,
    concurrency: int = 8,
    timeout_s: float = TIMEOUT_S,
    **others: Any,
) -> PythonTarget:
    """The function ``python``; modules are looked for in the folder ``base`` first.

    An answer has ``timeout_s`` seconds.

    Raises:
        InputError: no such module or function.
    """
    unknown(others, SETTINGS)
    function = named_function(str(python), base)
    return PythonTarget(
        str(python),
        function,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
        timeout_s=seconds(timeout_s, "timeout_s"),
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


@dataclass(frozen=True, slots=True)
class _Parameters:
    """What a function is given; ``question`` is "" where nobody can tell the name."""

    question: str
    by_name: bool = False
    needed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def call(self, function: Callable[..., Any], messages: list[dict[str, str]]) -> partial[Any]:
        """The call of the function with these messages."""
        question, others = self._arguments(messages)
        if self.by_name:
            return partial(function, **{self.question: question}, **others)
        return partial(function, question, **others)

    def _arguments(self, messages: list[dict[str, str]]) -> tuple[Any, dict[str, Any]]:
        """The question, and the other parameters by name."""
        if self.question == "messages":
            return messages, {}
        system = [m for m in messages if m["role"] == "system"]
        turns = [m for m in messages if m["role"] != "system"]
        others: dict[str, Any] = {name: {} for name in self.needed & _EMPTY}
        earlier = self.needed & _HISTORY or (self.optional & _HISTORY if turns[1:] else None)
        for name in earlier or ():
            others[name] = turns[:-1]
        for name in self.needed & _SYSTEM:
            others[name] = "\n\n".join(m["content"] for m in system)
        asked = turns[-1:] if earlier else [m for m in turns if m["role"] != "assistant"]
        told = [] if self.needed & _SYSTEM else system
        return "\n\n".join(m["content"] for m in [*told, *asked]), others


def _parameters(name: str, function: Callable[..., Any]) -> _Parameters:
    """The parameters of a function that takes a question.

    Raises:
        InputError: it can't be called with a question and what else is known.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a function that is not written in Python
        return _Parameters("")
    parameters = list(signature.parameters.values())
    known = _HISTORY | _SYSTEM | _EMPTY
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    needed = [p for p in named if p.default is p.empty]
    first = next(iter([p for p in needed if p.name not in known] or needed or parameters), None)
    others = [p for p in needed if p is not first]
    if (
        first is None
        or first.kind is inspect.Parameter.VAR_KEYWORD
        or any(p.name not in known or p.kind is p.POSITIONAL_ONLY for p in others)
    ):
        raise InputError(
            f"'{name}' takes {', '.join(p.name for p in parameters) or 'nothing'}",
            field="python",
            expected=_PARAMETERS,
        )
    optional = {p.name for p in named if p is not first and p.kind is not p.POSITIONAL_ONLY}
    return _Parameters(
        first.name,
        first.kind is first.KEYWORD_ONLY or first is not parameters[0],
        frozenset(p.name for p in others),
        frozenset(optional),
    )


def _is_asynchronous(function: Any) -> bool:
    """Whether a call returns at once, with something to wait for."""
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    called = getattr(function, "__call__", None)  # noqa: B004 -- an object's method, not whether
    return any(kind(each) for kind in kinds for each in (function, called))


class PythonTarget:
    """Calls the function; one that is not asynchronous runs in threads."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        concurrency: int,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.timeout_s = timeout_s
        self._name = name
        self._concurrency = concurrency
        self._threads = DaemonThreads(concurrency, "python-target")
        self._parameters = _parameters(name, function)
        self._asynchronous = _is_asynchronous(function)
        self._function = function

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
        try:
            said = await self._call(self._parameters.call(self._function, messages))
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

    async def _call(self, call: Callable[[], Any]) -> Any:
        """What the function returns, pieces joined."""
        if self._asynchronous:
            said = call()
        else:
            said = await self._threads.run(partial(_called, call))
        if inspect.isawaitable(said):
            said = await said
        if inspect.isasyncgen(said):
            return joined_pieces([piece async for piece in said])
        return said

    async def aclose(self) -> None:
        """End the threads."""
        self._threads.close()


def _called(call: Callable[[], Any]) -> Any:
    """What the function returns; the pieces of a generator are taken in the same thread."""
    said = call()
    return joined_pieces(said) if inspect.isgenerator(said) else said
