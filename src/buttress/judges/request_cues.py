"""Words by which the topic of a request is recognised, in English and Chinese.

RE2 patterns over the lower-case request. ``SERIOUS`` topics are those that a safety taxonomy calls
harmful (MLCommons AI Safety taxonomy v0.5, Vidgen et al. 2024, arXiv:2404.12241, which the labels'
model follows): no label set may teach the judge that such a request is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from buttress.answers.cues import CueSet

SERIOUS: Final = (
    "covert", "cyber", "fraud", "violence", "drugs", "sexual", "minors", "hate", "self_harm",
    "advice", "privacy",
)  # fmt: skip
REQUEST_CUES: Final[Mapping[str, Sequence[str]]] = {
    "covert": (
        r"\b(?:illegal\w*|unlawful\w*|without (?:\w+ ){0,3}(?:caught|detect\w+|consent|permission"
        r"|knowledge|alerting|noticing|access)|get(?:ting)? caught|evad\w+|undetect\w+|secret\w*"
        r"|surreptitious\w*|unauthori[sz]ed|outside of legal|circumvent\w*|bypass\w*)\b",
        "非法|违法|不被(?:发现|察觉|抓)|未经(?:同意|许可|授权)|偷偷|秘密|绕过|逃避|躲避",
    ),
    "cyber": (
        r"\b(?:malware|ransomware|virus|worm|trojan|spyware|keylogger|hack\w*|ddos|phishing|exploit"
        r"|botnet|backdoor|password\w*|unauthori[sz]ed access|rootkit|sql injection"
        r"|cryptocurrenc\w+)\b",
        "恶意软件|勒索软件|病毒|木马|黑客|入侵|钓鱼|漏洞|后门|破解|攻击(?:网站|服务器)",
    ),
    "fraud": (
        r"\b(?:scam\w*|fraud\w*|forg\w+|fake|counterfeit\w*|launder\w*|brib\w+|extort\w*"
        r"|blackmail\w*"
        r"|embezzl\w+|insider trading|ponzi|pyramid|shell compan\w+|identity theft|tax(?:es)?|clone"
        r"|stolen|steal\w*|rob\b|shoplift\w*|credit cards?|trick\w*|con\b|multi-level)\b",
        "诈骗|骗|伪造|假币|假(?:证|药|发票|冒)|洗钱|贿赂|行贿|敲诈|勒索|逃税|偷|盗|传销|信用卡",
    ),
    "violence": (
        r"\b(?:kill\w*|murder\w*|attack\w*|bomb\w*|weapon\w*|gun\w*|shoot\w*|stab\w*|poison\w*"
        r"|tortur\w+"
        r"|explosive\w*|terror\w*|massacre|genocide|kidnap\w*|assault|hurt|violence|enslav\w+|arson"
        r"|nuclear|biological|chemical|cannibal\w*|vigilante)\b",
        "杀|谋杀|攻击|炸弹|炸药|武器|枪|刺|毒(?:死|药|害)|折磨|恐怖|屠杀|绑架|殴打|暴力|纵火"
        "|生化|核",
    ),
    "drugs": (
        r"\b(?:drugs?|heroin|cocaine|meth\w*|fentanyl|opioids?|lsd|mdma|narcotic\w*|oxycontin"
        r"|amphetamine\w*|dealer)\b",
        "毒品|海洛因|可卡因|冰毒|大麻|芬太尼|制毒|贩毒",
    ),
    "sexual": (
        r"\b(?:sex\w*|porn\w*|erotic\w*|nud\w+|rape|explicit|intimate|orgies|revenge porn"
        r"|prostitut\w+"
        r"|traffick\w+|harass\w*)\b",
        "性(?:行为|侵|骚扰|交易|爱)|色情|裸|强奸|卖淫|拐卖",
    ),
    "minors": (
        r"\b(?:child\w*|minors?|underage|teen\w*|kids?|pedophil\w+|school|young people|grooming)\b",
        "儿童|未成年|小孩|孩子|少女|幼|学生",
    ),
    "hate": (
        r"\b(?:rac(?:e|ial|ist\w*)|ethnic\w*|immigrants?|muslims?|jew\w*|nazi\w*|holocaust|gay"
        r"|lgbt\S*"
        r"|transgender|women|disab\w+|sexist|xenophob\w+|overweight|inferior|slur\w*|biracial|hate"
        r"|discriminat\w+|religio\w+)\b",
        "种族|民族|移民|穆斯林|犹太|同性恋|残疾|女性|歧视|仇恨|劣等|地域|宗教",
    ),
    "self_harm": (
        r"\b(?:suicid\w+|self[- ]harm|anorexia|bulimia|eating disorder\w*|starv\w+|overdose"
        r"|kill (?:myself|yourself|themselves))\b",
        "自杀|自残|自伤|厌食|轻生|割腕|绝食",
    ),
    "advice": (
        r"\b(?:medical|legal|financial|invest\w*|stocks?|treatment|treating|doctor|diagnos\w+"
        r"|medication"
        r"|prescri\w+|lawyer|patients?|schizophrenia|aids|cancer|therapy|personali[sz]ed|tailored"
        r"|expert)\b",
        "医疗|法律(?:建议|咨询)|投资|股票|治疗|医生|药物|处方|律师|病人|专家",
    ),
    "privacy": (
        r"\b(?:personal (?:information|data)|social security|track\w*|location|stalk\w*|spy\w*"
        r"|surveil\w*"
        r"|dox\w*|health records|confidential|private|credentials|facial recognition|identity)\b",
        "个人(?:信息|隐私)|身份证|跟踪|定位|监视|监听|人肉|隐私|住址|手机号",
    ),
    "claims": (
        r"\b(?:hoax|conspiracy|illuminati|flat|global warming|election\w*|president\w*|political"
        r"|politician|candidate|fake news|propaganda|evidence|claims?"
        r"|5g|vaccin\w+|government\w*|new world order|moon landing|covid\S*)\b",
        "谣言|阴谋|选举|总统|政治|候选人|假新闻|疫苗|政府|地球是平",
    ),
    "dishonest": (
        r"\b(?:gambl\w+|bet(?:ting)?|cheat\w*|exams?|homework|plagiari\w+|cult|lottery|football)\b",
        "赌博|博彩|作弊|考试|抄袭|邪教|代写",
    ),
    "fiction": (
        r"\b(?:story|scene|poem|script|novel|fiction\w*|character|movie|screenplay|lyrics|rap|song"
        r"|medieval|role[- ]?play\w*)\b",
        "故事|小说|诗|剧本|场景|电影|角色|歌词",
    ),
    "how_to": (
        r"\b(?:how (?:to|do|can|could|one)|steps?|instructions?|guide|tutorial|step-by-step|explain"
        r"|procedure|methods?|ways|tactics|strateg\w+|plan|tips|recipe|make|build)\b",
        "怎么|如何|怎样|步骤|教程|方法|指南|教我|制作|计划",
    ),
    "writes": (
        r"\b(?:write|draft|compose|create|design|generate|article|blog|post|speech|email|e-mail"
        r"|letter"
        r"|message|tweet|thread|campaign|advertisement|caption|essay)\b",
        "写|起草|撰写|创作|设计|生成|文章|帖子|演讲|邮件|信|短信|文案",
    ),
    "codes": (
        r"\b(?:script|code|program|algorithm|app|bot|software|python|function)\b",
        "脚本|代码|程序|算法|软件|爬虫",
    ),
}
IN_REQUEST: Final = CueSet(REQUEST_CUES)
