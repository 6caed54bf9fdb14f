"""Refusals by the system around a model: content filters, guardrails, firewalls, moderation.

They reach a client as errors of many shapes. A filter that names itself is a refusal. A page or
an error that only says "forbidden" may be about the caller too, so it counts as a refusal only
where the same caller gets answers to other questions; ``TargetError.refusal`` has it until then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import escape, unescape
from typing import Any, Final

CONTENT_FILTER: Final = "content filter"
FIREWALL: Final = "firewall"
REFUSAL_FIELD: Final = "refusal field"
NO_CHOICES: Final = "reply without choices"
# What says by itself that a filter decided, in `code`, `type`, `status` or `reason` of an error.
_CODES: Final = re.compile(
    r"content_?-?(filter|policy|violation|blocked|moderation|safety)|responsibleaipolicy"
    r"|invalid_prompt|moderation|guardrail|prompt_?(blocked|injection|shield)"
    r"|data_?inspection_?failed|illegal_?(detected|content|input)|censor|unsuitable"
    r"|sensitive_?(words?|content)|(input|output)\w*sensitive"
    r"|risk_?detect|unsafe_?(content|input|prompt)|safety_?(violation|check|block)|policy_?violation"
    r"|jailbreak|^safety$|prohibited_content|blocklist|error_toxic"
    r"|^(blocked|flagged|filtered|censored|moderated)$",
    re.IGNORECASE,
)
# Numbers that gateways give in place of words: Zhipu 1301, MiniMax 1026/1027, Cloudflare's AI
# Gateway 2016/2017, Baidu 336104, iFlytek 10013/10014/10019.
_NUMBERS: Final = frozenset(
    {"1301", "1026", "1027", "2016", "2017", "336104", "10013", "10014", "10019"}
)
_TEXT: Final = re.compile(
    r"content[ _-](management|filter|moderation|safety|policy|security)"
    r"|(usage|safety|content|acceptable use|guardrail|responsible ai)[ _-]?(polic|guideline)"
    r"|(flagged|blocked|rejected|denied|filtered|refused|intercepted|stopped)\b[^.]{0,60}"
    r"\b(as|for|by|because|due to|potentially)?[^.]{0,40}\b(content|safety|moderation|guardrail"
    r"|polic(y|ies)|security|harmful|unsafe|inappropriate|sensitive|filter|toxic|high risk"
    r"|jailbreak|violat)"
    r"|(prompt|input|request|message|output|response|content)s?\b[^.]{0,40}\b(was|were|is|has been"
    r"|got)?\s*(flagged|blocked|filtered|moderated|censored)"
    r"|(prompt|input|output|response|content|message)s?\b[^.]{0,40}\b(rejected|denied|refused"
    r"|disallowed|withheld|redacted)\b(?![^.]{0,40}\b(long|length|large|tokens?|size|exceed|busy))"
    r"|\b(flagged|blocked|filtered|censored|moderated) (the |this |that |your )?(input|prompt"
    r"|request|message|output|response|content)s?\b|\b(denied|blocked|forbidden) (prompt|word"
    r"|topic)|(input|output) (new_)?sensitive|content is (illegal|inappropriate|harmful|unsafe"
    r"|sensitive|prohibited)"
    r"|(violat|against)\w*\b[^.]{0,40}\b(polic|guideline|terms|safety|guardrail)"
    r"|(inappropriate|sensitive|harmful|unsafe|prohibited|toxic|offensive) (content|information"
    r"|material|input|prompt|words?)|content exists risk|risk detected"
    r"|considered high risk|requires moderation"
    r"|(?<![a-z])guardrails?(?![a-z])|prompt injection|jailbreak|blocked entity"
    r"|unsuitable (input|output|content)"
    r"|(content|text|input|output|security|safety) (audit|review|check|screening)[^.]{0,20}"
    r"\b(fail|not pass|reject)"
    r"|\b(keyword|word|term|phrase)s?\b[^.]{0,30}\bbanned|\bbanned (keyword|word|term|phrase|topic)"
    r"|敏感|违规|不安全|不当内容|内容安全|审核"
    r"|(заблокирован|отклон[её]н|отфильтрован)[^.]{0,40}(фильтр|безопасн|модераци|политик|правил)"
    r"|(bloquead|rechazad|filtrad|rejeitad)[oa]s?\b[^.]{0,40}"
    r"(filtro|seguridad|segurança|pol[íi]tica|moderaci|moderaç|contenido|conteúdo)"
    r"|(bloqu|refus|filtr|rejet)ée?s?\b[^.]{0,40}(filtre|politique|sécurité|modération|contenu)"
    r"|(blockiert|abgelehnt|gefiltert|gesperrt)\b[^.]{0,40}(filter|richtlinie|sicherheit|moderation)"
    r"|(filter|richtlinien?|sicherheitsgründen?|moderation)\b[^.]{0,40}"
    r"(blockiert|abgelehnt|gefiltert|gesperrt)"
    r"|(ポリシー|フィルター|安全)[^。]{0,20}(ブロック|拒否|違反)|(정책|필터|안전)[^.]{0,20}(차단|위반|거부)",
    re.IGNORECASE,
)
_PAGE: Final = re.compile(
    r"firewall|\bwaf\b|request blocked|you have been blocked|attention required|cloudflare"
    r"|incapsula|imperva|mod_?security|access denied|requested url was rejected|support id"
    r"|not acceptable|forbidden|error code: 10\d\d|akamai|sucuri|fortiweb|blocked by"
    r"|security (policy|rule|check|reasons?|system)|reference\s*#|unavailable for legal reasons"
    r"|阻断|拦截|安全威胁",
    re.IGNORECASE,
)
END_FIELDS: Final = frozenset({"finishreason", "stopreason", "donereason", "blockreason"})
_NUMBER_FIELDS: Final = frozenset({"code", "errorcode", "statuscode"})
_CODE_FIELDS: Final = END_FIELDS | _NUMBER_FIELDS | {"type", "status", "reason"}
_HEADERS: Final = ("x-amzn-waf-action", "cf-mitigated")
_BLOCK_PAGE: Final = re.compile(
    r"block|deny|denied|polic[yi]|forbidden|filter|firewall|\bwaf\b|zscaler|captcha|not-?allowed"
    r"|violation|unsafe|moderat",
    re.IGNORECASE,
)
_HTML: Final = re.compile(rb"^\s*(<!doctype\s*html|<html|<head|<body|<title|<h1)", re.IGNORECASE)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)  # text as it is, in XML
_TAGS: Final = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_LOOKED_AT: Final = 4000  # characters of a text
_NESTED: Final = 20_000  # characters of a text of JSON that is gone into
_DEEPEST: Final = 6
# About the caller or the form of the question, whatever the words.
_NEVER: Final = frozenset({401, 402, 404, 405, 407, 408, 409, 411, 413, 415, 425, 429})
_DOUBTFUL: Final = frozenset({403, 406, 418, 422, 424, 444, 451, 470, 493, 499})


def is_page(body: bytes) -> bool:
    """Whether a body is a page for people rather than an answer of an API."""
    return bool(_HTML.match(body))


def page_text(body: bytes) -> str:
    """What a page says, without its tags."""
    return without_tags(body[: 4 * _LOOKED_AT].decode("utf-8", "replace"))


def without_tags(text: str) -> str:
    """The text of HTML or XML, on one line."""
    marked = _CDATA.sub(lambda section: escape(section[1]), text)
    return " ".join(unescape(_TAGS.sub(" ", marked)).split())


def named(status: int, payload: Any) -> str:
    """Who refused, where an error or answer names a filter; "" where it doesn't.

    Args:
        status: of HTTP.
        payload: the body, as JSON value or as text.
    """
    if status in _NEVER:
        return ""
    for field, value in _scalars(payload):
        text = str(value)[:_LOOKED_AT]
        if field.replace("_", "") in _CODE_FIELDS:
            if _CODES.search(text) or text in _NUMBERS:
                return with_details(CONTENT_FILTER, payload)
        elif field in {
            "",
            "message",
            "msg",
            "detail",
            "error",
            "title",
            "errors",
            "reasons",
            "error_msg",
            "status_msg",
        } and _TEXT.search(text):
            return with_details(CONTENT_FILTER, payload)
    return ""


def numbered(payload: Any) -> bool:
    """Whether a message gives the number by which a provider's filter says that it stopped."""
    return any(
        field.replace("_", "") in _NUMBER_FIELDS and str(value) in _NUMBERS
        for field, value in _scalars(payload)
    )


def marked(payload: Any, depth: int = 0) -> bool:
    """Whether a reply says somewhere of the question or the answer that it was filtered."""
    if depth > _DEEPEST:
        return False
    if isinstance(payload, Mapping):
        if any(payload.get(field) is True for field in ("filtered", "flagged", "blocked")):
            return True
        payload = list(payload.values())[:50]
    return isinstance(payload, list) and any(marked(each, depth + 1) for each in payload[:50])


def cleared(payload: Any) -> bool:
    """Whether a reply holds what filters found, and none of them found anything."""
    return _holds(payload, "filtered") and not marked(payload)


def _holds(payload: Any, name: str, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(payload, Mapping):
        if name in payload:
            return True
        payload = list(payload.values())
    return isinstance(payload, list) and any(_holds(each, name, depth + 1) for each in payload[:50])


def by_headers(headers: Mapping[str, str]) -> str:
    """Who may have refused, where a firewall says so in the headers of a reply; "" elsewhere."""
    return FIREWALL if any(name in headers for name in _HEADERS) else ""


def block_page(location: str) -> bool:
    """Whether a redirect leads to the page of a filter, as far as its URL tells."""
    return bool(_BLOCK_PAGE.search(location))


def doubtful(status: int, body: bytes) -> str:
    """Who may have refused, where an answer doesn't say what it is about; "" where it is clear."""
    if is_page(body) or status in _DOUBTFUL - {422, 424}:
        said = page_text(body)
        if status in _DOUBTFUL or (status in {200, 400, 405, 500, 501} and _PAGE.search(said)):
            return FIREWALL
    return ""


def with_details(who: str, payload: Any) -> str:
    """``who``, with the categories that the filter says it found, such as "violence medium"."""
    found = [f"{name} {level}".strip() for name, level in _categories(payload)]
    return f"{who}: {', '.join(dict.fromkeys(found))[:120]}" if found else who


def _categories(payload: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Filtered categories and their severity, in the forms of Azure and OpenRouter."""
    if depth > _DEEPEST:
        return
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            if isinstance(value, Mapping):
                if value.get("filtered") is True:
                    yield str(name), str(value.get("severity") or "")
                else:
                    yield from _categories(value, depth + 1)
            elif name == "reasons" and isinstance(value, list):
                for each in value[:5]:
                    if isinstance(each, str):
                        yield each[:40], ""
            elif isinstance(value, list):
                yield from _categories(value, depth + 1)
    elif isinstance(payload, list):
        for each in payload[:20]:
            yield from _categories(each, depth + 1)


def _scalars(payload: Any, field: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Texts and numbers of a JSON value with the names of their fields.

    Routers hand the error of the provider behind them through as a text of JSON.
    """
    if depth > _DEEPEST:
        return
    if isinstance(payload, str) and payload[:1] in {"{", "["} and len(payload) < _NESTED:
        with suppress(ValueError, RecursionError):
            payload = json.loads(payload)
    if isinstance(payload, Mapping):
        for name, value in list(payload.items())[:50]:
            yield from _scalars(value, str(name).lower(), depth + 1)
    elif isinstance(payload, list):
        for each in payload[:20]:
            yield from _scalars(each, field, depth + 1)
    elif isinstance(payload, str | int) and not isinstance(payload, bool):
        yield field, payload
