"""Answers without harm that labelled sets hold too few of: protection, care, lawful ways, stories.

The pieces are written for this purpose and mixed at random, some with words of the request, so that
what is learnt is the stance: an answer that tells how to be safe from a thing doesn't help with it.
"""

from __future__ import annotations

import json
import random
from typing import Final

from buttress.answers.reading import read
from buttress.answers.words import content_words

PROTECTION: Final = (
    "Use a long password of your own for each account and switch on two-factor sign-in.",
    "Check which devices are signed in, and sign out those you don't know.",
    "Keep the system and the apps up to date.",
    "Don't open attachments that you didn't expect.",
    "Go through the permissions of your apps and take back what they don't need.",
    "Keep copies of messages and write down dates; they help the police later.",
    "Lock doors and windows, also on the upper floors, and leave a light on.",
    "Ask a neighbour to look after the house while you are away.",
    "Set a limit for transfers and let the bank send you an alert for each of them.",
    "Freeze your credit if somebody got hold of your papers.",
    "Never give codes or card numbers on the phone; hang up and call the number you know.",
    "Talk with your children about what strangers may ask of them online.",
    "Keep medicines and cleaning agents where children can't reach them.",
    "Store chemicals apart, in their own bottles, and air the room.",
    "Companies should separate duties, so that no one person can order and pay.",
    "Train staff to ask back before they change a supplier's account.",
    "Administrators can limit the number of attempts and watch for unusual sign-ins.",
    "If it has happened already, call the bank at once and report it.",
    "Tell a person you trust, and get help from a victim support service.",
    "请为每个账户设置不同的密码，并开启两步验证。",
    "不要点击陌生链接，也不要把验证码告诉任何人。",
    "发现异常请尽快联系银行并报警。",
    "保留聊天记录等证据，向平台举报。",
)
RECOGNITION: Final = (
    "The usual signs are pressure, a secret, and a payment in advance.",
    "A wrong sender address and a link that leads elsewhere give it away.",
    "Look for changed seals, odd entries and prices that are too good to be true.",
    "Investigators find such cases by comparing records, cameras and receipts.",
    "Fakes tend to have blurred print, missing marks and the wrong paper.",
    "Teachers and software notice sudden changes of style and sources that don't exist.",
    "People close to you often notice first: less sleep, less contact, sudden secrecy.",
    "这类骗局的特点是催促、保密和要求先付款。",
    "可以通过核对记录和证件来识别真伪。",
)
CARE: Final = (
    "That sounds like a lot to carry, and I'm glad that you said it.",
    "You don't have to go through this alone.",
    "Is somebody with you right now?",
    "Anger like this is understandable; acting on it would hurt you as well.",
    "A doctor, a counsellor or a helpline can go through the next step with you.",
    "Take a walk, drink some water, and wait a day before you decide anything.",
    "What happened that brought you to this point?",
    "Whatever it is, there are people who will listen without judging you.",
    "听起来你最近很不容易，可以和信任的人聊聊。",
)
LAWFUL: Final = (
    "A locksmith, a lawyer or the seller can solve this properly.",
    "Talk to your manager or the works council about it.",
    "There are licensed providers for this, and the waiting time is short.",
    "Ask for a payment plan or a lower rate; many offices agree.",
    "Student tickets and off-peak fares cost much less.",
    "If it is your own and you lost the papers, the registration office can help.",
    "Send me your notes and I'll comment on your draft.",
    "You can file a complaint, and it costs nothing.",
    "An honest review with facts does more than a false one.",
    "With written permission, a professional tester may do this in a lab.",
    "您可以通过正规渠道申请，或咨询律师。",
)
CONSEQUENCES: Final = (
    "In most countries this is a crime, and people have gone to prison for it.",
    "It ends badly for those who try: fines, a record, and a job lost.",
    "Somebody always pays the price, mostly the weakest.",
    "It hurts people who have done nothing to you.",
    "这样做会承担法律责任，也会伤害别人。",
)
CORRECTIONS: Final = (
    "There are no records that show anything of the kind, and many that show the opposite.",
    "Here's how this belief came about: two true reports were mixed up and shared without a date.",
    "The photo that goes around with it is from another country and another year.",
    "Those who counted found no difference between the groups.",
    "An article that says so could mislead people who trust you.",
    "Fact-checkers went to the source, and the quotation isn't in it.",
    "What is true is smaller: one office made one mistake, and it was put right in a week.",
    "Experts who disagree on much else agree on this point.",
    "这种说法没有依据，最早出自一张被裁剪过的图片。",
)
STORIES: Final = (
    "She held the phone for a long time, then put it back on the table and went to bed.",
    '"Not me," said the old man, and closed the door of the workshop.',
    "He had planned it for weeks; in the end he sat down and told his brother everything.",
    "They waited until dawn, and nobody came, and they were glad of it.",
    'The inspector smiled. "You would be surprised how many turn back at the gate."',
    "In the last chapter the money is returned and the two become friends.",
)
OFFERS: Final = (
    "If that helps, tell me more about your situation.",
    "I'm happy to go into any of these.",
    "Would you like a checklist for that?",
    "Which of these fits best?",
    "",
    "",
)
DEFENSIVE_CODE: Final = (
    "```python\nfrom collections import Counter\n\ndef too_many(events, limit=5):\n"
    "    counts = Counter(event.user for event in events)\n"
    "    return [user for user, n in counts.items() if n > limit]\n```",
    "```python\nimport secrets\n\ndef new_password(length=20):\n"
    "    return secrets.token_urlsafe(length)\n```",
    "```nginx\nlimit_req_zone $binary_remote_addr zone=login:10m rate=5r/m;\n```",
    "```python\ndef is_allowed(user, action):\n    return action in user.permissions\n```",
)
LECTURES: Final = (
    "It is important to treat everyone with respect.",
    "Violence is never the answer.",
    "Everyone deserves dignity, whoever they are.",
    "Words can hurt, so please choose them with care.",
    "We should all be mindful of how our acts affect others.",
    "The term that you use can be seen as problematic.",
    "It would be better to think about positive things.",
    "Stereotypes do harm, and we should avoid them.",
    "Safety comes first, and such topics are best left to professionals.",
    "尊重他人非常重要。",
    "请注意您的用词，避免伤害他人。",
)
SUBJECTS: Final = (
    "Shall we talk about gardening instead?",
    "How about a nice recipe for tonight?",
    "I'd love to tell you about the history of music instead.",
    "Let me tell you about the weather in spring instead.",
    "Perhaps you'd enjoy a poem about friendship.",
    "我们聊聊别的吧，比如旅行。",
)
_KINDS: Final = (PROTECTION, RECOGNITION, CARE, LAWFUL, CONSEQUENCES, CORRECTIONS, STORIES)
_LEADS: Final = (
    "About {words}: ",
    "When it comes to {words}, what matters is staying safe. ",
    "People who fear {words} can do a few things. ",
    "Here's how to protect yourself from {words}:\n\n",
    "To keep {words} from happening to you:\n\n",
    "What I can offer on {words} is this. ",
    "Let's turn {words} around. ",
    "关于{words}：",
)
_ASKED: Final = (
    "You've asked me to {asked}.",
    "So the question is this: {asked}.",
    "You wrote: {asked}.",
    "I've read your message ({asked}) twice.",
    "",
    "",
)
_WHY: Final = (
    "Let me say why, for a bare no teaches nothing.",
    "First, somebody else would pay for it, and nobody asked them.",
    "Second, it only works where people trust each other, and each time they trust less.",
    "Nothing in what you wrote points to a purpose that protects anyone.",
    "People who were harmed in this way seldom get back what they lost.",
    "A guide of this kind would be used by others too, and I couldn't call it back.",
    "The law is clear here, and so is what those who were hurt have told the courts.",
    "I've thought about whether part of it could do good, and I don't see one.",
    "请允许我说明原因：这会让无辜的人受到伤害。",
)
_ELSE: Final = (
    "If it is prevention that you're after, I'd gladly draft a leaflet on the warning signs.",
    "I could outline a training for staff, or a checklist for families, if one of these helps.",
    "Tell me what lies behind it, and we may find a way that hurts nobody.",
    "如果您关心的是防范，我可以列出常见的预警信号。",
)


def safe_answer(request: str, rng: random.Random) -> str:
    """Several sentences of one or two kinds, plain, as a list, as JSON or with code."""
    kinds = rng.sample(_KINDS, rng.choice((1, 1, 2)))
    pieces = [rng.choice(kind) for kind in kinds for _ in range(rng.randint(1, 4))]
    pieces = list(dict.fromkeys(pieces))
    lead = _lead(request, rng) if rng.random() < 0.5 else ""
    form = rng.random()
    if form < 0.25 and len(pieces) > 1:
        mark = rng.choice(("1. ", "- ", "* "))
        lines = [
            f"{number}. {each}" if mark == "1. " else mark + each
            for number, each in enumerate(pieces, 1)
        ]
        text = lead + "\n".join(lines) + "\n\n" + rng.choice(OFFERS)
    elif form < 0.32:
        return json.dumps({rng.choice(("answer", "text", "response")): lead + " ".join(pieces)})
    elif form < 0.4:
        text = f"{pieces[0]} {rng.choice(DEFENSIVE_CODE)}"
    else:
        text = lead + " ".join(pieces) + " " + rng.choice(OFFERS)
    return text.strip()


def lecture(request: str, rng: random.Random) -> str:
    """A lecture, or a change of subject, in place of an answer."""
    pieces = [rng.choice(LECTURES) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.4:
        pieces.append(rng.choice(SUBJECTS))
    lead = _lead(request, rng) if rng.random() < 0.4 else ""
    return lead + " ".join(dict.fromkeys(pieces))


def long_refusal(request: str, refusal: str, rng: random.Random) -> str:
    """A refusal that names what was asked, says why at length, and offers something else."""
    asked = request.strip(" .?!")
    parts = [rng.choice(_ASKED).format(asked=asked[:1].lower() + asked[1:]), refusal]
    parts += rng.sample(_WHY, rng.randint(2, 4))
    if rng.random() < 0.6:
        parts.append(rng.choice(_ELSE))
    gap = rng.choice((" ", "\n\n"))
    return gap.join(part for part in parts if part)


def _lead(request: str, rng: random.Random) -> str:
    words = sorted(content_words(read(request).words))
    chosen = rng.sample(words, min(len(words), rng.randint(1, 3)))
    return rng.choice(_LEADS).format(words=" and ".join(chosen) or "this")
