"""A GGUF model in this process, through llama.cpp (package ``xllamacpp``)."""

from __future__ import annotations

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError, MissingExtraError
from buttress.processes import usable_processors
from buttress.targets import completion
from buttress.targets.base import Answer, Request, Sampling, TargetError
from buttress.targets.chat import as_dicts, without_system
from buttress.targets.fingerprint import file_digest
from buttress.targets.settings import existing, unknown, whole

SETTINGS: Final = ("weights", "context", "parallel", "threads")
MAGIC: Final = b"GGUF"
TRIED: Final = 2  # numbers of threads that are tried: all cores, then half of them
TASTE: Final = Sampling(max_tokens=24)


def create(
    *,
    weights: str | Path,
    context: int = 2048,
    parallel: int = 16,
    threads: int | None = None,
    **others: Any,
) -> LlamaCppTarget:
    """The model in the GGUF file ``weights``, with the chat template that the file holds.

    Args:
        weights: path of the file.
        context: tokens of question and answer together, for each answer in the making. Memory
            grows with ``context`` × ``parallel``.
        parallel: answers generated at once (continuous batching).
        threads: processor threads; None for as many as answer fastest just now. On a machine that
            is busy with something else, llama.cpp's threads wait for each other, and one of them
            can be ten times faster than two.

    Raises:
        InputError: no GGUF file, or a setting is not usable.
        MissingExtraError: xllamacpp is not installed.
    """
    unknown(others, SETTINGS)
    path = existing(weights, "weights")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=str(path)) from None
    if magic != MAGIC:
        raise InputError("not a GGUF file", file=str(path), field="weights", expected="a GGUF file")
    _import()
    return LlamaCppTarget(
        path,
        context=whole(context, "context", 64, 2**21),
        parallel=whole(parallel, "parallel", 1, 256),
        threads=None if threads is None else whole(threads, "threads", 1, 1024),
    )


def _import() -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("a local GGUF model", "gguf") from None
    return xllamacpp


class LlamaCppTarget:
    """A model in this process. Loaded at the first question.

    Each question waits in a thread of its own; llama.cpp releases the GIL meanwhile and batches
    all that are waiting.
    """

    needs_no_timeout = True

    def __init__(self, path: Path, *, context: int, parallel: int, threads: int | None) -> None:
        self._path = path
        self._context = context
        self._parallel = parallel
        self._threads = threads
        self._digest = file_digest(path)
        self._callers = ThreadPoolExecutor(parallel, thread_name_prefix="llamacpp")
        self._loading = asyncio.Lock()
        self._server: Any = None

    @property
    def path(self) -> Path:
        """The weights."""
        return self._path

    @property
    def name(self) -> str:
        """File name."""
        return self._path.name

    @property
    def identity(self) -> str:
        """Digest of the weights, which hold the chat template too, and the context's length."""
        return f"gguf:sha256:{self._digest} context={self._context}"

    @property
    def stable(self) -> bool:
        """True: the digest pins the model."""
        return True

    @property
    def concurrency(self) -> int:
        """Answers generated at once."""
        return self._parallel

    def _load(self) -> Any:
        if self._threads is not None:
            return self._start(self._threads)
        paces: dict[int, float] = {}
        threads = usable_processors()
        while threads >= 1 and len(paces) < TRIED:
            server = self._start(threads)
            start = time.perf_counter()
            self._complete(server, [{"role": "user", "content": "Count to ten."}], TASTE)
            paces[threads] = time.perf_counter() - start
            threads //= 2
        best = min(paces, key=lambda count: paces[count])
        return server if best == min(paces) else self._start(best)

    def _start(self, threads: int) -> Any:
        runtime = _import()
        settings = runtime.CommonParams()
        settings.model.path = str(self._path)
        settings.n_parallel = self._parallel
        settings.n_ctx = self._context * self._parallel
        settings.cpuparams.n_threads = threads
        settings.cpuparams_batch.n_threads = threads
        settings.verbosity = -1
        settings.ui = False
        settings.endpoint_slots = False
        # Up to 8 GiB of old prompts would be kept otherwise; ours hardly share more than a prefix,
        # which the slots keep anyway.
        settings.cache_ram_mib = 0
        # xllamacpp always listens on a loopback port; nobody else is to use it.
        settings.api_keys = [secrets.token_hex(32)]
        try:
            return runtime.Server(settings)
        except Exception as error:
            said = completion.one_line(str(error)) or "llama.cpp refuses it"
            raise InputError(
                f"can't be loaded: {said}", file=str(self._path), expected="a usable GGUF model"
            ) from None

    @staticmethod
    def _complete(server: Any, messages: list[dict[str, str]], sampling: Sampling) -> Any:
        body = {
            "messages": messages,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed % 2**32,
        }
        received: list[Any] = []
        try:
            server.handle_chat_completions(body, received.append)
        except ValueError as error:  # the chat template refuses the messages
            return {"error": {"code": 400, "message": str(error)}}
        return received[0] if received else None

    def _ask(self, request: Request) -> Any:
        messages = as_dicts(request.messages)
        payload = self._complete(self._server, messages, request.sampling)
        said = completion.error_text(payload).lower()
        if "system" in said and messages and messages[0]["role"] == "system":
            payload = self._complete(
                self._server, as_dicts(without_system(request.messages)), request.sampling
            )
        return payload

    async def answer(self, request: Request) -> Answer:
        """Generate one answer.

        Raises:
            TargetError: llama.cpp refuses the question, such as one longer than the context.
            InputError: the file is no usable model.
        """
        loop = asyncio.get_running_loop()
        if self._server is None:
            async with self._loading:
                if self._server is None:
                    self._server = await loop.run_in_executor(self._callers, self._load)
        start = time.perf_counter()
        payload = await loop.run_in_executor(self._callers, self._ask, request)
        code = completion.error_field(payload, "code")
        if code.startswith("4"):
            hint = "; raise the asset's `context`" if "context size" in str(payload) else ""
            raise TargetError(completion.error_text(payload) + hint, retry=False)
        return completion.read(payload, time.perf_counter() - start)

    async def aclose(self) -> None:
        """Let llama.cpp end what it is doing, and free the memory."""
        await asyncio.to_thread(self._free)

    def _free(self) -> None:
        self._callers.shutdown(wait=True)
        self._server = None
