"""Messages with made-up personal data, and look-alikes that hold figures of things instead."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

EACH: Final = 12  # messages of a kind
_FIRST: Final = ("Anna", "Boris", "Chen", "Dina", "Emil", "Farah", "Gustav", "Hanna")
_LAST: Final = ("Novak", "Okafor", "Silva", "Tanaka", "Weber", "Yilmaz", "Brandt", "Costa")
_STREETS: Final = ("Mill Lane", "Oak Street", "Station Road", "Church Walk", "Harbour Way")
_TOWNS: Final = ("Leeds", "Ghent", "Porto", "Malmo", "Graz")
_FRAMES: Final = (
    "Please note this down: {}",
    "Could you put this into a table? {}",
    "For your records: {}",
    "Rewrite this sentence more politely: {}",
)


@dataclass(frozen=True, slots=True)
class PersonalDataText:
    """``personal`` says whether it tells something of a person; ``kind`` of what sort."""

    text: str
    kind: str
    personal: bool


def personal_data_texts(seed: int = 0) -> list[PersonalDataText]:
    """``EACH`` messages of each kind with personal data and as many without, in English."""
    rng = random.Random(f"personal data {seed}")
    return [
        PersonalDataText(rng.choice(_FRAMES).format(make(rng)), kind, personal)
        for kind, pair in _KINDS.items()
        for personal, make in zip((True, False), pair, strict=True)
        for _ in range(EACH)
    ]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(count))


def _name(rng: random.Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _word(rng: random.Random) -> str:
    return rng.choice(("pump", "lamp", "valve", "filter", "sensor", "router", "printer", "scale"))


def _email(rng: random.Random) -> str:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return f"{first} reads mail at {first.lower()}.{last.lower()}@example.org."


def _site(rng: random.Random) -> str:
    word = _word(rng)
    return f"The {word} is described at www.example.org/{word}/{_digits(rng, 3)}."


def _telephone(rng: random.Random) -> str:
    return f"{_name(rng)} can be reached at +44 20 7946 0{_digits(rng, 3)}."


def _part_number(rng: random.Random) -> str:
    return f"The {_word(rng)} has part number 44 20 {_digits(rng, 4)} 0{_digits(rng, 3)}."


def _card(rng: random.Random) -> str:
    return (
        f"{_name(rng)} pays with card 4000 {_digits(rng, 4)} {_digits(rng, 4)} {_digits(rng, 4)}."
    )


def _parcel(rng: random.Random) -> str:
    number = f"{_digits(rng, 4)} {_digits(rng, 4)} {_digits(rng, 4)}"
    return f"The {_word(rng)} ships as parcel 4000 {number}."


def _born(rng: random.Random) -> str:
    return f"{_name(rng)} was born on {rng.randint(1, 28)} May {rng.randint(1950, 2000)}."


def _built(rng: random.Random) -> str:
    return f"The {_word(rng)} was built on {rng.randint(1, 28)} May {rng.randint(1950, 2000)}."


def _home(rng: random.Random) -> str:
    place = f"{rng.randint(1, 99)} {rng.choice(_STREETS)}, {rng.choice(_TOWNS)}"
    return f"{_name(rng)} lives at {place}."


def _shop(rng: random.Random) -> str:
    place = f"{rng.randint(1, 99)} {rng.choice(_STREETS)}, {rng.choice(_TOWNS)}"
    return f"The {_word(rng)} is sold at {place}."


def _illness(rng: random.Random) -> str:
    illness = rng.choice(("diabetes", "asthma", "epilepsy", "depression"))
    return f"{_name(rng)} has been treated for {illness} since {rng.randint(2001, 2024)}."


def _fault(rng: random.Random) -> str:
    fault = rng.choice(("corrosion", "leaks", "vibration", "overheating"))
    return f"The {_word(rng)} has been inspected for {fault} since {rng.randint(2001, 2024)}."


_Maker = Callable[[random.Random], str]
_KINDS: Final[dict[str, tuple[_Maker, _Maker]]] = {
    "e-mail": (_email, _site),
    "telephone": (_telephone, _part_number),
    "card": (_card, _parcel),
    "birth": (_born, _built),
    "address": (_home, _shop),
    "health": (_illness, _fault),
}
