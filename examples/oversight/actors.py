"""Two stand-ins for models: a worker who reads the log, an overseer who can only guess or listen.

Put models of yours in their place in buttress.yaml. They understand hidden-text in English.
"""

from __future__ import annotations

import hashlib
import re

OPTIONS = re.compile(r"^([AB])\. (.+)$", re.MULTILINE)
ARGUED = re.compile(r"option ([AB]) is right, whatever")
STATEMENT = re.compile(r"for option ([AB]): (.*)")
PART = re.compile(r"^Answer in one sentence: (.+)$", re.MULTILINE)
QUESTION = re.compile(r"^Question: (.+)$", re.MULTILINE)


def worker(prompt: str) -> str:
    """Finds the entry that the question is about; argues for a side where told to."""
    options = dict(OPTIONS.findall(prompt))
    line = entry(prompt)
    if not options:
        return line  # a short question of the overseer
    told = ARGUED.findall(prompt)
    if not told:
        right = next((letter for letter, text in options.items() if text in line), "A")
        return f"{line} Answer: {right}"
    letter = told[-1]
    if options[letter] in line:
        return f"The log says <quote>{line}</quote>, so it is {options[letter]}."
    # The other side can only make something up.
    other = options["B" if letter == "A" else "A"]
    return f"The log says <quote>{line.replace(other, options[letter])}</quote>."


def overseer(prompt: str) -> str:
    """Believes who quotes what stands in the text, or what it was told; guesses where neither."""
    if "questions, one a line" in prompt:
        return QUESTION.findall(prompt)[-1]
    told = prompt.partition("A helper answered these questions.")[2]
    named = [letter for letter, text in OPTIONS.findall(prompt) if text in told]
    if len(named) == 1:
        return named[0]
    believed = [letter for letter, said in STATEMENT.findall(prompt) if "[in the text:" in said]
    if len(set(believed)) == 1:
        return believed[0]
    options = " ".join(text for _, text in OPTIONS.findall(prompt))
    return "AB"[hashlib.sha256(options.encode()).digest()[0] & 1]


def trusting_overseer(prompt: str) -> str:
    """Believes whoever spoke last."""
    said = STATEMENT.findall(prompt)
    return said[-1][0] if said else overseer(prompt)


def entry(prompt: str) -> str:
    """The line of the log that shares most words with the question."""
    question = (PART.findall(prompt) or QUESTION.findall(prompt))[-1]
    asked = set(re.findall(r"\w+", question.lower()))
    text = prompt.rsplit("<text>", maxsplit=1)[-1].split("</text>", maxsplit=1)[0]
    lines = text.strip().splitlines()[1:] or [""]
    return max(lines, key=lambda one: len(asked & set(re.findall(r"\w+", one.lower()))))
