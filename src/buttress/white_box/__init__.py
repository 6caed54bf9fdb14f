"""Attacks that need the weights: what an owner of the model, or a thief, can do to its safety.

They measure the user's own open-weights model. Everything works on a causal language model of
transformers that is already loaded (``loading.load``). Importing the package needs neither torch nor
transformers; ``need_torch`` says in one line that they are missing.
"""

from importlib.util import find_spec

from buttress.errors import MissingExtraError
from buttress.processes import let_waiting_threads_sleep


def need_torch(capability: str = "a white-box attack") -> None:
    """Check that torch and transformers are installed, before they are loaded.

    Raises:
        MissingExtraError: they are not.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtraError(capability, "local")
    let_waiting_threads_sleep()
