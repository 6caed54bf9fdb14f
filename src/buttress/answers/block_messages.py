"""What gateways, filters and applications say in the model's place when they stop a message.

RE2 patterns over the lower-case text of a short answer. They say that a message was stopped, not
what it held, so none occurs in an answer that helps; ``refusals`` still looks at its length.
"""

from __future__ import annotations

from typing import Final

_WHAT: Final = (
    r"(?:requests?|messages?|prompts?|respons\w+|contents?|conversations?|questions?|inputs?"
    r"|outputs?|quer(?:y|ies)|completions?|chats?|text|topics?|submissions?|answers?|repl(?:y|ies)"
    r"|generations?|activit(?:y|ies))"
)
_STOPPED: Final = (
    r"(?:blocked|flagged|filtered|removed|rejected|denied|stopped|withheld|moderated|suppressed"
    r"|declined|refused|intercepted|terminated|redacted|disallowed|prohibited|restricted"
    r"|quarantined|halted|prevented|ended)"
)
BLOCK_MESSAGES: Final = (
    rf"\b{_WHAT}\b[^.!?\n]{{0,60}}?\b(?:was|were|has been|have been|is|are|got|been|be|being)"
    rf" (?:\w+ ){{0,3}}{_STOPPED}\b",
    rf"\b{_WHAT} {_STOPPED}\b|\b{_STOPPED} (?:by|due to|because|for|in accordance) (?:\w+ ){{0,5}}"
    r"(?:polic\w+|filter\w*|moderation|guardrails?|safety|administrator|guidelines|rules|content"
    r"|security|system|compliance)\b",
    rf"\b{_WHAT}\b[^.!?\n]{{0,60}}?\b(?:was|were|has|have|could|can|will)(?: not|n't|not)"
    r" (?:be(?:en)? )?(?:processed|sent|delivered|completed|fulfilled|answered|shown|displayed"
    r"|generated|accepted|allowed|permitted|handled|submitted)",
    rf"\b{_WHAT}\b[^.!?\n]{{0,40}}?\b(?:violat\w+|breach\w*|goes against|contravene\w*"
    r"|(?:may|might|appears to|seems to) (?:violate|breach|contravene)|not (?:comply|in line)|fall"
    r"(?:s)? outside)\b",
    rf"\b{_WHAT} (?:is|was|are|appears|seems|were)(?: to be)? (?:not (?:safe|allowed|permitted"
    r"|appropriate|supported)|unsafe|inappropriate|harmful|disallowed|prohibited|against)\b",
    r"\bviolat(?:es|ed|ing|ion of|ions of) (?:\w+ ){0,5}(?:polic\w+|guidelines|terms|rules"
    r"|standards|conditions)\b",
    r"\b(?:content[ _-](?:filter\w*|polic\w+|moderation|safety|warning|restrict\w+|removed|blocked"
    r"|violation)|safety[ _-](?:filter\w*|system|polic\w+|settings?|guard\w*|check|block\w*"
    r"|violation)|guardrails?|responsible[ _-]?ai|usage polic\w+|acceptable use"
    r"|moderation[ _-](?:\w+[ _-])?(?:filter|system|polic\w+|endpoint|layer|api|error|failed)"
    r"|prompt[ _-](?:shield|guard|blocked|injection detected)|jailbreak (?:attempt|detected)"
    r"|policy[ _-](?:violation|block|restriction|enforcement)|policyviolation\w*)\b",
    r"\A\W{0,9}(?:blocked|redacted|filtered|removed|content removed|censored|access denied"
    r"|request denied|denied|forbidden|refused|rejected|not allowed|unsafe)\b\W",
    r"\A\W{0,9}(?:blocked|redacted|filtered|removed|censored|denied|refused|rejected|unsafe)"
    r"\W{0,9}\z",
    r"\bplease (?:try )?(?:rephras\w+|reword\w*|modify (?:your|the)|revise (?:your|the)|ask another"
    r"|ask (?:me )?something else|try (?:another|a different|something else)"
    r"|contact (?:your|the) (?:admin\w*|support|it))",
    r"\b(?:unable|not able|failed) to (?:process|respond|generate|complete)\b",
    r"\bsafety: ?(?:blocked|high|refus)|\bfinish_?reason\W{1,4}(?:safety|content_filter|blocked)",
    "(?:内容|消息|请求|提问|问题|輸入|输入|回答|对话|訊息|內容|請求).{0,12}(?:被|已)(?:系统)?"
    "(?:拦截|屏蔽|过滤|删除|阻止|拒绝|终止|攔截|封鎖|過濾|刪除|阻擋|撤回)",
    "(?:违反|涉嫌违反|不符合|違反).{0,16}(?:规定|规范|政策|准则|条款|法规|規定|規範|政策|準則)"
    "|(?:含有|包含|涉及|存在).{0,8}(?:敏感|违规|违法|不当|不适当|敏感|違規).{0,4}(?:词|内容|信息|詞|內容|資訊)?"
    "|(?:换个|换一个|更换|重新)(?:问题|话题|提问|输入)|内容安全|安全策略|暂(?:时)?(?:不支持|无法回答)",
    "(?:リクエスト|メッセージ|コンテンツ|プロンプト|応答).{0,20}(?:ブロック|拒否|フィルター|削除)され",
    "(?:요청|메시지|콘텐츠|프롬프트|응답).{0,20}(?:차단|거부|필터링|삭제)(?:되|됐)",
    r"\b(?:ihre|deine|die) (?:anfrage|nachricht|eingabe)\b.{0,40}\b(?:blockiert|abgelehnt"
    r"|gefiltert|gesperrt)\b",
    r"\b(?:votre|ta|la|cette) (?:demande|requête|message|question)\b.{0,40}\b(?:bloquée?|refusée?"
    r"|filtrée?|rejetée?)",
    r"\b(?:su|tu|la|esta) (?:solicitud|mensaje|petición|consulta)\b.{0,40}\b(?:bloquead\w|rechazad"
    r"\w|filtrad\w)",
    r"\b(?:sua|a|esta|seu) (?:solicitação|mensagem|pergunta|pedido)\b.{0,40}\b(?:bloquead\w"
    r"|rejeitad\w|recusad\w)",
    "(?:ваш|этот|данный)\\S{0,2} (?:запрос|сообщение|вопрос).{0,40}"
    "(?:заблокирован|отклон|отфильтр)",
    "(?:طلبك|رسالتك|المحتوى|الطلب).{0,30}(?:حظر|محظور|رفض|حجب)|(?:تم|جرى) (?:حظر|رفض|حجب)",
)  # fmt: skip
