"""A target that repeats the question, or refuses it: in a manifest

{kind: model, target: shouting-parrot, settings: {prefix: "You said: ", refuses: [bomb]}}
"""

from collections.abc import Sequence

from buttress.ext import Answer, Request, takes_settings


class Parrot:
    """Answers with the last message after ``prefix``; refuses what holds a word of ``refuses``."""

    name = "parrot"
    stable = True  # the same identity always gives the same answers
    concurrency = 16

    def __init__(self, prefix: str, refuses: Sequence[str]) -> None:
        self._prefix = prefix
        self._refuses = [word.lower() for word in refuses]
        self.identity = f"parrot:{prefix}:{'|'.join(self._refuses)}"

    async def answer(self, request: Request) -> Answer:
        """One answer; raise ``TargetError`` where there is none."""
        text = request.messages[-1].content
        if any(word in text.lower() for word in self._refuses):
            return Answer("I'm sorry, but I can't help with that.")
        return Answer(self._prefix + text)

    async def aclose(self) -> None:
        """Nothing to release."""


@takes_settings(
    {
        "prefix": {"type": "string", "description": "words before each answer"},
        "refuses": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "a list of words of questions that are refused",
        },
    }
)
def create(prefix: str = "", refuses: Sequence[str] = ()) -> Parrot:
    """The target with these settings, which have been checked against the schema."""
    return Parrot(prefix, refuses)
