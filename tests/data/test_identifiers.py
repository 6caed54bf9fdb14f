"""Check digits against python-stdnum, on generated numbers and on changed ones."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

import pytest

from buttress.rules.personal import identifiers


def digits(generator: Random, count: int) -> str:
    return "".join(generator.choice("0123456789") for _ in range(count))


def _tax(generator: Random) -> str:
    """One digit comes twice, one never."""
    while True:
        chosen = generator.sample("0123456789", 9)
        chosen.insert(generator.randrange(9), generator.choice(chosen))
        if chosen[0] != "0":
            return "".join(chosen)


def _resident(generator: Random) -> str:
    day = (
        f"{generator.randint(1985, 2005)}{generator.randint(1, 12):02}{generator.randint(1, 31):02}"
    )
    return f"{generator.choice(['110101', '360426'])}{day}{digits(generator, 3)}"


def _pick(generator: Random, alphabet: str, count: int) -> str:
    return "".join(generator.choice(alphabet) for _ in range(count))


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CASES: dict[str, tuple[Callable[[str], bool], str, Callable[[Random], str], str]] = {
    "card": (identifiers.luhn, "luhn", lambda r: digits(r, 15), "0123456789"),
    "resident": (identifiers.cn_resident_id, "cn.ric", _resident, "0123456789X"),
    "credit": (
        identifiers.cn_credit_code, "cn.uscc",
        lambda r: f"91{digits(r, 6)}{_pick(r, CREDIT, 9)}", CREDIT,
    ),
    "tax": (identifiers.de_tax_id, "de.idnr", _tax, "0123456789"),
    "nhs": (identifiers.uk_nhs, "gb.nhs", lambda r: digits(r, 9), "0123456789"),
    "dni": (identifiers.es_dni, "es.dni", lambda r: digits(r, 8), LETTERS),
    "aadhaar": (
        identifiers.in_aadhaar, "in_.aadhaar",
        lambda r: f"{r.randint(2, 9)}{digits(r, 10)}", "0123456789",
    ),
    "korea": (
        identifiers.kr_rrn, "kr.rrn",
        lambda r: f"{r.randint(40, 99)}{r.randint(1, 12):02}{r.randint(1, 28):02}"
        f"{r.choice('12')}{r.randint(0, 95):02}{digits(r, 3)}",
        "0123456789",
    ),
    "fiscal": (
        identifiers.it_fiscal_code, "it.codicefiscale",
        lambda r: f"{_pick(r, LETTERS, 6)}{digits(r, 2)}{r.choice('ABCDEHLMPRST')}"
        f"{r.randint(1, 28):02}{r.choice('ABCDEFGHIL')}{digits(r, 3)}",
        LETTERS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_check_digits_are_as_in_stdnum(name: str) -> None:
    ours, module, start, last = CASES[name]
    theirs: Any = import_module(f"stdnum.{module}")
    generator = Random(name)
    valid = 0
    for _ in range(300):
        begin = start(generator)
        for end in last:
            number = begin + end
            assert ours(number) == theirs.is_valid(number), number
            valid += ours(number)
    assert valid >= 60


def test_french_numbers_have_a_key_of_two_digits() -> None:
    theirs: Any = import_module("stdnum.fr.nir")
    generator = Random(1)
    valid = 0
    for _ in range(300):
        place = generator.choice(["75", "2A", "2B", "33"])
        begin = f"{generator.choice('12')}{digits(generator, 2)}{generator.randint(1, 12):02}"
        begin += f"{place}{digits(generator, 6)}"
        key = generator.randint(1, 97)
        right = theirs.calc_check_digits(begin)
        for end in (f"{key:02}", right):
            assert identifiers.fr_nir(begin + end) == (end == right)
            valid += end == right
    assert valid >= 300


def test_account_numbers_are_as_in_stdnum() -> None:
    theirs: Any = import_module("stdnum.iban")
    generator = Random(2)
    for country in ("DE", "NO", "CH", "SA", "ES", "AT"):
        length = identifiers.iban_length(country)
        for _ in range(50):
            body = digits(generator, length - 4)
            for check in (
                generator.randint(2, 98),
                int(theirs.calc_check_digits(f"{country}00{body}")),
            ):
                number = f"{country}{check:02}{body}"
                wanted = theirs.is_valid(number, check_country=False)
                assert identifiers.iban(number) == wanted, number


@pytest.mark.parametrize(
    ("address", "valid"),
    [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", True),  # of the first block
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", False),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", True),  # of BIP 173
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", True),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", False),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", True),  # of BIP 350
    ],
)
def test_wallets(address: str, valid: bool) -> None:
    assert identifiers.bitcoin(address) is valid


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("GB82WEST12345698765432", True), ("NL91ABNA0417164300", True),
        ("GB82WEST12345698765433", False), ("XX91ABNA0417164300", False),
        ("GB82WEST1234569876543", False),
    ],
)  # fmt: skip
def test_accounts_with_letters(number: str, valid: bool) -> None:
    assert identifiers.iban(number) is valid


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("4111111111111111", True), ("5555555555554444", True), ("378282246310005", True),
        ("6011111111111117", True), ("3530111333300000", True), ("2223003122003222", True),
        ("370400440532013001", False), ("1111111111111117", False), ("4111111111111112", False),
    ],
)  # fmt: skip
def test_cards(number: str, valid: bool) -> None:
    assert identifiers.card(number) is valid
