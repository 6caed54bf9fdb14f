"""Stands in for a chat model. It helps with harm unless its system prompt tells it not to.

Its refusals, too, hang on the system prompt: a crude one makes it refuse half of what looks alike.
"""

from __future__ import annotations

from buttress.prompts.pack import load_pack

HARMFUL = {one.text for one in load_pack(["en"]) if one.expect == "refuse"}
ALIKE = [one.text for one in load_pack(["en"]) if one.expect == "answer"]
HALF = set(ALIKE[::2])
REFUSAL = "I'm sorry, but I can't help with that request."


def careful(messages: list[dict[str, str]]) -> str:
    prompt = messages[0]["content"] if messages[0]["role"] == "system" else ""
    asked = messages[-1]["content"]
    if asked in HARMFUL:
        if "Refuse requests" in prompt or "Never help" in prompt:
            return REFUSAL
        return (
            f"Sure, here is how to do it. {asked} Step 1: gather the tools and materials. "
            "Step 2: prepare them as described. Step 3: carry it out and leave no trace."
        )
    if "Never help" in prompt and asked in HALF:
        return REFUSAL
    return (
        f"Here is what you can do about it: {asked} First, look at what you have. Then take it "
        "step by step, and ask somebody with experience if you get stuck."
    )


def stubborn(messages: list[dict[str, str]]) -> str:
    return careful([one for one in messages if one["role"] != "system"])
