"""Giving way to servers that refuse a parameter or a form of question.

Servers say in many ways what they don't take: OpenAI by ``param`` and ``code``, FastAPI by a list
of places, LiteLLM, vLLM, TGI and templates by words alone. Each change is made once and for good,
so that a server can be asked again only as often as there are changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.targets.dialects.base import QuestionForm

LENGTHS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens",
                  "maxOutputTokens", "maxTokens", "num_predict")  # fmt: skip
FEWEST: Final = 16  # tokens of an answer below which no bound is lowered
MOST: Final = 4096  # and above which none is raised
_REFUSED: Final = re.compile(
    r"unsupported|not support|not (?:yet )?implemented|n't support|not permit|not allow"
    r"|n't allow|n't permit|disallow"
    r"|no longer|unrecognized|unrecognised|can(not| only)|may only|must not|greater than|positive"
    r"|unknown|unexpected|extra|invalid|not valid|only|must be|should be|deprecated|cannot be"
    r"|can't be|not available|not accept|doesn't accept|incompatible|forbidden|remove|range"
    r"|not enabled|requires|out of|illegal|no such|drop_params|property"
    r"|非法|有误|无效|取值|范围|不支持|必须|超出|不合法|错误",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"system[ _-]?(role|message|prompt|instruction)|role[^.]{0,40}system|system[^.]{0,20}role"
    r"|developer (instruction|role|message)|roles? must alternate|alternate (between )?user"
    r"|system ?角色|不支持[^。]{0,8}system|first message[^.]{0,30}user"
    r"|only (supports? )?user and assistant|\.role\b|consecutive"
    r"|must (start|begin) with (a )?user",
    re.IGNORECASE,
)
_STREAM: Final = re.compile(
    r"(only|must|requires?|need|please|has to|set)[^.]{0,50}stream|stream[^.]{0,40}"
    r"(only|must be|required|true|enabled)|non-?stream(ing)?[^.]{0,40}(not|un)",
    re.IGNORECASE,
)
_TOO_LONG: Final = re.compile(
    r"too large|maximum context|context (length|window|size)|at most|less than or equal|<=|exceed"
    r"|maximum (value|allowed|number)|greater than (the )?max|range of",
    re.IGNORECASE,
)
_AT_MOST: Final = re.compile(
    r"(?:at most|less than or equal to|<=|maximum (?:value|allowed|of)|supports? up to|max(?:imum)?"
    r" (?:is|output tokens?:?)|\[\s*\d+\s*,)\D{0,20}(\d{2,7})",
    re.IGNORECASE,
)
_AT_LEAST: Final = re.compile(
    r"(?:at least|greater than or equal to|>=|minimum(?: value)?(?: of)?|below minimum value)"
    r"\D{0,40}(\d{1,5})",
    re.IGNORECASE,
)
_SWITCH: Final = re.compile(
    r"(?:parameter\.)?\b([a-z][a-z0-9_]{2,40})['\"`]? (?:must|should|has to) be (?:set to )?"
    r"['\"`]?(true|false)\b",
    re.IGNORECASE,
)
_NO_STREAM: Final = re.compile(
    r"stream(ing)?['\"`]?[^.]{0,30}(must|should|has to) be[^.]{0,12}(false|disabled|off)"
    r"|(?<!non-)(?<!non)(?<!non )stream(ing)?[^.]{0,20}(is |are )?not (yet )?"
    r"(supported|available|allowed|enabled)",
    re.IGNORECASE,
)
_UNNAMED: Final = re.compile(
    r"(additional|unknown|extra|unrecognized|unexpected|unsupported)[ _]?"
    r"(propert|field|key|param|argument|input)"
    r"|only [^.]{0,40}\b(model|messages)\b[^.]{0,40}\b(allowed|permitted|accepted|supported)",
    re.IGNORECASE,
)
_DISPENSABLE: Final = ("seed", "top_logprobs", "logprobs", "temperature", *LENGTHS)
_LIST: Final = re.compile(
    r"valid (list|array|sequence)|should be (a )?(list|array)|expected an? (list|array|sequence)",
    re.IGNORECASE,
)
_MORE: Final = re.compile(
    r"(higher|larger|increase)[^.]{0,20}max_\w*tokens|output limit (was|is) reached", re.IGNORECASE
)
_EXTRA: Final = re.compile(r"extra|not permitted|unexpected|unknown|unrecogni[sz]ed", re.IGNORECASE)


def adapt(form: QuestionForm, sent: Mapping[str, Any], payload: Any, said: str) -> bool:
    """Change ``form`` so that a refused question may be taken; True if asking again makes sense.

    Args:
        form: how questions are put now; another question in flight may have changed it.
        sent: the body that was refused.
        payload: the error's body.
        said: its text.
    """
    everything = " ".join([said, *places(payload)])
    fields = _fields_of(sent)
    if _NO_STREAM.search(everything):
        changed = form.stream or form.added.get("stream") is not False
        form.stream = False
        form.added["stream"] = False
        return changed
    if _STREAM.search(everything) and not sent.get("stream") and "stream" in everything.lower():
        form.stream = True
        return True
    if _content_is_list(payload) or (_LIST.search(said) and "content" in everything):
        changed = not form.content_parts
        form.content_parts = True
        return changed
    switch = _SWITCH.search(everything)
    if switch and switch[1] != "stream" and switch[1] not in fields:
        form.added[switch[1]] = switch[2].lower() == "true"
        return True
    length = next((name for name in LENGTHS if name in fields), None)
    if length is not None and _about_length(everything, length, payload):
        return _shorten(form, fields[length], length, everything)
    refused = [name for name in fields if _mentions(name, everything, payload)]
    if "model" in sent and "model" in places(payload) and _EXTRA.search(everything):
        refused.append("model")  # a server of one model
    if "logprobs" in refused and "top_logprobs" in fields:
        refused.append("top_logprobs")  # which asks for more of the same
    if refused and (_REFUSED.search(everything) or places(payload)):
        for name in refused:
            form.omitted.add("max_tokens" if name in LENGTHS else name)
        return True
    if _SYSTEM.search(everything):
        changed = not form.merge_system or _holds_system(sent)
        form.merge_system = True
        return changed
    if _UNNAMED.search(everything) and not places(payload):
        # Something is too much, and the error doesn't name it.
        for name in _DISPENSABLE:
            if name in fields:
                form.omitted.add("max_tokens" if name in LENGTHS else name)
                return True
    return False


def places(payload: Any) -> list[str]:
    """Names of the fields that an error points to, in the forms of OpenAI and FastAPI."""
    return list(dict.fromkeys(_places(payload)))


def _places(payload: Any, depth: int = 0) -> Iterator[str]:
    if depth > 4:
        return
    if isinstance(payload, Mapping):
        for name in ("param", "field", "parameter"):
            if isinstance(payload.get(name), str):
                yield payload[name]
        where = payload.get("loc")
        if isinstance(where, list):
            yield ".".join(str(part) for part in where if part != "body")
        if isinstance(keys := payload.get("keys"), list):
            yield from (key for key in keys[:20] if isinstance(key, str))
        for value in payload.values():
            if isinstance(value, Mapping | list):
                yield from _places(value, depth + 1)
    elif isinstance(payload, list):
        for each in payload[:20]:
            yield from _places(each, depth + 1)


def _fields_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a body that can be done without, wherever the API has them."""
    fields = {k: v for k, v in sent.items() if k not in {"model", "messages", "input", "contents"}}
    for group in ("options", "generationConfig", "inferenceConfig"):
        if isinstance(fields.get(group), Mapping):
            fields |= fields.pop(group)
    for name in ("system", "systemInstruction", "stream"):
        fields.pop(name, None)
    return fields


def _mentions(name: str, text: str, payload: Any) -> bool:
    if any(place == name or place.endswith(f".{name}") for place in places(payload)):
        return True
    return bool(re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text))


def _about_length(text: str, length: str, payload: Any) -> bool:
    if any(name in text for name in LENGTHS) or "completion tokens" in text:
        return True
    lowered = text.lower()
    return ("context" in lowered and "token" in lowered) or _mentions(length, text, payload)


def _shorten(form: QuestionForm, tokens: Any, length: str, text: str) -> bool:
    """Another name for the length, another length, or none."""
    asked = tokens if isinstance(tokens, int) else 0
    if _MORE.search(text):
        if asked >= MOST:
            return False
        form.least_tokens = max(form.least_tokens, min(MOST, 4 * asked))
        return True
    if least := _AT_LEAST.search(text):
        number = int(least.group(1))
        if asked < number <= MOST:
            form.least_tokens = max(form.least_tokens, number)
            return True
    if _TOO_LONG.search(text) and asked > FEWEST:
        most = [int(number) for number in _AT_MOST.findall(text)]
        limit = max((n for n in most if n < asked), default=asked // 2)
        form.most_tokens = min(form.most_tokens or asked, max(FEWEST, limit))
        return True
    if length == "max_tokens" and form.length != "max_tokens":
        return True  # another question in flight has just made the change
    others = [name for name in LENGTHS[:4] if name != length and re.search(rf"\b{name}\b", text)]
    if length in LENGTHS[:4]:
        form.length = others[0] if others else "max_completion_tokens"
        if form.length == length:
            form.omitted.add("max_tokens")
        return True
    form.omitted.add("max_tokens")
    return True


def _content_is_list(payload: Any) -> bool:
    return any(place.startswith("messages.") and place.endswith(".content") for place in
               places(payload)) and bool(_LIST.search(str(payload)))  # fmt: skip


def _holds_system(sent: Mapping[str, Any]) -> bool:
    messages = sent.get("messages") or sent.get("input")
    roles = [m.get("role") for m in messages if isinstance(m, Mapping)] if messages else []
    return "system" in roles or "system" in sent or "systemInstruction" in sent
