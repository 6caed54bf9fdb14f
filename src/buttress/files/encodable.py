"""Text that UTF-8 can hold: escapes of JSON, YAML and Python can name half a surrogate pair."""

from __future__ import annotations

from typing import Any


def encodable(text: str) -> str:
    """``text`` with the halves of a pair joined, and U+FFFD for a half that stands alone.

    Nothing can write or hash a lone half, and RE2 refuses to search it.
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def encodable_data(value: Any) -> Any:
    """Plain data with all its texts, and the keys of its mappings, encodable."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(str(key)): encodable_data(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [encodable_data(inner) for inner in value]
    return value
