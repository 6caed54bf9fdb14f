"""JSON from untrusted files: bounded in size and count, duplicate keys refused or reported."""

from __future__ import annotations

import json
from typing import Any, Final

MAX_BYTES: Final = 8 << 20
_MAX_VALUES: Final = 600_000
_MAX_DIGITS: Final = 400  # 1e308 written out has 309; tokenizers write 1e30 so, for "no limit"


class JsonError(ValueError):
    """It is not JSON, or more than is read."""


def parse(text: bytes) -> tuple[Any, set[str]]:
    """The value, and the keys that an object has twice.

    Raises:
        JsonError: it is not JSON, or too large or too deep.
    """
    if (
        len(text) > MAX_BYTES
        or text.count(b",") + text.count(b"{") + text.count(b"[") > _MAX_VALUES
    ):
        raise JsonError("it is larger than is read")
    twice: set[str] = set()

    def gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        one = dict(pairs)
        if len(one) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen and len(twice) < 20:
                    twice.add(key)
                seen.add(key)
        return one

    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=gather, parse_int=_integer)
    except RecursionError:
        raise JsonError("it is nested too deep") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise JsonError(f"it is not JSON ({error})") from None
    return value, twice


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise JsonError("a number has too many digits")
    return int(digits)
