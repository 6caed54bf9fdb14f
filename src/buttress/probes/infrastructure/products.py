"""Buttress's own fingerprints: products as data, with the requests that prove them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_loader import load_yaml
from buttress.probes.infrastructure.answers import AnswerCondition, HostAnswer, condition
from buttress.probes.infrastructure.versions import Scheme
from buttress.protocols.live import LiveRequest, Reply

_MOST_VERSION: Final = 100  # characters; what is longer is no version
_FOLDER: Final = Path(__file__).parent / "data"
# Nothing lives at this path: what is answered there too is no sign of a product.
ABSENT: Final = LiveRequest("GET", "/buttress-no-such-path")
Ask = Callable[[LiveRequest], Awaitable[Reply | None]]
_PRODUCT_FIELDS: Final = frozenset(
    ("id", "name", "packages", "versions", "aliases", "untold", "ask", "match", "version",
     "exposed", "examples", "not")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exposure:
    """Something that a product offers to anybody: the rule that it falls under, and its sign."""

    rule: str
    condition: AnswerCondition
    what: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product: how it is known, how its version is told, and what it may offer to anybody.

    ``packages`` are those of ecosystems that it is published as, such as ``PyPI/gradio``;
    ``aliases`` other spellings of its name; ``untold`` versions that it gives whatever its release.
    ``ask`` says how to find the version out where no answer tells it.
    """

    id: str
    name: str
    versions: Scheme
    match: tuple[AnswerCondition, ...]
    version: tuple[AnswerCondition, ...]
    exposed: tuple[Exposure, ...]
    packages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    ask: str = ""
    examples: tuple[Mapping[str, Any], ...] = ()
    others: tuple[Mapping[str, Any], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called, its packages included."""
        packages = (one.rpartition("/")[2] for one in self.packages)
        return self.id, self.name, *self.aliases, *packages


@dataclass(frozen=True, slots=True)
class Identified:
    """A product that answered, with the parts of answers that prove it and its version."""

    product: Product
    request: LiveRequest
    proof: str
    version: str = ""
    version_request: LiveRequest | None = None
    version_proof: str = ""


@cache
def products() -> tuple[Product, ...]:
    """Buttress's products, in the order of their ids.

    Raises:
        ValueError: the data is wrong; names the product.
    """
    found: dict[str, Product] = {}
    for path in sorted((_FOLDER / "products").glob("*.yaml")):
        for data in load_yaml(path)["products"]:
            try:
                made = product(data)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path.name}: {data.get('id')}: {error}") from None
            if made.id in found:
                raise ValueError(f"{path.name}: '{made.id}' is given twice")
            found[made.id] = made
    return tuple(found[one] for one in sorted(found))


def product(data: Mapping[str, Any]) -> Product:
    """A product from its data.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    if unknown := set(data) - _PRODUCT_FIELDS:
        raise ValueError(f"unknown field '{min(unknown)}'")
    return Product(
        data["id"],
        data["name"],
        data.get("versions", "semver"),
        tuple(map(condition, data["match"])),
        tuple(map(condition, data.get("version", ()))),
        tuple(map(exposure, data.get("exposed", ()))),
        tuple(data.get("packages", ())),
        tuple(data.get("aliases", ())),
        tuple(map(str, data.get("untold", ()))),
        data.get("ask", ""),
        tuple(data.get("examples", ())),
        tuple(data.get("not", ())),
    )


def plan(given: Iterable[Product], *, active: bool = False) -> list[LiveRequest]:
    """Every request that products are known by, then those that follow once one is known.

    Without ``active`` no request is among them that sends a body by POST.
    """
    given = list(given)
    found = dict.fromkeys(one.request for each in given for one in each.match)
    found[ABSENT] = None
    for each in given:
        found.update(dict.fromkeys(one.request for one in each.version))
        found.update(dict.fromkeys(one.condition.request for one in each.exposed))
    return [one for one in found if active or one.method != "POST"]


async def identify(given: Sequence[Product], answers: ProductAnswers) -> list[Identified]:
    """The products that answer, with their versions where an answer tells them."""
    found: list[Identified] = []
    for each in given:
        for one in each.match:
            proof = await answers.proof(one)
            if proof is not None:
                found.append(await _with_version(each, one.request, proof, answers))
                break
    return found


async def exposures(
    of: Product, answers: ProductAnswers, *, active: bool = False
) -> list[tuple[Exposure, str]]:
    """What a product offers to anybody, each with the part of the answer that proves it.

    What is only seen by POST needs ``active``.
    """
    found = []
    for one in of.exposed:
        if one.condition.request.method == "POST" and not active:
            continue
        proof = await answers.proof(one.condition)
        if proof is not None:
            found.append((one, proof))
    return found


def normalised(name: str) -> str:
    """A name without case and punctuation, by which spellings are compared."""
    return re.sub(r"[^0-9a-z]+", "", name.lower())


class ProductAnswers:
    """The answers of one host, each read once.

    ``alike`` are requests whose answer proves nothing, since the host gives the same data for a
    path that nobody has.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._read: dict[LiveRequest, HostAnswer | None] = {}
        self.alike: dict[LiveRequest, None] = {}

    async def get(self, request: LiveRequest) -> HostAnswer | None:
        """The answer to a request; None where there was none."""
        if request not in self._read:
            reply = await self._ask(request)
            self._read[request] = None if reply is None else HostAnswer(reply)
        return self._read[request]

    async def is_of_any_path(self, request: LiveRequest) -> bool:
        """Whether the same data is answered to a request and for a path that nobody has."""
        answer, absent = await self.get(request), await self.get(ABSENT)
        if answer is None or absent is None or not absent.is_data:
            return False
        if same := answer.reply.body == absent.reply.body:
            self.alike[request] = None
        return same

    async def proof(self, condition: AnswerCondition) -> str | None:
        """The part of the answer that shows that a condition holds; None where it does not.

        A condition on data that holds for any path proves nothing. A page for people may be the
        same for any path: applications that choose what to show by themselves are served so.
        """
        answer = await self.get(condition.request)
        proof = condition.proof(answer) if answer else None
        if proof is None or condition.request.method == "TCP":
            return proof
        if condition.json or condition.body:
            absent = await self.get(ABSENT)
            if absent is not None and absent.is_data and condition.proof(absent) is not None:
                self.alike[condition.request] = None
                return None
        return proof


async def _with_version(
    of: Product, request: LiveRequest, proof: str, answers: ProductAnswers
) -> Identified:
    for one in of.version:
        answer = await answers.get(one.request)
        told = await answers.proof(one)
        if answer is None or told is None:
            continue
        version = one.captured(answer).strip()
        if version and len(version) <= _MOST_VERSION and version not in of.untold:
            return Identified(of, request, proof, version, one.request, told)
    return Identified(of, request, proof)


def exposure(data: Mapping[str, Any]) -> Exposure:
    """An exposure from its data.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    return Exposure(
        data["rule"],
        condition({key: value for key, value in data.items() if key not in ("rule", "what")}),
        data["what"],
    )
