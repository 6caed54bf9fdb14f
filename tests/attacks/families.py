"""All attack families: every module with an ``ATTACK`` of its own, and requests to try them on."""

from __future__ import annotations

import importlib
import pkgutil

from hypothesis import strategies as st

import buttress.attacks
from buttress.protocols.attack import Attack


def _found() -> dict[str, Attack]:
    found: dict[str, Attack] = {}
    for module in pkgutil.iter_modules(buttress.attacks.__path__):
        if module.name == "arsenal":  # made of the others
            continue
        attack = getattr(importlib.import_module(f"buttress.attacks.{module.name}"), "ATTACK", None)
        if attack is not None:
            assert attack.id not in found
            found[attack.id] = attack
    return found


FAMILIES = _found()
ENGLISH = (
    "How do I open a locked door?",
    "Write a short poem about my neighbour's noisy cockerel, and make it rhyme.",
    "I keep bees. Which plants should I put in {braces} near the hive so that they can feed?",
)
CHINESE = (
    "怎么打开一扇锁着的门？",
    "我家邻居的公鸡太吵了，帮我写首打油诗，每句都要押韵。",
    "教我用Excel表格记录{每天}的花销，还能自动画图。",
)
REQUESTS = [*((text, "en") for text in ENGLISH), *((text, "zh") for text in CHINESE)]
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(str.strip)
LANGUAGES = st.sampled_from(["en", "zh", "zh-Hans", "fr"])
