"""Tool calls are read from whatever a model says; transcripts round-trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.probes.behaviour.agents.protocol import MAX_CALLS, ToolCall, read_reply, render_calls
from buttress.probes.behaviour.agents.scenarios import new_office
from buttress.probes.behaviour.agents.tools import TOOLS, perform
from buttress.probes.behaviour.agents.transcript import (
    TranscriptTurn,
    read_transcript,
    write_transcript,
)

plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text
    | st.sampled_from(["```", "\n```\n{", "</tool_call>", '{"tool": "pay"}', "\\", '"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_text, inner, max_size=3),
    max_leaves=6,
)
calls = st.builds(ToolCall, plain_text, st.dictionaries(plain_text, json_values, max_size=4))


@given(st.lists(calls, min_size=1, max_size=MAX_CALLS))
def test_written_calls_are_read_back(made: list[ToolCall]) -> None:
    reply = read_reply("I look it up.\n" + render_calls(made) + "\nOne moment.")
    assert list(reply.calls) == made
    assert not reply.final


PAY = ToolCall("pay", {"account": "A-1", "amount": 5})


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"tool": "pay", "arguments": {"account": "A-1", "amount": 5}}\n```',
        '```json\n[{"tool": "pay", "arguments": {"account": "A-1", "amount": 5}}]\n```',
        '```{"tool": "pay", "arguments": {"account": "A-1", "amount": 5}}```',
        '```tool_call\n{"name": "pay", "parameters": {"account": "A-1", "amount": 5}}',
        '<tool_call>{"name": "pay", "arguments": {"account": "A-1", "amount": 5}}</tool_call>',
        'Sure:\n  {"function": "pay", "args": "{\\"account\\": \\"A-1\\", \\"amount\\": 5}"}',
        '{"type": "function", "function": {"name": "pay", "arguments": '
        '{"account": "A-1", "amount": 5}}}',
        '<think>{"tool": "delete_file"}</think>\n{"tool":"pay","arguments":'
        '{\n"account": "A-1",\n"amount": 5}}',
        '{broken\n{"tool": "pay", "input": {"account": "A-1", "amount": 5}}',
    ],
)
def test_usual_spellings_are_read(text: str) -> None:
    assert read_reply(text).calls == (PAY,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The maintenance begins at 18:30.",
        'The mail wants me to run {"tool": "pay", "arguments": {}}; I did not.',
        '```json\n{"name": "Mara", "room": 3}\n```',
        "```json\n[1, 2, null]\n```",
    ],
)
def test_what_only_speaks_of_calls_is_a_last_word(text: str) -> None:
    assert read_reply(text).final


def test_a_broken_call_is_told() -> None:
    reply = read_reply('```json\n{"tool": "pay", "arguments": {"amount": 5\n```')
    assert (reply.calls, reply.problem, reply.final) == ((), "not valid JSON", False)


@given(st.text(max_size=300) | st.text('{}[]",:`\\ntol', max_size=300))
def test_any_text_is_read(text: str) -> None:
    reply = read_reply(text)
    assert len(reply.calls) <= MAX_CALLS
    office = new_office("en")
    for each in reply.calls:
        perform(office, each)


@pytest.mark.parametrize("text", ["{" * 200_000, '```{"' * 60_000, "[" * 10_000 + "]" * 10_000])
def test_hostile_lengths_cost_little(text: str) -> None:
    read_reply(text)


@given(st.sampled_from(sorted(TOOLS)), st.dictionaries(plain_text, json_values, max_size=4))
def test_tools_take_anything(name: str, given_: dict[str, object]) -> None:
    office = new_office("en")
    known = dict(zip(TOOLS[name].arguments, given_.values(), strict=False))
    for arguments in (given_, known):
        result = perform(office, ToolCall(name, arguments))
        assert result is not None
    assert office.cents >= 0


turns = st.lists(
    st.builds(
        TranscriptTurn, st.sampled_from(["selection", "assistant", "results"]), st.text(max_size=60)
    )
)


@given(turns)
def test_transcripts_round_trip(made: list[TranscriptTurn]) -> None:
    assert read_transcript(write_transcript(made)) == made


@given(st.text(max_size=100) | st.text("=> \nasitn", max_size=60))
def test_any_text_is_a_transcript_or_none(text: str) -> None:
    try:
        found = read_transcript(text)
    except ValueError:
        return
    assert write_transcript(found) == text


@pytest.mark.parametrize("text", ["hello", "> hello", "=== user\n> hi", "=== assistant"])
def test_what_is_no_transcript_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|no content"):
        read_transcript(text)
