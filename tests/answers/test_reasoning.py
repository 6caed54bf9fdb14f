"""Reasoning told apart from the answer, in the formats of open models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.answers.reasoning import separate

ANSWER = "I'm sorry, but I can't help with that."
THOUGHT = "Step 1: buy it with cash. Step 2: hide it. But I must refuse."
FORMATS = {
    "think tags": f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
    "upper case": f"<THINK>{THOUGHT}</THINK>{ANSWER}",
    "opening tag swallowed": f"{THOUGHT}\n</think>\n\n{ANSWER}",
    "thinking": f"<thinking>{THOUGHT}</thinking>\n{ANSWER}",
    "reasoning and answer tags": f"<reasoning>{THOUGHT}</reasoning><answer>{ANSWER}</answer>",
    "attribute": f'<thinking duration="3s">{THOUGHT}</thinking>{ANSWER}',
    "seed": f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    "lozenges": f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    "brackets": f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    "special tokens": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}"
    "<|END_RESPONSE|>",
    "thought and solution": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n"
    f"<|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    "harmony": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
    f"<|channel|>final<|message|>{ANSWER}<|return|>",
    "harmony without its tokens": f"analysis{THOUGHT}assistantfinal{ANSWER}",
    "headings": f"Here is my thought process:\n{THOUGHT}\n\nHere is my response:\n{ANSWER}",
    "headings in bold": f"**Thinking Process:**\n\n{THOUGHT}\n\n**Final Answer:**\n\n{ANSWER}",
    "headings of an agent": f"Thought: {THOUGHT}\nFinal Answer: {ANSWER}",
    "headings in Chinese": f"思考过程：{THOUGHT}\n\n最终回答：{ANSWER}",
    "details": f'<details type="reasoning" done="true">{THOUGHT}</details>\n{ANSWER}',
    "escaped": f"&lt;think&gt;{THOUGHT}&lt;/think&gt;{ANSWER}",
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_answer_stands_alone_and_the_reasoning_is_kept(name: str) -> None:
    found = separate(FORMATS[name])
    assert found.text.strip() == ANSWER
    assert found.reasoning.strip() == THOUGHT
    assert not found.unfinished


@pytest.mark.parametrize(
    "text",
    [f"<think>{THOUGHT}", f"◁think▷{THOUGHT}", f"<reasoning>{THOUGHT}",
     f"<|channel|>analysis<|message|>{THOUGHT}"],
)  # fmt: skip
def test_reasoning_that_never_ends_is_no_answer(text: str) -> None:
    found = separate(text)
    assert (found.text, found.reasoning, found.unfinished) == ("", THOUGHT, True)


@pytest.mark.parametrize(
    "text",
    [ANSWER, "", "  spaces stay \n", "My analysis of reasoning: I think so.",
     "Thinking about it: yes.\nThe answer is four.", "a < b and c > d",
     "analysis of the final exam: assistants wrote it."],
)  # fmt: skip
def test_other_text_stays_as_it_is(text: str) -> None:
    found = separate(text)
    assert (found.text, found.reasoning, found.unfinished) == (text, "", False)


pieces = st.lists(
    st.sampled_from(
        ["<think>", "</think>", "<|channel|>", "analysis", "final", "<|message|>", "x ", "◁think▷",
         "<answer>", "</answer>", "[THINK]", "&lt;think&gt;", "\n", "<details type='reasoning'>"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(), pieces))
def test_any_text_is_read_and_nothing_is_invented(text: str) -> None:
    found = separate(text)
    assert len(found.text) <= len(text)
    assert set(found.text + found.reasoning) <= set(text) | set("<>\n")
    assert not (found.unfinished and found.text)
