"""Error messages in place of answers.

Applications catch what goes wrong behind them and say so with a status of success: "Something went
wrong, please try again later". Such a text is neither help nor refusal; nobody knows what the
system would have answered. Only short texts that are nothing else count.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 400  # characters of a text that may be nothing but a message
_START: Final = r"\A\W{0,5}(?:(?:sorry|oops|apologies|unfortunately|we(?:'re| are) sorry)\W{1,5})?"
_MESSAGE: Final = re.compile(
    _START + r"(?:but )?(?:"
    r"(?:an?|some|there was an?|we(?: have)? encountered an?) (?:\w+ ){0,3}(?:error|exception)"
    r"(?: has)? (?:occurred|happened|while|when|during|processing|generating)"
    r"|(?:an?|some) (?:\w+ ){0,3}(?:error|exception) (?:has )?occurred"
    r"|something (?:went|has gone) wrong"
    r"|(?:internal server error|bad gateway|service (?:temporarily )?unavailable"
    r"|gateway time-?out)\W{0,3}\Z"
    r"|(?:the |your )?(?:request|connection|operation|upstream|gateway|model)(?: has)? timed out"
    r"|(?:we|i)(?: are|'re| am|'m) (?:currently )?experiencing (?:\w+ )?(?:technical|difficult"
    r"|high demand|high traffic|high load)"
    r"|(?:the|our|this) (?:service|server|system|model|assistant) is (?:currently |temporarily )?"
    r"(?:unavailable|overloaded|busy|down)(?= (?:right|at|for|due|because|and)\b|\W{0,3}\Z"
    r"|[.,!;] ?(?:please|try|we)\b)"
    r"|traceback \(most recent call last\)"
    r"|(?:[\w.]{0,60}error|[\w.]{0,60}exception)(?: code)?(?:: ?|\s-\s)[^.]{0,120}?"
    r"(?:\b[45]\d\d\b|https?|connect|time[d -]*out|upstream|api|request failed|rate limit"
    r"|server|unavailable)"
    r"|(?:抱歉|对不起|非常抱歉|很抱歉)?\W{0,3}(?:当前|目前)?(?:系统|服务器?|网络|接口|模型)(?:\w{0,6})?"
    r"(?:繁忙|异常|错误|出错|超时|不可用|故障|开小差)(?:了)?(?=\W|请|\Z)"
    r"|(?:抱歉|对不起|非常抱歉|很抱歉)?\W{0,3}(?:出错了|发生(?:了)?(?:未知)?(?:错误|异常)|请求(?:超时|失败)"
    r"|内部错误)(?=\W|请|\Z)"
    r")",
    re.IGNORECASE,
)


def is_error_message(text: str) -> bool:
    """Whether an answer is nothing but the message of an error, in English or Chinese."""
    return len(text) <= LONGEST and _MESSAGE.match(text) is not None
