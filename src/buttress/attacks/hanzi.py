"""Chinese characters: readings, characters that sound alike, parts, traditional forms.

Readings and traditional forms come from the tables in ``data`` (their sources are named there);
they hold one reading a character, so a character with several may be read wrongly in its context.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import Any, Final

import orjson

_TONES: Final = {"1": "\u0304", "2": "\u0301", "3": "\u030c", "4": "\u0300", "5": ""}
# Left and right part of characters that fall apart into two common ones.
_PARTS: Final = (
    "枪木仓 炸火乍 骗马扁 偷亻俞 伪亻为 好女子 明日月 林木木 村木寸 松木公 相木目 材木才 权木又 板木反 析木斤 "
    "枝木支 桥木乔 机木几 根木艮 格木各 样木羊 极木及 标木示 校木交 们亻门 他亻也 你亻尔 什亻十 化亻匕 付亻寸 "
    "代亻弋 休亻木 传亻专 住亻主 位亻立 何亻可 信亻言 使亻吏 便亻更 保亻呆 像亻象 做亻故 低亻氐 体亻本 作亻乍 "
    "但亻旦 件亻牛 仿亻方 任亻壬 妈女马 她女也 妇女彐 如女口 奶女乃 姐女且 妹女未 始女台 姓女生 娘女良 婚女昏 "
    "嫁女家 奴女又 打扌丁 扑扌卜 扣扌口 托扌乇 扫扌彐 找扌戈 技扌支 把扌巴 抓扌爪 投扌殳 抗扌亢 抢扌仓 护扌户 "
    "拍扌白 拉扌立 招扌召 持扌寺 指扌旨 按扌安 挂扌圭 挡扌当 挤扌齐 挺扌廷 提扌是 搞扌高 换扌奂 推扌隹 排扌非 "
    "掉扌卓 江氵工 池氵也 汗氵干 汉氵又 汁氵十 汽氵气 沙氵少 油氵由 河氵可 法氵去 治氵台 泡氵包 泥氵尼 波氵皮 "
    "注氵主 洋氵羊 洗氵先 活氵舌 洞氵同 海氵每 消氵肖 酒氵酉 清氵青 湖氵胡 源氵原 漂氵票 吗口马 吧口巴 吃口乞 "
    "听口斤 呢口尼 味口未 咬口交 哪口那 唱口昌 喝口曷 吐口土 吓口下 叶口十 叮口丁 吵口少 吹口欠 吸口及 呼口乎 "
    "吨口屯 啡口非 认讠人 计讠十 订讠丁 讨讠寸 让讠上 议讠义 记讠己 许讠午 论讠仑 访讠方 设讠殳 证讠正 评讠平 "
    "识讠只 诉讠斥 试讠式 话讠舌 该讠亥 说讠兑 请讠青 语讠吾 课讠果 谁讠隹 调讠周 谈讠炎 谎讠荒 钱钅戋 针钅十 "
    "钉钅丁 钓钅勺 钟钅中 钢钅冈 铁钅失 铃钅令 银钅艮 铜钅同 错钅昔 地土也 坏土不 址土止 坟土文 块土夬 城土成 "
    "培土咅 堆土隹 时日寸 旺日王 昨日乍 映日央 晚日免 晴日青 暗日音 肚月土 肌月几 肝月干 肥月巴 胆月旦 胖月半 "
    "脏月庄 脚月却 脸月佥 腿月退 红纟工 级纟及 约纟勺 纪纟己 纸纟氏 线纟戋 组纟且 细纟田 织纟只 终纟冬 给纟合 "
    "结纟吉 绝纟色 绑纟邦 维纟隹 编纟扁 怕忄白 怪忄圣 性忄生 恨忄艮 情忄青 惊忄京 惯忄贯 慢忄曼 懂忄董 饭饣反 "
    "饮饣欠 饱饣包 饿饣我 馆饣官 饼饣并 路足各 跑足包 跳足兆 踢足易 跟足艮 距足巨 对又寸 欢又欠 难又隹 鸡又鸟 "
    "取耳又 职耳只 聊耳卯 联耳关 灯火丁 灶火土 炉火户 炒火少 烧火尧 烤火考 烟火因 放方文 政正文 故古文 教孝文 "
    "敌舌文 败贝文 改己文 知矢口 短矢豆 矮矢委 神礻申 视礻见 社礻土 祝礻兄 福礻畐 破石皮 码石马 矿石广 研石开 "
    "确石角 碎石卒 轮车仑 软车欠 转车专 较车交 输车俞 财贝才 购贝勾 贩贝反 账贝长 赌贝者 狗犭句 猫犭苗 狼犭良 "
    "猎犭昔 种禾中 秋禾火 科禾斗 秘禾必 租禾且 程禾呈 税禾兑 粉米分 粗米且 粮米良 糖米唐 朋月月 外夕卜 加力口 "
    "动云力 助且力 功工力 劫去力 刻亥刂 到至刂 刚冈刂 别另刂 判半刂 剂齐刂 割害刂 创仓刂 利禾刂 刑开刂 都者阝 "
    "部咅阝 邮由阝 郊交阝 防阝方 阳阝日 阴阝月 队阝人 院阝完 险阝佥 除阝余 陪阝咅 期其月 胡古月 新亲斤 所户斤 "
    "歌哥欠 欺其欠 和禾口 秒禾少 私禾厶 顾厄页 顶丁页 预予页 领令页 颗果页 须彡页 项工页 频步页 群君羊 鲜鱼羊 "
    "鸭甲鸟 鹅我鸟 敲高攴 "
)


@cache
def _table(name: str) -> dict[str, Any]:
    data = resources.files("buttress.attacks").joinpath("data", name).read_bytes()
    table: dict[str, Any] = orjson.loads(data)
    return table


@cache
def _readings() -> dict[str, str]:
    """Character -> syllable and tone digit, such as "men2"; ü is written v."""
    return {
        character: reading
        for reading, characters in _table("pinyin.json")["readings"].items()
        for character in characters
    }


@cache
def _alike() -> dict[str, str]:
    """Syllable without tone -> characters read so, in the table's order."""
    found: dict[str, str] = {}
    for reading, characters in _table("pinyin.json")["readings"].items():
        found[reading[:-1]] = found.get(reading[:-1], "") + characters
    return found


@cache
def _parts() -> dict[str, str]:
    return {entry[0]: entry[1:] for entry in _PARTS.split()}


@cache
def _simplified_to_traditional() -> dict[int, int]:
    table = _table("traditional.json")
    return str.maketrans(table["simplified"], table["traditional"])


@cache
def _traditional_to_simplified() -> dict[int, int]:
    return {traditional: simple for simple, traditional in _simplified_to_traditional().items()}


def pinyin(character: str, *, tone: bool) -> str | None:
    """The reading in Hanyu Pinyin with or without its tone mark; None if the table lacks it."""
    reading = _readings().get(character)
    if reading is None:
        return None
    syllable = reading[:-1].replace("v", "ü")
    return _marked(syllable, _TONES[reading[-1]]) if tone else syllable


def _marked(syllable: str, mark: str) -> str:
    """The mark goes on a or e, on the o of ou, else on the last vowel (GB/T 16159, 6.5)."""
    for letters in ("a", "e", "ou"):
        if letters in syllable:
            at = syllable.index(letters)
            break
    else:
        at = max(syllable.rfind(vowel) for vowel in "iouü")
    return unicodedata.normalize("NFC", syllable[: at + 1] + mark + syllable[at + 1 :])


def homophones(character: str) -> str:
    """Other characters with the same syllable, whatever their tone; may be empty."""
    reading = _readings().get(character)
    return "" if reading is None else _alike()[reading[:-1]].replace(character, "")


def parts(character: str) -> str | None:
    """Left and right part, two characters; None if the table lacks it."""
    return _parts().get(character)


def whole(pair: str) -> str | None:
    """The character that two parts make; the inverse of ``parts``."""
    return _wholes().get(pair)


@cache
def _wholes() -> dict[str, str]:
    return {pair: character for character, pair in _parts().items()}


def to_traditional(text: str) -> str:
    """Simplified characters in their traditional form."""
    return text.translate(_simplified_to_traditional())


def to_simplified(text: str) -> str:
    """Traditional characters in their simplified form."""
    return text.translate(_traditional_to_simplified())
