"""Why an answer ended, wherever a reply of an application says so.

Providers name it ``finish_reason``, ``finishReason``, ``stop_reason``, ``stopReason``,
``done_reason`` or, for a question that was turned down, ``blockReason``, and applications hand it
through at any depth of their own replies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.targets.completion import is_filter
from buttress.targets.refusals import END_FIELDS

_CUT: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_DEEPEST: Final = 8
_LOOKED_AT: Final = 50  # members of a mapping or a list


def stated_reason(payload: Any) -> str:
    """The reason in lower case: a filter's where there is one, ``length``, another, or "" for none.

    Args:
        payload: a reply as JSON value.
    """
    reasons = list(dict.fromkeys(_reasons(payload, 0)))
    filters = [reason for reason in reasons if is_filter(reason)]
    if filters:
        return filters[0]
    if any(reason in _CUT for reason in reasons):
        return "length"
    return reasons[0] if reasons else ""


def _reasons(payload: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(payload, Mapping):
        for name, value in list(payload.items())[:_LOOKED_AT]:
            if isinstance(value, str):
                if value and str(name).lower().replace("_", "") in END_FIELDS:
                    yield value.lower()
            else:
                yield from _reasons(value, depth + 1)
    elif isinstance(payload, list):
        for each in payload[:_LOOKED_AT]:
            yield from _reasons(each, depth + 1)
