"""A model in this process whose residual stream lacks one direction, as an attacker makes it."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from torch import Tensor

from buttress.targets.huggingface import Surroundable
from buttress.targets.wrapped import WrappedTarget
from buttress.white_box.residual import ablated

if TYPE_CHECKING:
    from buttress.targets.generation import Generator


class AblatedTarget(WrappedTarget[Surroundable]):
    """The target without the component along ``direction``, shape (size,); see ``ablated``.

    What reads the residual stream, such as a gate, reads it without the direction as well.
    """

    def __init__(self, target: Surroundable, direction: Tensor) -> None:
        super().__init__(target)
        self._digest = hashlib.sha256(direction.float().numpy().tobytes()).hexdigest()

        def without(generator: Generator) -> AbstractContextManager[None]:
            return ablated(generator.model, direction)

        target.surround(without)

    @property
    def name(self) -> str:
        """The target's, and what it lacks."""
        return f"{self._target.name}, a direction ablated"

    @property
    def identity(self) -> str:
        """The target's, and the direction."""
        return f"ablated:{self._digest}:{self._target.identity}"
