"""Attacks that need the weights: what an owner of the model, or a thief, can do to its safety.

They measure the user's own open-weights model. Everything works on a causal language model of
transformers that is already loaded (``loading.load``).
"""

from importlib.util import find_spec

from buttress.errors import MissingExtraError

if find_spec("torch") is None or find_spec("transformers") is None:
    raise MissingExtraError("a white-box attack", "local")
