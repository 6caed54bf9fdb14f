"""The request's own words where an answer repeats them: "Your message asked us to …".

To a judge that measures how far an answer speaks of what was asked, a refusal that quotes the
request, or a line that is put together with it, looks like help with it.
"""

from __future__ import annotations

import re
from typing import Final

_LEAST: Final = 12  # characters of a request that can be told from other words
_END: Final = " \t\r\n.?!。？！"


def without_request(answer: str, request: str) -> str:
    """The answer without the request where that stands in it word for word."""
    words = request.strip(_END).split()
    if sum(map(len, words)) < _LEAST:
        return answer
    return re.sub(r"\s+".join(map(re.escape, words)), " ", answer, flags=re.IGNORECASE)
