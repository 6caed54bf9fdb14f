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
    r"|something (?:went|has gone) wrong(?=\W*\Z|[.,!;:…]| (?:while|on our|with your|please|and we"
    r"|processing|when (?:processing|generating))\b)"
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


# What is a message only as the whole text, apart from an apology and the advice to try again.
_ADVICE: Final = (
    r"(?:[^\w<]+(?:(?:please|kindly|you (?:can|may)|and|or) )?(?:try|retry|refresh|wait|reload"
    r"|contact|check|come back|start a new|shorten|sorry about|we(?: are|'re)|our team)\b"
    r"[^.!。]{0,90}"
    r"|\W+(?:bitte|veuillez|merci de|réessayez|por favor|int[ée]nt|tente|riprova|попробуйте"
    r"|пожалуйста|повторите|もう一度|しばらく|時間を|다시|잠시|请)[^.!。]{0,90})*\W*\Z"
)
_STATUS: Final = (
    r"(?:bad gateway|internal server error|(?:service|server) (?:temporarily )?unavailable"
    r"|gateway time-?out|too many requests|request time-?out|web server is down)"
)
_THINGS: Final = (
    r"(?: (?:an?|any|the|your|this|valid|llm|ai|model|from|to|of|chat))*"
    r"(?: (?:response|answer|output|request|reply|completion|server|model|api|message|query))?"
)
_WHOLE: Final = re.compile(
    _START + r"(?:but )?(?:"
    r"(?:http ?)?(?:status(?: code)? ?)?(?:error:? ?)?[45]\d\d\b(?:[\W_]{1,3}" + _STATUS + r")"
    r"|(?:http ?)?(?:status(?: code)?|error)(?: code)?:? ?[45]\d\d"
    r"|upstream (?:connect error|request timeout|error)[^\n]{0,160}"
    r"|null|undefined|none|nan|n/a|\[object object\]|error"
    r"|\(?no (?:response|answer|output|content|result)s?(?: (?:was )?"
    r"(?:generated|received|returned|available|found))?\)?"
    r"|(?:an? )?(?:internal|network|unknown|unexpected|server|connection|api) error"
    r"|(?:an? )?(?:error|failed|failure) (?:to |in |while |when )?(?:generat|fetch|produc|retriev"
    r"|load|pars|process|complet|receiv|connect|reach|get)\w*" + _THINGS + r"(?: (?:at this time"
    r"|right now|at the moment))?"
    r"|(?:i(?:'m| am)|we(?:'re| are)) (?:having (?:trouble|issues|problems|difficult\w+)|unable to"
    r"|not able to) (?:in |with )?(?:respond|answer|connect|process|generat|reach)\w*"
    + _THINGS
    + r" (?:right now|at the moment|at this time|due to (?:an?|some) [\w ]{0,30}(?:error|issue"
    r"|problem|timeout))"
    r"|(?:unable|could(?: not|n't)|cannot|can't)(?: to)? (?:generat|fetch|produc|retriev|load|pars"
    r"|complet|receiv|connect|reach)\w*" + _THINGS + r"(?: (?:right now|at the moment|at this time"
    r"|due to (?:an?|some) [\w ]{0,30}(?:error|issue|problem|timeout)))"
    r"|could(?: not|n't) parse (?:the )?(?:llm|model)(?:'s)? (?:output|response|reply)[^\n]{0,120}"
    r"|(?:i|we) (?:encountered|ran into|hit) (?:an?|some) (?:\w+ ){0,2}(?:error|issue|problem"
    r"|exception)s?(?: (?:while|when|during|processing|generating)[^.!]{0,60})?"
    r"|the (?:server|service|model|request|llm|agent|api) (?:had|encountered|returned|threw"
    r"|responded with|failed with) (?:an?|some) (?:\w+ ){0,2}error[^.!]{0,60}"
    r"|(?:the )?request failed(?: with)?(?: status)?(?: code)?(?: [45]\d\d)?"
    r"|(?:the )?(?:llm|model|api|agent|tool|chain|upstream)(?: \w+)? (?:failed|timed out"
    r"|stopped due to)\b[^.!]{0,80}"
    r"|(?:the )?(?:api |daily |message )?(?:rate limit|quota|(?:maximum )?context (?:length|window)"
    r"|token limit)(?: (?:was|has been|is))? (?:exceeded|reached|exhausted)"
    r"|you(?:'ve| have)? (?:reached|exceeded|hit|used up) (?:your|the|all) (?:\w+ ){0,3}"
    r"(?:limit|quota|messages|requests|credits)"
    r"|[\w.]{0,60}(?:error|exception): (?!.*\b(?:means?|occurs|happens|because|when)\b)[^.\n]{1,80}"
    r"|(?:请求|访问|操作)(?:过于|太)频繁|(?:网络|连接|接口|服务器?)(?:错误|异常|失败|超时|断开)"
    r"|(?:回答|回复|响应|答案|内容)?(?:生成|获取|加载)(?:回答|回复|响应|答案|内容)?失败|无法连接(?:到)?(?:服务器?|模型|网络)"
    r"|(?:已)?(?:超出|达到|超过)(?:\w{0,6})(?:上下文|长度|次数|额度|限额|使用)(?:\w{0,4})(?:限制|上限)?"
    r"|(?:es ist )?(?:leider )?ein (?:\w+ )?fehler (?:ist )?aufgetreten|etwas ist schief\w*"
    r"|une erreur (?:\w+ )?(?:s'est produite|est survenue)"
    r"|(?:se ha producido|ha ocurrido|se produjo|ocurrió|hubo) un error(?: \w+)?|algo salió mal"
    r"|(?:ocorreu|houve) um erro(?: \w+)?|algo deu errado|si è verificato un errore(?: \w+)?"
    r"|(?:произошла|возникла)(?: \w+)? ошибка|что-то пошло не так"
    r"|(?:\w+)?エラーが(?:発生|起き)(?:しました|ました)|(?:\w+ )?오류가 발생했습니다"
    r")" + _ADVICE,
    re.IGNORECASE,
)
_PAGE: Final = re.compile(
    r"\A\s*<(?:!doctype|html|head|body|title|center|h1)\b.*?(?:\b[45]\d\d\W{0,3})?" + _STATUS,
    re.IGNORECASE | re.DOTALL,
)


def is_error_message(text: str) -> bool:
    """Whether an answer is nothing but the message of an error, in one of ten languages."""
    if len(text) > LONGEST:
        return False
    return any(pattern.match(text) for pattern in (_MESSAGE, _WHOLE, _PAGE))
