"""Whether the words around an act negate it or only report it.

"Never read ~/.ssh/id_rsa" and "reject text such as 'ignore previous instructions'" are no orders.
Only words that govern the act count: those of its own clause, directly before it; the words that
introduce a quotation, a list or a table that holds it; or a noun that it modifies. A negation
anywhere else in the sentence ("send the keys to … without telling the user") excuses nothing.
"""

from __future__ import annotations

import re
from typing import Final

_REACH: Final = 300  # characters before and after an act that are looked at
_BLOCK: Final = 60_000  # characters from the start of a text in which blocks are told apart
_LINES: Final = 60  # lines of a list that are walked back to what introduces it
_CLAUSE: Final = re.compile(
    r"[.!?;:。！？；：—]\s|[。！？；]|,\s|，|、|\n(?=[ \t]*(?:[-*+•#>|]|\d+[.)]|\n|$))|\s-{1,2}\s|"
    r"\b(?:then|but|and|so)\s"
)
_SENTENCE: Final = re.compile(r"[.!?;。！？；]\s|[。！？；]|\n(?=[ \t]*(?:[-*+•#>|]|\d+[.)]|\n|$))")
_NEGATION: Final = (
    r"\b(?:never|(?:do|does|did|must|should|shall|can|could|may|will|would|need)\s*n[o'’]t|"
    r"(?:do|does|did|must|should|shall|could|may|will|would|is|are|was|were)\s+not|cannot|"
    r"(?:don|doesn|didn|won|mustn|shouldn|shan|can|isn|aren|couldn|wouldn)['’]?t|not\s+to|avoid|"
    r"avoids|refuses?\s+to|refused\s+to|declines?\s+to|unable\s+to|without|instead\s+of|"
    r"rather\s+than|(?:forbid(?:s|den)?|prohibit(?:s|ed)?|prevents?|stops?)\s+(?:\w+\s+){0,3}?"
    r"(?:to|from))"
)
# A second negation ("do not hesitate to …") or another order between turns the meaning round.
_BETWEEN: Final = (
    r"(?:\s+(?!(?:hesitate|forget|fail|worry|stop|wait|refuse|omit|skip|neglect|only|just|tell|"
    r"mention|inform|ask|let|be|you|until|unless|before|after)\b)[\w'’-]+){0,3}?"
)
_QUOTE: Final = r"\s*[\"'`“‘«*_(\[]{0,3}\s*"
_NEGATED: Final = re.compile(rf"(?i){_NEGATION}{_BETWEEN}{_QUOTE}$")
_NEGATED_ZH: Final = re.compile(
    r"(?:不要|不得|切勿|禁止|请勿|不能|不可以?|不应|不会|不允许|严禁|避免|拒绝|绝不|从不|勿)"
    r"(?!忘|犹豫|告诉|提|让|只)(?:[\u4e00-\u9fff]{0,4})?[\s“「『\"'`]*$"
)
# Spanish, Portuguese, French and Russian negate before the verb, German and Japanese after it.
_NEGATED_BEFORE: Final = re.compile(
    r"(?i)(?:\b(?:no|nunca|jam[aá]s|n[aã]o|jamais|ne|niemals|nie)\s+(?:(?:se|lo|la|le|les|o|a|os|as|"
    r"y|en|me|te)\s+)?|\bn['’](?:en\s+|y\s+)?|(?:никогда\s+)?(?:не|нe|нельзя|нeльзя)\s+)$"
)
_NEGATED_AFTER: Final = re.compile(
    r"(?i)^[\w-]*\s+(?:(?!und\b|et\b|dann\b|puis\b)[\w-]+\s+){0,3}?"
    r"(?:niemals|nie|nicht|keine[nmrs]?|jamais|pas)\b|"
    r"^[ァ-ヶー一-龥]{0,4}(?:を)?(?:し|せ|さ)?(?:ないで|ない|ません|ず(?!に)|てはいけ|てはなら|ては駄目)"
)
_LISTED: Final = re.compile(r",\s*$")
_LAST_ALTERNATIVE: Final = re.compile(r"(?i)[^.;:!?\n]{0,160},\s*or\s")
_ALTERNATIVE: Final = re.compile(r"(?i)(?:,\s*)?\b(?:or|nor)\s+$|(?:，)?(?:或者?|也不要)\s*$")
_REPORT: Final = re.compile(
    r"(?i)\b(?:says?|said|tells?|told|telling|asks?|asked|asking|instructs?|instructing|orders?|"
    r"wants?|tries|try|trying|attempts?|attempting|claims?|claiming|"
    r"(?<!pull )(?<!merge )requests?|requesting|demands?|"
    r"urges?|persuades?|directs?|contains?|containing|reads|like|such\s+as|e\.g\.|"
    r"for\s+example|including|designed|intended|meant|instructions?)"
    r"(?:,|\s+(?:you|it|me|us|them|they|the\s+\w+|an?\s+\w+|users?|agents?|models?))?"
    rf"(?:\s+(?:to|that))?{_QUOTE}$"
)
_REPORT_ZH: Final = re.compile(
    r"(?:要求|让|叫|试图|企图|声称|说|指示|诱导|引导|包含|出现|例如|诸如|比如|类似|如)"
    r"(?:你|您|模型|助手|代理|我)?(?:去|来)?[\s“「『\"'`：:]*$"
)
_SUPPOSED: Final = re.compile(
    r"(?i)\b(?:if|when|whenever|whether|may|might|could|can|any|anything|anyone|attempts?|tries|"
    r"refuse|never|do\s+not|don['’]t|treat|in\s+case|content\s+that|text\s+that|which|who)\b|"
    r"如果|若|当|任何|可能|是否|凡|一旦|有人|试图|诱导|例如|诸如|比如"
)
_MENTION: Final = re.compile(
    r"(?i)\b(?:such\s+as|like|e\.g|i\.e|for\s+example|for\s+instance|examples?|phrases?|patterns?|"
    r"strings?|languages?|words?|wording|keywords?|regex(?:es)?|grep|detect\w*|flag\w*|reject\w*|"
    r"block\w*|refus\w*|contain\w*|look(?:s|ing)?\s+for|search\w*\s+for|scan\w*|match\w*|says?|"
    r"saying|asks?|asking|attempts?|claims?|inject\w*|jailbreak\w*|attack\w*|malicious|suspicious|"
    r"does\s+(?:it|the|this)|includ\w*|red\s+flags?|threats?|indicators?|signs?\s+of|"
    r"anti-?patterns?|dangerous|forbidden|prohibited|avoid|risky|unsafe|never|red[\s-]?team\w*|"
    r"test\s+(?:prompts?|cases?|inputs?)|adversarial|user\s+(?:inputs?|messages?|quer(?:y|ies)|prompts?)|(?:target|tested|victim)\s+(?:model|endpoint|system|bot))\b|"
    r"示例|例如|比如|诸如|包含|检测|拒绝|注入|攻击|短语|关键词|可疑|危险|禁止|恶意"
)
# A sentence that points to a page says what stands there: "See [page](…) for the dispatch of …".
_POINTER: Final = re.compile(
    r"(?i)^[\s>*+#|-]*(?:(?:see|refer\s+to|cf)\s+(?:also\s+)?(?:the\s+)?[\[`])"
)
_GOES_ON: Final = re.compile(r"(?i)\b(?:and|then|now|first|also|please)\s+$")
# "Nightly spikes copy …": a noun in the plural that does so, and not the reader.
_SUBJECT: Final = re.compile(
    r"(?:^|[\s*_(>])[A-Za-z-]{3,}\s+(?!(?:always|perhaps|besides|afterwards|towards|this|its|is|has|as|"
    r"does|was|us|ours|yours|theirs|unless|across|plus|yes|thus|previous|tools|agents|subagents|"
    r"assistants|models|users|steps|runs|starts|times|days|hours|minutes|replies|answers|files|"
    r"sessions)$)[a-z]{3,}(?<!s)s$"
)
_OBLIGES: Final = re.compile(
    r"(?i)\b(?:must|should|shall|need|have\s+to|let|make|please|you|before|after)\b"
)
# What a program does, told in the passive: "credentials are read from ~/.aws/credentials".
_DESCRIBED: Final = re.compile(r"(?i)\b(?:is|are|was|were|gets?)\s+(?:\w+ly\s+)?$")
_FENCE: Final = re.compile(r"(?m)^[ \t]{0,3}(?:```|~~~)[ \t]*(\w*)[^\n]*$")
_PLAIN: Final = ("", "text", "txt", "plain", "plaintext", "md", "markdown", "none")
_SAMPLES: Final = re.compile(
    r"(?i)\b(?:red\s+flags?|look(?:s|ing)?\s+(?:for|out)|watch\s+(?:for|out)|signs?\s+of|indicators?|"
    r"(?:attack|injection|malicious|suspicious|adversarial|bad|unsafe|jailbreak)\b[^.\n]{0,40}|"
    r"(?:detect|flag|reject|block|refuse)(?:s|ed|ing)?\b[^.\n]{0,60})\s*:?\s*[*_]{0,3}\s*$|"
    r"(?:攻击|注入|恶意|可疑)[^。\n]{0,20}[:：]?\s*$"
)
_EXECUTE: Final = re.compile(
    r"(?i)(?:^|[.,;:]\s*|\b(?:then|must|please|and|now|first|to|you|should|always)\s+|[-*]\s+|^\d+[.)]\s*)"
    r"(?:follow|obey|execute|apply|comply|perform|run|runs|act|respond|reply|output|print|say|paste|"
    r"use|start|install|type|enter|adopt|remember|do)\b[^.!?]{0,80}$|执行|运行|遵循|照做|服从"
)
# An item of a list that names an act, such as "requests to send the keys away".
_NOMINAL: Final = re.compile(
    r"(?i)^\s*(?:[-*+•]|\d+[.)])\s+[*_`]{0,3}(?:any\s+|all\s+|hidden\s+|suspicious\s+|embedded\s+)?"
    r"(?:requests?|attempts?|instructions?|orders?|directives?|prompts?|commands?|text|language|"
    r"phrases?|calls?|steps?|code|scripts?)\s+(?:\w+\s+){0,4}?(?:to|that)\s+(?:\w+\s+){0,2}?$"
)
_AFTER: Final = re.compile(
    r"(?i)^[\"'`”’»)\]*_]{0,3}\s*(?:-?style\b|attacks?\b|injections?\b|attempts?\b|payloads?\b|"
    r"phrases?\b|patterns?\b|jailbreaks?\b|(?:is|are)\s+(?:an?\s+|always\s+)?(?:known\s+|classic\s+|"
    r"typical\s+|common\s+)?(?:prompt[\s-]+)?(?:attacks?|injections?|jailbreaks?|malicious|"
    r"red\s+flags?|forbidden|prohibited|not\s+allowed|suspicious|rejected|blocked|dangerous)\b|"
    r"(?:是|属于|等)(?:一种)?(?:典型的)?(?:提示)?(?:注入|攻击|恶意|越狱))"
)
# An option of a program is described: "override the default system prompt with --system-prompt".
_OPTION: Final = re.compile(
    r"(?i)^[\"'`”’)\]*_]{0,3}\s+(?:with|by\s+(?:passing|setting|giving|using)|via|using|through)\s+"
    r"(?:the\s+|an?\s+)?(?:\w+\s+)?[\"'`]?--?[a-z]"
)
# What a list or block of samples is introduced by: "examples of what attackers write:".
_EXAMPLES: Final = re.compile(
    r"(?i)\b(?:examples?|samples?|phrases?|patterns?|wordings?|strings?|prompts?|messages?|sentences?)"
    r"\b[^.\n]{0,50}\b(?:attack\w*|inject\w*|jailbreak\w*|malicious|adversar\w*|hostile|suspicious)\b"
    r"[^.\n]{0,40}:\s*[*_]{0,3}\s*$|"
    r"\b(?:attack\w*|inject\w*|jailbreak\w*|malicious|adversar\w*|hostile|suspicious)\b[^.\n]{0,40}"
    r"\b(?:examples?|samples?|phrases?|patterns?|wordings?|look\s+like|includes?)\b[^.\n]{0,30}:\s*"
    r"[*_]{0,3}\s*$|(?:攻击|注入|恶意|越狱)[^。\n]{0,20}(?:示例|例子|例如|短语|常见)[^。\n]{0,10}[:：]\s*$"
)
# "… tells you to do this or to …": what reports the first act reports its alternatives, too.
_OR_TO: Final = re.compile(
    r"(?i),?\s+\bor\s+(?:to\s+|that\s+you\s+)?$|(?:或者?|或要求|或让)(?:你|您)?\s*$"
)
_REPORTING: Final = re.compile(
    r"(?i)\b(?:tells?|asks?|instructs?|orders?|urges?|directs?|wants?|tries\s+to\s+get|telling|asking)\s+"
    r"(?:you|it|me|us|them|the\s+\w+|an?\s+\w+)\s+to\b|要求|让你|叫你"
)
_VERDICT: Final = re.compile(
    r"(?i)\b(?:reject\w*|block\w*|flag\w*|den(?:y|ied)|malicious|attack\w*|inject\w*|high|critical|"
    r"suspicious|refus\w*|forbidden|detect\w*|warn\w*|fail\w*|danger\w*|severe|threat|jailbreak\w*|"
    r"never|no|unsafe|override|exfil\w*)\b|拒绝|注入|攻击|高危|危险|禁止|恶意"
)
_FORBIDS: Final = re.compile(
    rf"(?i)(?:{_NEGATION}|\bforbidden|\bprohibited|\bnot\s+allowed|不要|不得|切勿|禁止|严禁|请勿)"
    rf"{_BETWEEN}(?:\s+(?:the\s+)?following|\s+any\s+of\s+(?:these|the\s+following)|以下|下列)?"
    r"[^.!?,;]{0,20}[:：]?\s*[*_]{0,3}\s*$"
)
_COMMAND: Final = re.compile(
    r"(?i)\b(?:run|runs|execute|call|type|paste|enter|use)\s+(?:the\s+)?(?:commands?\s+|following\s+)?"
    r"[\"'`“]?$|(?:运行|执行)[\s\"'`“]*$"
)
# What is shown as wrong: "Bad: `eval …`", "# ❌ never", and lists of what settings forbid.
_WRONG: Final = (
    r"(?:(?:❌|🚫|⛔|✗|✘)\s*)?(?:bad|wrong|incorrect|unsafe|insecure|vulnerable|dangerous|"
    r"anti-?patterns?|do\s?n[o'’]t|avoid|never|not\s+this|错误|不安全|反例)(?:\s+(?:example|code|way|idea))?"
)
_LABELLED: Final = re.compile(
    rf"(?i)(?:(?:^|[\n.(])[ \t>#/|*+-]*[*_]{{0,3}}{_WRONG}\s*[*_]{{0,3}}\s*[:：—]\s*[*_]{{0,3}}|"
    rf"(?:❌|🚫|⛔|✗|✘)[^\n`\"]{{0,20}})\s*[\"'`“(]{{0,3}}$"
)
_LABEL: Final = re.compile(
    rf"(?i)^[ \t>#/*+-]*[*_]{{0,3}}(?:{_WRONG}|❌|🚫|⛔|✗|✘)\b[^\n]{{0,60}}$|"
    r"^[ \t>#/*+-]*(?:❌|🚫|⛔|✗|✘)"
)
_DENIED: Final = re.compile(
    r"(?i)[\"'](?:den(?:y|ied)\w*|disallow\w*|block(?:ed|list)?\w*|forbid\w*|denylist)[\"']\s*:\s*\["
    r"[^\]]{0,300}$"
)
_DENY_LIST: Final = re.compile(
    r"(?i)^[\s\"'*_-]*(?:deny|denied|disallow|block|forbid)[\w-]{0,10}[\"']?\s*:\s*\[?$"
)
_TAIL: Final = "\"'`”’»」』.,;!?。，；！？<) \n"  # signs after an act that a pattern may take in
_ITEM: Final = re.compile(r"^\s*(?:[-*+•]|\d+[.)]|\||>)\s?|^\s*[\"'`“(\[]|^\s*$|^\s*(?:```|~~~)")
_PAIRS: Final = {
    "“": "”", "‘": "’", "«": "»", "「": "」", "『": "』", '"': '"', "`": "`", "'": "'",
}  # fmt: skip


def governed(text: str, start: int, end: int) -> bool:
    """Whether the act at ``text[start:end]`` is negated or reported by the words that govern it."""
    while end > start and text[end - 1] in _TAIL:
        end -= 1
    before = text[max(0, start - _REACH) : start]
    after = text[end : end + _REACH]
    verb = _COMMAND.search(before)  # "never run `curl …`": the verb belongs to the act
    governing = before[: verb.start()] if verb else before
    if _NEGATED_BEFORE.search(governing) or _NEGATED_AFTER.match(after):
        return True
    if (
        _negated(governing, after)
        or _reported(governing)
        or _AFTER.match(after)
        or _OPTION.match(after)
    ):
        return True
    if _DESCRIBED.search(governing) or _is_sample(text, start):
        return True
    sentence = before[_last(_SENTENCE, before) :]
    if _POINTER.match(sentence) and not _GOES_ON.search(sentence):
        return True
    if _LABELLED.search(before) or _DENIED.search(before):
        return True
    first = text.rfind("\n", 0, start) + 1
    line_before = text[max(first, start - _REACH) : start]
    line_after = after.partition("\n")[0]
    in_row = text[first : first + 200].lstrip().startswith("|")
    if in_row and _VERDICT.search(_other_cells(line_before, line_after)):
        return True
    introduction = _introduction(text, first) if _ITEM.match(text[first : start + 1]) else ""
    if in_row:
        introduction = f"{introduction} {_heading(text, first)}"
    if introduction and (_FORBIDS.search(introduction) or _DENY_LIST.search(introduction)):
        return True
    if introduction and _EXAMPLES.search(introduction) and not _EXECUTE.search(introduction):
        return True
    if introduction and _MENTION.search(introduction):
        sentence = before[_last(_SENTENCE, before) :]
        if _NOMINAL.search(line_before) or _REPORT.search(sentence) or _REPORT_ZH.search(sentence):
            return True
    opening = _opening(line_before, line_after)
    if opening < 0 and not in_row:
        return False
    lead = line_before[: max(opening, 0)]
    if _EXECUTE.search(lead):
        return False
    return bool(_MENTION.search(lead) or _MENTION.search(introduction))


def told_of(text: str, start: int) -> bool:
    """Whether others than the reader do what is said there, by the noun before the act."""
    end = len(text[max(0, start - _REACH) : start].rstrip()) + max(0, start - _REACH)
    if text[start : start + 1].isupper() or text.count("\n", end, start) > 1:
        return False  # an order of its own
    words = clause(text, end)
    return _SUBJECT.search(words) is not None and not _OBLIGES.search(words)


def clause(text: str, start: int) -> str:
    """The words of the clause before an act: those that govern it."""
    before = text[max(0, start - _REACH) : start]
    return before[_last(_CLAUSE, before) :]


def _negated(before: str, after: str) -> bool:
    words = before[_last(_CLAUSE, before) :]
    negation = _NEGATED.search(words)
    if negation is not None:
        # "Do not refuse to …": two negations are none.
        return re.search(rf"(?i){_NEGATION}\s*$", words[: negation.start()]) is None
    if _NEGATED_ZH.search(words):
        return True
    joined = _ALTERNATIVE.search(before)
    if joined is not None:
        end = joined.start()
    elif _LISTED.search(before) and _LAST_ALTERNATIVE.match(after):
        end = len(before)
    else:
        return False
    # "Never read X, open Y or send Z": the negation reaches over alternatives, not over "and".
    sentence = before[_last(_SENTENCE, before) : end]
    first = re.match(
        rf"(?i)[\s*_>#-]*(?:\w+\s+){{0,3}}?{_NEGATION}|\s*(?:不要|不得|切勿|禁止)", sentence
    )
    return first is not None and not re.search(r"(?i)\b(?:and|then|but)\b|并|然后", sentence)


def _reported(before: str) -> bool:
    sentence = before[_last(_SENTENCE, before) :]
    if not (_REPORT.search(sentence) or _REPORT_ZH.search(sentence)):
        joined = _OR_TO.search(sentence)
        if joined is None or not _REPORTING.search(sentence[: joined.start()]):
            return False
        if re.search(r"(?i)\b(?:then|but|please)\b", sentence[: joined.start()]):
            return False
    return _SUPPOSED.search(sentence) is not None


def _is_sample(text: str, start: int) -> bool:
    """Whether the act stands in a block of plain text that is introduced as one to look out for.

    A block of commands is none: "to detect attacks, run:" introduces what is to be run.
    """
    if start > _BLOCK:
        return False
    opening, fences = None, 0
    for fence in _FENCE.finditer(text, 0, start):
        opening, fences = fence, fences + 1
    if opening is None or not fences % 2:
        return False
    first = text.rfind("\n", 0, opening.start() + 1) + 1 if opening.start() else 0
    if _is_labelled(text, opening.end(), start) or _LABEL.search(_introduction(text, first)):
        return True
    return opening[1].lower() in _PLAIN and _SAMPLES.search(_introduction(text, first)) is not None


def _is_labelled(text: str, opening: int, start: int) -> bool:
    """Whether the line before the act, in its block of code, is a comment that calls it wrong."""
    first = text.rfind("\n", 0, start)
    if first <= opening:
        return False
    previous = text[text.rfind("\n", 0, first) + 1 : first].strip()
    return previous.startswith(("#", "//", "--")) and _LABEL.search(previous[:200]) is not None


def _last(boundary: re.Pattern[str], text: str) -> int:
    """Where the last stretch of a text begins that no boundary divides."""
    end = 0
    for match in boundary.finditer(text):
        end = match.end()
    return end


def _other_cells(before: str, after: str) -> str:
    """The cells of a table's row that do not hold the act."""
    return f"{before.rpartition('|')[0]} {after.partition('|')[2]}"


def _opening(before: str, after: str) -> int:
    """Where the quotation begins that holds the act; -1 where none does."""
    for place in range(len(before) - 1, -1, -1):
        sign = before[place]
        closing = _PAIRS.get(sign)
        if closing is None or (sign == "'" and place and before[place - 1].isalnum()):
            continue
        inside = before[place + 1 :]
        if closing == sign and before.count(sign, 0, place) % 2:
            return -1  # it closes an earlier quotation
        if closing not in inside and closing in after:
            return place
    return -1


def _heading(text: str, first: int) -> str:
    """The first row of the table that holds the row at ``first``, unless it is that row."""
    heading = ""
    for _ in range(_LINES):
        previous = text.rfind("\n", 0, first - 1) + 1 if first > 0 else 0
        line = text[previous : max(first - 1, 0)]
        if not line.lstrip().startswith("|"):
            return heading
        heading, first = line[:400], previous
    return ""


def _introduction(text: str, first: int) -> str:
    """What introduces the list, table or block that holds the line at ``first``."""
    for _ in range(_LINES):
        if first <= 0:
            return ""
        previous = text.rfind("\n", 0, first - 1) + 1
        line = text[previous : first - 1]
        first = previous
        if not _ITEM.match(line[:400]):
            return line[-400:].strip()
    return ""
