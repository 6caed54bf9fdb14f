from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request
from buttress.white_box.answers import continuations
from buttress.white_box.loading import fingerprint, load
from buttress.white_box.logit_bias import bias_field, biased_answers, first_tokens
from buttress.white_box.prefill import prefilled_answers
from buttress.white_box.prefilled_target import PrefilledTarget
from tests.white_box.tiny import QUESTION, model, tokenizer

CHATS = [(Message("user", text),) for text in ("the sea", "a", "stars that shine over the house")]


def question(messages: Any, start: str = "") -> list[int]:
    dicts = [{"role": m.role, "content": m.content} for m in messages]
    text = tokenizer().apply_chat_template(dicts, tokenize=False, add_generation_prompt=True)
    return list(tokenizer()(text + start, add_special_tokens=False)["input_ids"])


def greedy(
    given_model: Any, ids: list[int], tokens: int, banned: Collection[int] = ()
) -> list[int]:
    """Token by token, without a cache; ``banned`` tokens for the first two only."""
    made: list[int] = []
    for number in range(tokens):
        with torch.no_grad():
            logits = given_model(input_ids=torch.tensor([ids + made])).logits[0, -1]
        if number < 2:
            logits[list(banned)] = -torch.inf
        token = int(logits.argmax())
        if token == 2:
            break
        made.append(token)
    return made


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_continuations_do_not_depend_on_the_batch(kind: str) -> None:
    given_model = model(kind)
    rows = [question(chat) for chat in CHATS]
    wanted = [greedy(given_model, row, 6) for row in rows]
    for batch in (1, 2, 8):
        assert continuations(given_model, tokenizer(), rows, 6, batch=batch) == wanted


@pytest.mark.parametrize("start", ["sure here", "Sure", ""])
def test_prefilled_answers_go_on_from_the_start(start: str) -> None:
    given_model = model()
    made = prefilled_answers(given_model, tokenizer(), CHATS, start, max_tokens=6)
    for chat, text in zip(CHATS, made, strict=True):
        written = greedy(given_model, question(chat, start), 6)
        said = tokenizer().decode(written, skip_special_tokens=True)
        assert text == (start + said).rstrip() if start else text == said.strip()


def test_a_prefill_needs_a_question() -> None:
    with pytest.raises(InputError, match="messages"):
        prefilled_answers(model(), tokenizer(), [(Message("assistant", "a"),)], "sure")


class Echo:
    name = "echo"
    identity = "echo:1"
    stable = True
    concurrency = 3

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[Request] = []
        self.closed = False

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(self.text, prompt_tokens=4)

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (" a tale", "Sure, here is a tale"),
        ("a tale", "Sure, here is a tale"),
        (": a tale", "Sure, here is: a tale"),
        ("Sure, here is a tale", "Sure, here is a tale"),
        ("", "Sure, here is"),
    ],
)
async def test_a_prefilled_endpoint(said: str, whole: str) -> None:
    inner = Echo(said)
    target = PrefilledTarget(inner, "Sure, here is")
    made = await target.answer(Request(QUESTION))
    assert (made.text, made.prompt_tokens) == (whole, 4)
    assert inner.asked[0].messages == (*QUESTION, Message("assistant", "Sure, here is"))
    assert target.identity != PrefilledTarget(inner, "Yes").identity
    assert (target.name, target.stable, target.concurrency) == ("echo, prefilled", True, 3)
    await target.aclose()
    assert inner.closed


@pytest.mark.parametrize("start", ["", "Sure "])
def test_unusable_starts(start: str) -> None:
    with pytest.raises(InputError, match="start"):
        PrefilledTarget(Echo(""), start)


def test_biased_tokens_stay_out_of_the_beginning_only() -> None:
    given_model = model()
    rows = [question(chat) for chat in CHATS]
    free = [greedy(given_model, row, 6) for row in rows]
    words = [tokenizer().decode([token]).strip() for made in free for token in made[:3]]
    words = [word for word in words if word and word.isascii()]
    banned = set(first_tokens(tokenizer(), words))
    assert banned
    for batch in (1, 8):
        texts = biased_answers(
            given_model, tokenizer(), CHATS, words=words, first=2, max_tokens=6, batch=batch
        )
        wanted = [greedy(given_model, row, 6, banned) for row in rows]
        assert texts == [
            tokenizer().decode(one, skip_special_tokens=True).strip() for one in wanted
        ]
        assert wanted != free
    field = bias_field(tokenizer(), words, -50.0)
    assert field == {str(token): -50.0 for token in banned}


def test_loading_and_fingerprint(tmp_path: Any) -> None:
    given_model = model()
    given_model.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    loaded, read = load(tmp_path, device="cpu")
    assert (loaded.dtype, loaded.training) == (torch.float32, False)
    assert read.chat_template == tokenizer().chat_template
    assert fingerprint(loaded) == fingerprint(given_model)
    assert fingerprint(model(seed=1)) != fingerprint(given_model)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match="can't be loaded"):
        load(tmp_path)
