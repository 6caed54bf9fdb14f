"""A target that is asked to go on from words put into its mouth; see ``prefill``. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import replace

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, Target
from buttress.targets.wrapped import WrappedTarget


class PrefilledTarget(WrappedTarget[Target]):
    """A target that is asked to go on from ``start`` in place of beginning an answer.

    The conversation gets a last message of the assistant. That is continued by some chat endpoints
    by themselves, and by vLLM and alike when the target is opened with ``extra:
    {add_generation_prompt: false, continue_final_message: true}``. Others take it as an earlier
    turn and begin anew: then this measures a turn in the history, which is a weaker attack, and
    nothing in the answer tells the two apart for certain.

    Raises:
        InputError: nothing to begin with, or it ends with white space, which endpoints refuse.
    """

    def __init__(self, target: Target, start: str) -> None:
        if not start or start != start.rstrip():
            raise InputError(
                f"{start!r} is not usable", field="start", expected="text without space at its end"
            )
        super().__init__(target)
        self._start = start

    @property
    def name(self) -> str:
        """The target's, and that it is prefilled."""
        return f"{self._target.name}, prefilled"

    @property
    def identity(self) -> str:
        """The target's, and the text."""
        return f"prefilled:{self._start!r}:{self._target.identity}"

    async def answer(self, request: Request) -> Answer:
        """The whole answer, ``start`` included, whether or not the endpoint repeats it.

        Raises:
            TargetError: no answer.
        """
        messages = (*request.messages, Message("assistant", self._start))
        made = await self._target.answer(replace(request, messages=messages))
        if made.text.lstrip().startswith(self._start):
            return made
        joint = "" if not made.text or made.text[0] in " \n,.;:!?" else " "
        return replace(made, text=f"{self._start}{joint}{made.text}")
