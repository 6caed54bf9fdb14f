"""The API of a host as the checks of the service layer share it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from buttress.probes.service.chat import ChatShape, json_of, shapes_of
from buttress.probes.service.openapi import ApiDescription, ApiOperation, load_description
from buttress.protocols.live import NO_VALUES, LiveContext, LiveRequest, Reply, Session

MODELS: Final = "/v1/models"
_USUAL_READS: Final = (
    MODELS, "/v1/files", "/v1/assistants", "/v1/batches", "/v1/conversations", "/conversations",
    "/api/conversations", "/api/chats", "/chats", "/api/sessions", "/sessions",
)  # fmt: skip
_USUAL_KEY: Final = ("Authorization", "Bearer {key}")
REFUSED: Final = (401, 403)
NO_CANARY: Final = (
    "the host is another machine and can't reach a canary here: name an address with --listen"
)


@dataclass(frozen=True, slots=True)
class Collection:
    """A list of objects, and the path of one of them with ``{id}`` in place of its id."""

    path: str
    item: str


@dataclass(slots=True)
class ServiceApi:
    """What is known of the API before it is asked, and what the asking showed.

    ``users`` are the names of the keys. ``reads`` are paths with whether a description says that
    they need a key. ``model`` is the name that stands for ``{model}``. ``not_judged`` says what
    could not be tested, and why.
    """

    users: tuple[str, ...]
    active: bool
    description: ApiDescription | None
    shapes: tuple[ChatShape, ...]
    reads: tuple[tuple[str, bool], ...]
    collections: tuple[Collection, ...]
    key_header: tuple[str, str]
    model: str = "default"
    not_judged: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: LiveContext) -> ServiceApi:
        """The API that a run asks of each host.

        Raises:
            InputError: the description can't be read.
        """
        description = load_description(context.openapi) if context.openapi else None
        operations = description.operations if description else ()
        return cls(
            tuple(context.keys)[:2],
            context.active,
            description,
            shapes_of(description),
            tuple(_reads(operations))
            if description
            else tuple((one, False) for one in _USUAL_READS),
            tuple(_collections(operations))
            if description
            else tuple(Collection(one, f"{one}/{{id}}") for one in _USUAL_READS[1:]),
            description.key_header if description else _USUAL_KEY,
        )

    @property
    def first(self) -> str:
        """The name of the first user, empty where no key was given."""
        return self.users[0] if self.users else ""

    def get(
        self, path: str, user: str = "", headers: tuple[tuple[str, str], ...] = (), once: str = ""
    ) -> LiveRequest:
        """A reading request, with the key of a user where one is named."""
        own = (self.key_header,) if user else ()
        return LiveRequest("GET", path, (*own, *headers), once=once, key=user)

    @property
    def values(self) -> dict[str, str]:
        """What stands for names in requests."""
        return {"model": self.model}

    async def ask(
        self, session: Session, request: LiveRequest, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """The answer to a request; the name of the model is put in, and ``values``."""
        return await session.ask(request, {**self.values, **values})

    async def chat(self, session: Session) -> ChatShape | None:
        """The shape that the API answers in, asked as the first user; needs ``active``.

        None where it gives no answer: what needs one is then not judged.
        """
        for shape in self.shapes:
            reply = await self.ask(session, shape.ask(HELLO, self.first))
            if shape.answer(reply):
                return shape
        return None


HELLO: Final = "Answer with one word: hello."


def is_data(reply: Reply | None) -> bool:
    """Whether an answer is one of an API: status 200 and JSON that is an object or a list."""
    return reply is not None and reply.status == 200 and isinstance(json_of(reply), dict | list)


def is_limited(reply: Reply | None) -> bool:
    """Whether a request was refused for a limit of rate or load, which judges nothing."""
    return reply is not None and reply.status in (429, 503)


def same_kind(first: Reply | None, second: Reply | None) -> bool:
    """Whether two answers of an API have the same form: the same keys, or both lists."""
    if not is_data(first) or not is_data(second):
        return False
    one, other = json_of(first), json_of(second)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys()
    return isinstance(one, list) and isinstance(other, list)


def ids(reply: Reply | None) -> list[str]:
    """The ids in a list of objects: the list itself, or the first one within an object."""
    data: Any = json_of(reply)
    if isinstance(data, dict):
        data = next((one for one in data.values() if isinstance(one, list)), [])
    found = []
    for one in data if isinstance(data, list) else ():
        value: Any = one
        if isinstance(one, dict):
            names = [name for name in one if name.lower() in ("id", "uuid", "_id")]
            names += [name for name in one if name.lower().endswith("_id")]
            value = one[names[0]] if names else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            found.append(str(value))
    return found


def _reads(operations: Sequence[ApiOperation]) -> Iterator[tuple[str, bool]]:
    for one in operations:
        if one.method == "GET" and not any(each.place == "path" for each in one.parameters):
            yield one.filled(), one.secured


def _collections(operations: Sequence[ApiOperation]) -> Iterator[Collection]:
    reads = {one.path: one for one in operations if one.method == "GET"}
    for path, item in reads.items():
        before, _, last = path.rpartition("/")
        if last.startswith("{") and last.endswith("}") and before in reads and "{" not in before:
            yield Collection(reads[before].filled(), item.filled({last[1:-1]: "{id}"}))
