"""Training of adapters: objectives, the loop with its checkpoints, differential privacy.

Importing the package needs neither torch nor peft; ``need_training`` says in one line that they
are missing.
"""

from importlib.util import find_spec

from buttress.errors import MissingExtraError
from buttress.processes import let_waiting_threads_sleep


def need_training(capability: str = "tuning a model") -> None:
    """Check that torch, transformers and peft are installed.

    Raises:
        MissingExtraError: one of them is not.
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "peft")):
        raise MissingExtraError(capability, "tune")
    let_waiting_threads_sleep()


def need_trl() -> None:
    """Check that TRL and datasets are installed.

    Raises:
        MissingExtraError: one of them is not.
    """
    if any(find_spec(name) is None for name in ("trl", "datasets")):
        raise MissingExtraError("training a reward model, or by one", "rl")
