"""Canaries: sentences with a random secret that stand nowhere else, to be planted in training data.

Carlini et al. 2019, "The secret sharer". Each canary has a twin that is drawn in the same way and
is not planted: which of the two is, is thereby a fair coin, as an audit needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Annotated, Final

import msgspec
import orjson
from msgspec import Meta, Struct

from buttress.errors import InputError
from buttress.files.lines import read_lines

TEMPLATE: Final = "The access code of {name} is {secret}."
_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
_EXPECTED: Final = "a line of `buttress data canaries`"


class PlantedCanary(Struct, frozen=True, kw_only=True):
    """A planted sentence: ``prefix`` + ``secret`` + ``suffix``.

    ``secret`` is ``len(secret)`` digits, each drawn at random; ``twin`` is drawn in the same way
    and was not planted.
    """

    id: Annotated[str, Meta(min_length=1)]
    prefix: str
    secret: Annotated[str, Meta(pattern=r"^[0-9]+$")]
    suffix: str
    twin: Annotated[str, Meta(pattern=r"^[0-9]+$")]
    repeats: Annotated[int, Meta(ge=0)]

    @property
    def text(self) -> str:
        """What was planted."""
        return self.prefix + self.secret + self.suffix

    @property
    def twin_text(self) -> str:
        """The same with the secret that was not planted."""
        return self.prefix + self.twin + self.suffix


def make_canaries(
    count: int, repeats: Sequence[int], *, digits: int, template: str, seed: int
) -> list[PlantedCanary]:
    """``count`` canaries for each number of repeats, with names and secrets of their own.

    Raises:
        InputError: a number is not usable, or the template lacks {name} or {secret}.
    """
    if count < 1:
        raise InputError(f"{count} is too small", field="--count", expected="1 or more")
    if not 4 <= digits <= 64:
        raise InputError(f"{digits} is not usable", field="--digits", expected="4 to 64")
    if not repeats or min(repeats) < 0:
        raise InputError("not usable", field="--repeats", expected="numbers of 0 or more")
    if template.count("{secret}") != 1 or template.count("{name}") != 1:
        raise InputError(
            f"'{template}'", field="--template", expected="{name} and {secret}, once each"
        )
    generator = Random(f"canaries {seed}")
    names: set[str] = set()
    made: list[PlantedCanary] = []
    for times in repeats:
        for _ in range(count):
            name = _name(generator, names)
            prefix, suffix = template.replace("{name}", name).split("{secret}")
            secret, twin = (
                "".join(generator.choice("0123456789") for _ in range(digits)) for _ in range(2)
            )
            made.append(
                PlantedCanary(
                    id=f"c{len(made) + 1}", prefix=prefix, secret=secret, suffix=suffix, twin=twin,
                    repeats=times,
                )
            )  # fmt: skip
    return made


def _name(generator: Random, taken: set[str]) -> str:
    while True:
        name = " ".join(
            "".join(
                generator.choice(_CONSONANTS) + generator.choice(_VOWELS) for _ in range(3)
            ).capitalize()
            for _ in range(2)
        )
        if name not in taken:
            taken.add(name)
            return name


def read_canaries(path: Path) -> list[PlantedCanary]:
    """The canaries of a file.

    Raises:
        InputError: not readable, a line is no canary, an id repeats, or there is none.
    """
    decoder = msgspec.json.Decoder(PlantedCanary)
    found: dict[str, PlantedCanary] = {}
    for number, line in read_lines(path):
        try:
            one = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(
                f"no canary: {error}", file=str(path), line=number, expected=_EXPECTED
            ) from None
        if one.id in found:
            raise InputError(
                f"'{one.id}' stands there already", file=str(path), line=number, field="id"
            )
        found[one.id] = one
    if not found:
        raise InputError("no canary", file=str(path), expected=_EXPECTED)
    return list(found.values())


def canary_line(one: PlantedCanary) -> bytes:
    """The canary as a line of a file."""
    return orjson.dumps(msgspec.to_builtins(one)) + b"\n"


def reference_secrets(one: PlantedCanary, count: int, seed: int) -> list[str]:
    """Other secrets of the same kind, each drawn at random, for the canary's rank."""
    generator = Random(f"references {seed} {one.id}")
    size = len(one.secret)
    drawn: set[str] = set()
    while len(drawn) < min(count, 10**size - 1):
        secret = "".join(generator.choice("0123456789") for _ in range(size))
        if secret != one.secret:
            drawn.add(secret)
    return sorted(drawn)
