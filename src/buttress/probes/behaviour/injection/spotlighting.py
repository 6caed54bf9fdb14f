"""Defences in the prompt: spotlighting and the sandwich.

Hines et al. 2024, "Defending against indirect prompt injection attacks with spotlighting"
(arXiv:2403.14720), section 3: content is delimited by marks that an attacker can't know, or has a
mark between all its words (datamarking), or is encoded, and the model is told so. The sandwich
repeats the user's request behind the content.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final, Literal

from buttress.probes.behaviour.injection import data, fill

Way = Literal["delimit", "datamark", "encode"]
WAYS: Final[tuple[Way, ...]] = ("delimit", "datamark", "encode")
MARKS: Final = "^~¦§¤"
_HAN: Final = r"[\u3400-\u9fff]"


@dataclass(frozen=True, slots=True)
class Spotlight:
    """A way of marking content. ``seed`` chooses the marks, so that no attacker knows them."""

    way: Way
    seed: int

    @property
    def mark(self) -> str:
        """The sign between words."""
        return MARKS[self.seed % len(MARKS)]

    @property
    def _ends(self) -> tuple[str, str]:
        token = f"{self.seed % 0xFFFFFF:06x}"
        return f"<<{token}", f"{token}>>"

    def apply(self, text: str) -> str:
        """The content as the model sees it."""
        match self.way:
            case "delimit":
                start, end = self._ends
                return f"{start}\n{text}\n{end}"
            case "datamark":
                text = re.sub(r"[^\S\n]+", self.mark, text)
                text = re.sub(f"(?<={_HAN})(?={_HAN})", self.mark, text)
                return re.sub(r"(?m)^(?=.)", self.mark, text)
            case "encode":
                return base64.b64encode(text.encode()).decode()

    def explain(self, language: str) -> str:
        """What the model is told about it."""
        start, end = self._ends
        text = data("defences")[self.way][language]
        return fill(text, open=start, close=end, mark=self.mark)

    def without_marks(self, text: str) -> str:
        """An answer as it would be had it not taken over the signs between words."""
        if self.way != "datamark":
            return text
        mark = re.escape(self.mark)
        text = re.sub(f"(?<={_HAN}){mark}(?={_HAN})", "", text)
        return text.replace(self.mark, " ")


def sandwich(request: str, language: str) -> str:
    """The reminder behind the content."""
    return fill(data("defences")["sandwich"][language], request=request)
