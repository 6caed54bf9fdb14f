"""English verbs: past forms, and the base of a third-person form."""

from __future__ import annotations

import re
from typing import Final

_FORMS: Final = (
    "be/was become/became begin/began bend/bent bet/bet bind/bound bite/bit bleed/bled blow/blew "
    "break/broke breed/bred bring/brought build/built burn/burned burst/burst buy/bought "
    "cast/cast catch/caught choose/chose cling/clung come/came cost/cost creep/crept cut/cut "
    "deal/dealt dig/dug do/did draw/drew drink/drank drive/drove eat/ate fall/fell feed/fed "
    "feel/felt fight/fought find/found flee/fled fly/flew forbid/forbade forget/forgot "
    "forgive/forgave freeze/froze get/got give/gave go/went grind/ground grow/grew hang/hung "
    "have/had hear/heard hide/hid hit/hit hold/held hurt/hurt keep/kept know/knew lay/laid "
    "lead/led leave/left lend/lent let/let lie/lay light/lit lose/lost make/made mean/meant "
    "meet/met pay/paid put/put quit/quit read/read ride/rode ring/rang rise/rose run/ran "
    "say/said see/saw seek/sought sell/sold send/sent set/set sew/sewed shake/shook shed/shed "
    "shoot/shot show/showed shrink/shrank shut/shut sing/sang sink/sank sit/sat sleep/slept "
    "slide/slid speak/spoke spend/spent spin/spun split/split spread/spread spring/sprang "
    "stand/stood steal/stole stick/stuck sting/stung strike/struck swear/swore sweep/swept "
    "swim/swam swing/swung take/took teach/taught tear/tore tell/told think/thought throw/threw "
    "understand/understood wake/woke wear/wore weep/wept win/won wind/wound withdraw/withdrew "
    "write/wrote"
)
_IRREGULAR: Final = dict(pair.split("/") for pair in _FORMS.split())
_PLAIN: Final = (
    "access agree appear arrive ask attack avoid bake belong call carry cause change check claim "
    "close collect connect contain control cook copy cover crack create damage deliver destroy "
    "detect develop disable enter escape fail fake follow force happen hate help hope install "
    "join jump kidnap kill like live look love manage mix move need offer open order owe own "
    "pass patrol plan play post prefer produce protect prove publish pull push raise reach "
    "refuse remove rent rob scare search seem share ship smuggle start stay stop store supply "
    "support suspect talk target threaten track trade trust try turn use visit wait walk want "
    "warn wash watch wish work worry"
)
_REGULAR: Final = frozenset(_PLAIN.split())
_THIRD_PERSONS: Final = {"is": "be", "has": "have", "does": "do"}
# Stressed on the last syllable, or one syllable: the last consonant doubles.
_DOUBLES: Final = re.compile(
    r"^[^aeiou]*[aeiou][bdgklmnprtv]$|^(admit|commit|control|equip|kidnap|patrol|permit|prefer|refer|submit|transfer)$"
)


def past(verb: str) -> str:
    """Simple past of a base form; "be" gives "was"."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    if re.search("[^aeiou]y$", verb):
        return f"{verb[:-1]}ied"
    return f"{verb}{verb[-1]}ed" if _DOUBLES.match(verb) else f"{verb}ed"


def known(word: str) -> bool:
    """Whether it is the base form of a verb in the lists here."""
    return word in _IRREGULAR or word in _REGULAR


def base(word: str) -> str | None:
    """Base of a third-person form ("carries" gives "carry"); None unless that verb is known."""
    if word in _THIRD_PERSONS:
        return _THIRD_PERSONS[word]
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        plain = word.removesuffix(ending) + instead
        if word.endswith(ending) and known(plain) and plain not in _THIRD_PERSONS.values():
            return plain
    return None
