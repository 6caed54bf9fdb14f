"""Check digits and structures of numbers that identify people, accounts and organisations.

Each function takes the number without separators, letters in upper case, and says whether it can be
one. Standards: ISO/IEC 7812 (cards), ISO 13616 (IBAN), GB 11643 (Chinese resident identity),
GB 32100 (Chinese unified social credit), ISO/IEC 7064, and the issuers' own rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Final

_CN_PROVINCES: Final = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
        "91",
    ]
)
_CN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_IT_DIGITS: Final = str.maketrans("LMNPQRSTUV", "0123456789")
_IT_MONTHS: Final = "ABCDEHLMPRST"
_IT_ODD: Final[Mapping[str, int]] = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
         6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_VERHOEFF_PRODUCT: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_VERHOEFF_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
# Length of an IBAN by country, from the registry of ISO 13616.
_IBAN_LENGTHS: Final[Mapping[str, int]] = {
    country: int(length)
    for length, countries in (
        item.split(":")
        for item in [
            "15:NO",
            "16:BE",
            "18:DK,FI,FO,GL,NL,SD,FK",
            "19:MK,SI",
            "20:AT,BA,EE,KZ,LT,LU,MN,XK",
            "21:CH,HR,LI,LV",
            "22:BG,BH,CR,DE,GB,GE,IE,ME,RS,VA",
            "23:AE,GI,IL,IQ,OM,SO,TL",
            "24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG",
            "25:LY,PT,ST",
            "26:IS,TR",
            "27:BI,DJ,FR,GR,IT,MC,MR,SM",
            "28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV",
            "29:BR,EG,PS,QA,UA",
            "30:JO,KW,MU,YE",
            "31:MT,SC",
            "32:LC",
            "33:RU",
        ]
    )
    for country in countries.split(",")
}
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_NINO_UNUSED: Final = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))


def luhn(number: str) -> bool:
    """The check of ISO/IEC 7812 on a string of digits."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(number: str) -> bool:
    """A payment card: 13 to 19 digits of an issuer's range, with a valid check digit."""
    return len(number) in _card_lengths(number) and len(set(number)) > 1 and luhn(number)


def _card_lengths(number: str) -> tuple[int, ...]:
    """Lengths of the cards of the issuer that the first digits name."""
    two, four = number[:2], int(number[:4] or 0)
    if number[0] == "4":
        return (13, 16, 19)
    if "51" <= two <= "55" or 2221 <= four <= 2720:
        return (16,)
    if two in ("34", "37"):
        return (15,)
    if two in ("30", "36", "38", "39"):
        return (14, 16, 19)
    if two in ("50", "56", "57", "58") or number[0] == "6":
        return (16, 17, 18, 19)
    return (16,) if 3528 <= four <= 3589 else ()


def iban_length(country: str) -> int:
    """Characters of an IBAN of that country; 0 where there are none."""
    return _IBAN_LENGTHS.get(country, 0)


def iban(number: str) -> bool:
    """An IBAN: the country's length, and a remainder of 1 by 97."""
    if len(number) != iban_length(number[:2]) or not number.isalnum() or not number.isascii():
        return False
    digits = "".join(str(int(sign, 36)) for sign in number[4:] + number[:4])
    return int(digits) % 97 == 1


def cn_resident_id(number: str) -> bool:
    """A Chinese resident identity number (GB 11643-1999): 18 places, the last may be X."""
    if len(number) != 18 or not number[:17].isdecimal() or number[:2] not in _CN_PROVINCES:
        return False
    if not _date(number[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _CN_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17]


def cn_credit_code(number: str) -> bool:
    """A unified social credit code (GB 32100-2015): 18 places, check by 31."""
    if len(number) != 18 or any(sign not in _CREDIT_ALPHABET for sign in number):
        return False
    if not number[2:8].isdecimal():
        return False
    total = sum(
        _CREDIT_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(number[:17])
    )
    return _CREDIT_ALPHABET[-total % 31] == number[17]


def cn_mobile(number: str) -> bool:
    """A Chinese mobile number: 11 digits from 13 to 19."""
    return len(number) == 11 and number[0] == "1" and number[1] in "3456789"


def us_ssn(number: str) -> bool:
    """A US social security number: no check digit; some areas, groups and serials are unused."""
    return (
        len(number) == 9
        and number[:3] not in ("000", "666")
        and number[0] != "9"
        and number[3:5] != "00"
        and number[5:] != "0000"
    )


def uk_nino(number: str) -> bool:
    """A UK national insurance number: two letters, six digits, A to D; no check digit."""
    return (
        len(number) == 9
        and number[0] not in "DFIQUV"
        and number[1] not in "DFIQUVO"
        and number[:2] not in _NINO_UNUSED
        and number[2:8].isdecimal()
        and number[8] in "ABCD"
    )


def uk_nhs(number: str) -> bool:
    """A UK NHS number: 10 digits, check by 11."""
    if len(number) != 10:
        return False
    check = -sum(int(digit) * (10 - place) for place, digit in enumerate(number[:9])) % 11
    return check == int(number[9])


def de_tax_id(number: str) -> bool:
    """A German tax identification number: ISO/IEC 7064 MOD 11,10; one digit comes 2 or 3 times."""
    if len(number) != 11 or number[0] == "0":
        return False
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    if counts[-1] not in (2, 3) or counts[-2] > 1:
        return False
    product = 10
    for digit in number[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(number[10])


def fr_nir(number: str) -> bool:
    """A French social security number: 13 places and a key by 97; Corsica has 2A and 2B."""
    if len(number) != 15 or number[0] not in "123478":
        return False
    plain = number.replace("2A", "19", 1) if number[5:7] == "2A" else number
    plain = plain.replace("2B", "18", 1) if number[5:7] == "2B" else plain
    return plain.isdecimal() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def es_dni(number: str) -> bool:
    """A Spanish DNI or NIE: 8 digits, or X, Y or Z and 7 digits, then a letter by 23."""
    if len(number) != 9:
        return False
    digits = {"X": "0", "Y": "1", "Z": "2"}.get(number[0], number[0]) + number[1:8]
    return digits.isdecimal() and _DNI_LETTERS[int(digits) % 23] == number[8]


def it_fiscal_code(number: str) -> bool:
    """An Italian codice fiscale of a person: 16 places with a check letter."""
    if len(number) != 16 or not number.isalnum() or not number.isascii():
        return False
    if not (number[:6].isalpha() and number[8] in _IT_MONTHS and number[11].isalpha()):
        return False
    # Where two people would have one code, letters stand for digits.
    digits = "".join(number[place] for place in (6, 7, 9, 10, 12, 13, 14)).translate(_IT_DIGITS)
    if not digits.isdecimal() or not 1 <= int(digits[2:4]) % 40 <= 31:  # women's days are + 40
        return False
    total = sum(
        (int(sign, 36) if sign.isdecimal() else ord(sign) - 65) if place % 2 else _IT_ODD[sign]
        for place, sign in enumerate(number[:15])
    )
    return chr(65 + total % 26) == number[15]


def in_aadhaar(number: str) -> bool:
    """An Indian Aadhaar number: 12 digits, the first from 2, Verhoeff's check digit."""
    if len(number) != 12 or number[0] in "01" or number == number[::-1]:
        return False
    check = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = _VERHOEFF_STEP[value]
        check = _VERHOEFF_PRODUCT[check][value]
    return check == 0


def in_pan(number: str) -> bool:
    """An Indian permanent account number: five letters, four digits, a letter; no check digit."""
    return (
        len(number) == 10
        and number[:5].isalpha()
        and number[3] in "ABCFGHJLPT"
        and number[5:9].isdecimal()
        and number[5:9] != "0000"
        and number[9].isalpha()
    )


def kr_rrn(number: str) -> bool:
    """A Korean resident registration number: a date, a digit for century and sex, check by 11.

    Numbers given since October 2020 have no check digit and are not recognised.
    """
    if len(number) != 13 or number[6] not in "0123456789":
        return False
    century = {"9": "18", "0": "18", "1": "19", "2": "19", "5": "19", "6": "19"}.get(
        number[6], "20"
    )
    if not _date(century + number[:6]):
        return False
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    return (11 - total % 11) % 10 == int(number[12])


def bitcoin(address: str) -> bool:
    """A Bitcoin address: Base58Check of version 0 or 5, or Bech32 and Bech32m with ``bc1``."""
    if address.lower().startswith("bc1"):
        return _bech32(address)
    value = 0
    for sign in address:
        if sign not in _BASE58:
            return False
        value = value * 58 + _BASE58.index(sign)
    if value >= 1 << 200:
        return False
    data = value.to_bytes(25, "big")
    check = hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4]
    return data[0] in (0, 5) and check == data[21:]


def _bech32(address: str) -> bool:
    """BIP 173 and BIP 350."""
    if address not in (address.lower(), address.upper()):
        return False
    signs = address.lower()[3:]
    if any(sign not in _BECH32 for sign in signs):
        return False
    check = 1
    for value in (3, 3, 0, 2, 3, *(_BECH32.index(sign) for sign in signs)):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> place & 1 else 0
    return check in (1, 0x2BC830A3)


def _date(text: str) -> bool:
    """Whether YYYYMMDD is a day between 1800 and today's century."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).year >= 1800
    except ValueError:
        return False
