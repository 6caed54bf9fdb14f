"""What is said in the model's place when a gate or a guard rule refuses; needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REFUSAL_IN_PLACE: Final[Mapping[str, str]] = {
    "en": "I can't help with this request. If you tell me what you are trying to achieve, I will "
    "look for a safe way to help.",
    "zh": "这个请求我不能帮忙。如果您告诉我想达到什么目的，我会尽力找一种安全的办法来帮您。",
}
