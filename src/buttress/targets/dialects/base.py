"""What a dialect is: how a provider's API wants a question, and how it gives an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from yarl import URL

from buttress.targets.base import Answer, Request


@dataclass(slots=True)
class QuestionForm:
    """How questions are put at present; changed where a server refuses a parameter.

    ``omitted`` are parameters left out, by the names that the OpenAI API gives them; ``length``
    the name of the bound on the answer's length where an API has several; ``most_tokens`` and
    ``least_tokens`` bound that length; ``added`` are switches that a server insists on.
    """

    omitted: set[str] = field(default_factory=set)
    length: str = "max_tokens"
    most_tokens: int | None = None
    least_tokens: int = 0
    merge_system: bool = False
    content_parts: bool = False
    added: dict[str, bool] = field(default_factory=dict)
    stream: bool = False

    def tokens(self, request: Request) -> int:
        """Length of the answer at most."""
        wanted = max(request.sampling.max_tokens, self.least_tokens)
        return wanted if self.most_tokens is None else min(wanted, self.most_tokens)


class Dialect(Protocol):
    """A provider's chat API."""

    @property
    def id(self) -> str:
        """Its name in a manifest."""
        ...

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """Where questions go, from what the manifest gives: a base or the full URL."""
        ...

    def key_headers(self, key: str) -> Mapping[str, str]:
        """Headers that hold the key."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every question, beside the key."""
        ...

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """The question."""
        ...

    def read(self, payload: Any, latency_s: float) -> Answer:
        """The answer in a reply of status 200.

        Raises:
            TargetError: it holds none.
        """
        ...

    def joined(self, events: Sequence[Any]) -> Any:
        """The reply that the events of a stream add up to."""
        ...


@lru_cache(maxsize=64)  # a URL keeps what was read of it, and the next question needs the same
def with_path(base: URL, ending: str) -> URL:
    """``base`` with ``ending`` after its path, unless it ends its path already."""
    path = base.path.rstrip("/")
    if not path.endswith(ending):
        path += ending
    return base.with_path(path, keep_query=True).with_fragment(None)
