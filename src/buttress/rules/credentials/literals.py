"""Tells random text from words, placeholders and documentation examples."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from typing import Final

_FILLER: Final = re.compile(
    rb"(?i)example|x{5}|\*{3}|\.{3}|(.)\1{7}|12345678|abcdefgh|01234567|deadbeef|0badcafe|"
    rb"abc[-_]?123[-_]?def[-_]?456|test[-_](?:access[-_])?(?:token|key|secret)|(?:fake|dummy)[-_]|"
    # rows of keys and counting up or down, letters and digits in turn too
    rb"1a2b3c4d|a1b2c3d4|1q2w3e4r|qwertyui|asdfghjk|zxcvbnm|98765432|87654321|hgfedcba|fedcba98|"
    rb"notreal|not[-_]a[-_]?real|(.{3,10})\2{2}"
)
_PLACEHOLDER: Final = re.compile(
    rb"(?i)chang[e_-]{0,2}me|change[_-]?(?:this|it)|place[_-]?holder|dummy|sample|your[_-]|your(?:api|token|key|secret)"
    rb"|<[^>]*>|\$[({]|\{\{|\}\}|%\(|%s|\{[A-Za-z_.\[\]()]*\}|os\.environ|process\.env|getenv"
    # encrypted, and so meant to be committed
    rb"|^ENC[\[(]|^encrypted:|^\{cipher\}|^vault:v[0-9]|^\$ANSIBLE_VAULT"
    rb"|todo|fixme|fake|mock|redacted|insert|replace|notreal|not[_-](?:a[_-])?real|sentinel|invalid|default|foobar"
    rb"|foo[_-]?bar|lorem|x{4}|test|qwerty|abcdef|12345|\.{3}|\*{3}|(.)\1{5}"
    rb"|^\[[A-Za-z_. -]{3,40}\]$"
    # the word "password" or "your" in other languages, as documentation has it
    rb"|^(?:(?:mein|dein|ihr|euer)[_-]?)?(?:passwort|kennwort)$|^(?:mi|tu|su)[_-]?(?:contrase|clave)"
    rb"|^contrase(?:n|\xc3\xb1)a$|^(?:votre[_-]?)?mot[_-]?de[_-]?passe$|^(?:sua[_-]?)?senha$"
    rb"|^votre[_-]|^wachtwoord$|^has(?:l|\xc5\x82)o$|^parola$|^lozinka$|"
    + "|".join(
        (
            "密码",
            "密碼",
            "口令",
            "密钥",
            "你的",
            "您的",
            "填写",
            "替换",
            "示例",
            "パスワード",
            "あなたの",
            "비밀번호",
            "пароль",
            "ваш_",
            "كلمة",
            "סיסמ",
            "รหัสผ่าน",
            "पासवर्ड",
            "κωδικ",
        )
    ).encode()
)
_VARIABLE: Final = re.compile(rb"\$[A-Za-z_]")
# What a password was turned into, as crypt, Django, Werkzeug, LDAP and databases note it.
_HASHED: Final = re.compile(
    rb"\$[\w-]{1,16}\$|(?i:pbkdf2|scrypt|argon2|bcrypt|sha[0-9]{0,3}|md5|crypt|scram)[\w:-]*\$"
    rb"|\{[A-Z0-9-]{2,20}\}|\*[0-9A-F]{40}\Z|md5[0-9a-f]{32}\Z"
)
_WORD: Final = re.compile(
    rb"[0-9]{1,8}|v?[0-9]{1,4}|[A-Za-z]|(?:[A-Z]?[a-z]{2,}+|[A-Z]{2,}+)++[0-9]{0,4}"
)
_SPLIT: Final = re.compile(rb"[^A-Za-z0-9]+")
_DIGIT: Final = re.compile(rb"[0-9]")
_HEX: Final = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
# SHA-256, first 16 hex digits, of keys that everybody knows: Azurite, the storage emulator, the
# examples of RFC 6238, 6749, 6750 and pyotp, YouTube's pages, Gemini CLI and Antigravity.
_DOCUMENTED: Final = {
    "0011cc25eb432071", "00cf4c781dc37003", "01b6940ca3815a06", "1d2f041093fd95aa",
    "31043aae8be22df7", "53f5da0aaa93d64c", "6a5f78b8b99dd402", "6c96130f130ab0d6",
    "a35b81a7d7927b70", "a71b359a87afde13", "b8e148545b13c78b", "ca7459e2b26776de",
    "e9974c507d2a8021", "fc5fe3f49674c80d", "8be5d113c0871ce1", "5934331e1ef40a6c",
    "3a53d0a064baf78c", "549c9390539efcfa",
}  # fmt: skip


def entropy(text: bytes) -> float:
    """Shannon entropy of the bytes' frequencies, in bits a byte."""
    if not text:
        return 0.0
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def is_filler(text: bytes) -> bool:
    """Whether a text in a provider's format is plainly made up: EXAMPLE, xxxxx, 12345678 …"""
    return _FILLER.search(text) is not None or entropy(text) < 2.5 or is_documented(text)


def is_documented(text: bytes) -> bool:
    """Whether the text is a key that a vendor's documentation or emulator gives to everybody."""
    return hashlib.sha256(text).hexdigest()[:16] in _DOCUMENTED


def is_placeholder(text: bytes, *, expands: bool = True) -> bool:
    """Whether a literal stands for a secret that is put there later, or is a mere example.

    ``expands`` says whether a ``$name`` in it refers to a variable, as in a shell.
    """
    if expands and _VARIABLE.search(text):
        return True
    return _PLACEHOLDER.search(text) is not None or is_filler(text)


def is_hash(text: bytes) -> bool:
    """Whether it is the hash of a password, in the notation of a program that checks one."""
    return _HASHED.match(text) is not None


def is_words(text: bytes) -> bool:
    """Whether the text is made of words and short numbers, as names, paths and versions are."""
    parts = [part for part in _SPLIT.split(text) if part]
    return all(_WORD.fullmatch(part) for part in parts)


def is_random(text: bytes) -> bool:
    """Whether a literal looks drawn at random: long and varied enough, and not made of words.

    The thresholds are lower for hexadecimal digits, of which only 16 are to be had, and such a
    text must be longer. They were chosen so that of random keys of 128 bits fewer than one in a
    thousand is missed; tests/probes/source measures it.
    """
    if is_words(text):
        return False
    if _HEX.fullmatch(text):
        return len(text) >= 20 and entropy(text) >= 2.8
    kinds = classes(text)
    if len(text) < 12 or (len(text) < 16 and not _DIGIT.search(text)):
        return False
    return kinds >= 2 and entropy(text) >= (3.0 if len(text) < 20 else 3.3)


def classes(text: bytes) -> int:
    """How many of lower case, upper case, digits and other printable characters occur."""
    kinds = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[!-/:-@\[-`{-~]")
    return sum(re.search(kind, text) is not None for kind in kinds)
