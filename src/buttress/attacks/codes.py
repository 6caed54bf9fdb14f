"""Codes that a reader can undo by rule: encodings, classical ciphers, Morse.

Latin letters move within their alphabet; ideographs, which have no alphabet, move in the same way
within Unicode's block of CJK Unified Ideographs (U+4E00 to U+9FFF). Morse as in ITU-R M.1677-1,
section 1.1.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from buttress.attacks.coding import Code

_ALPHABETS: Final = (range(0x41, 0x5B), range(0x61, 0x7B), range(0x4E00, 0xA000))
_MORSE: Final = {
    **{"A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--."},
    **{"H": "....", "I": "..", "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-."},
    **{"O": "---", "P": ".--.", "Q": "--.-", "R": ".-.", "S": "...", "T": "-", "U": "..-"},
    **{"V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..", "0": "-----"},
    **{"1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-...."},
    **{"7": "--...", "8": "---..", "9": "----.", ".": ".-.-.-", ",": "--..--", ":": "---..."},
    **{"?": "..--..", "'": ".----.", "-": "-....-", "/": "-..-.", "(": "-.--.", ")": "-.--.-"},
    **{'"': ".-..-.", "=": "-...-", "+": ".-.-.", "@": ".--.-."},
}
_FROM_MORSE: Final = {code: letter for letter, code in _MORSE.items()}
_LEET: Final = str.maketrans("aeiostAEIOST", "431057431057")
_UNLEET: Final = str.maketrans("431057AEIOST", "aeiostaeiost")
# Digits that sound like the character, as used in chats.
_DIGITS: Final = dict(zip("我爱你是不就一想起了", "5204891376", strict=True))
_TO_DIGITS: Final = str.maketrans(_DIGITS)
_FROM_DIGITS: Final = str.maketrans({digit: letter for letter, digit in _DIGITS.items()})
_CAPITALS: Final = {small: small - 32 for small in range(ord("a"), ord("z") + 1)}


def ascii_upper(text: str) -> str:
    """Latin a to z as capitals; nothing else changes."""
    return text.translate(_CAPITALS)


def single_spaced(text: str) -> str:
    """Runs of white space as one space, none at the ends."""
    return " ".join(text.split())


def _moved(text: str, move: Callable[[int, int], int]) -> str:
    """Each letter's index in its alphabet goes through ``move(index, size)``."""

    def letter(character: str) -> str:
        code = ord(character)
        for alphabet in _ALPHABETS:
            if code in alphabet:
                size = len(alphabet)
                return chr(alphabet.start + move(code - alphabet.start, size) % size)
        return character

    return "".join(map(letter, text))


def caesar(key: int) -> Code:
    """Every letter ``key`` places further on, round the end."""
    return Code.fixed(
        lambda text: _moved(text, lambda index, _: index + key),
        lambda text: _moved(text, lambda index, _: index - key),
    )


def _mirrored(text: str) -> str:
    return _moved(text, lambda index, size: size - 1 - index)


def _to_morse(text: str) -> str:
    def letter(character: str) -> str:
        return _MORSE.get(character, f"<{ord(character):X}>")

    return " / ".join(" ".join(map(letter, word)) for word in ascii_upper(text).split())


def _from_morse(text: str) -> str:
    def letter(code: str) -> str:
        return chr(int(code[1:-1], 16)) if code.startswith("<") else _FROM_MORSE[code]

    return " ".join("".join(map(letter, word.split())) for word in text.split(" / "))


def _to_morse_points(text: str) -> str:
    return " / ".join(" ".join(_MORSE[digit] for digit in f"{ord(one):X}") for one in text)


def _from_morse_points(text: str) -> str:
    if not text:
        return ""
    words = (word.split() for word in text.split(" / "))
    return "".join(chr(int("".join(_FROM_MORSE[code] for code in word), 16)) for word in words)


def _spaced(text: str) -> str:
    return "  ".join(" ".join(word) for word in text.split())


def _unspaced(text: str) -> str:
    return " ".join(word.replace(" ", "") for word in text.split("  "))


def _reversed(text: str) -> str:
    return text[::-1]


BASE64: Final = Code.fixed(
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64decode(text).decode(),
)
HEX: Final = Code.fixed(
    lambda text: text.encode().hex(" "), lambda text: bytes.fromhex(text).decode()
)
BINARY: Final = Code.fixed(
    lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    lambda text: bytes(int(bits, 2) for bits in text.split()).decode(),
)
URL: Final = Code.fixed(
    lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    lambda text: unquote(text, errors="strict"),
)
CODE_POINTS: Final = Code.fixed(
    lambda text: " ".join(str(ord(letter)) for letter in text),
    lambda text: "".join(chr(int(number)) for number in text.split()),
)
ATBASH: Final = Code.fixed(_mirrored, _mirrored)
REVERSED: Final = Code.fixed(_reversed, _reversed)
SPACED: Final = Code.fixed(_spaced, _unspaced, single_spaced)
MORSE: Final = Code.fixed(_to_morse, _from_morse, lambda text: single_spaced(ascii_upper(text)))
MORSE_POINTS: Final = Code.fixed(_to_morse_points, _from_morse_points)
LEETSPEAK: Final = Code.fixed(
    lambda text: text.translate(_LEET),
    lambda text: text.translate(_UNLEET),
    lambda text: text.translate(_UNLEET),
)
DIGIT_SOUNDS: Final = Code.fixed(
    lambda text: text.translate(_TO_DIGITS),
    lambda text: text.translate(_FROM_DIGITS),
    lambda text: text.translate(_FROM_DIGITS),
)
GB18030: Final = Code.fixed(
    lambda text: " ".join(letter.encode("gb18030").hex() for letter in text),
    lambda text: "".join(bytes.fromhex(one).decode("gb18030") for one in text.split()),
)
