"""What Keras and its sister packages offer that a model needs none of.

A configuration may name any function of Keras, and the versions before 3.15 call most of them:
files are fetched, unpacked and unpickled, and the protection against code is switched off, without
one name from outside of Keras (CVE-2025-8747, CVE-2025-9905, CVE-2025-9906, CVE-2025-12058,
CVE-2025-12060).
"""

from __future__ import annotations

import re
from typing import Final

from buttress.evidence.findings import Severity
from buttress.probes.artifacts.formats.keras_names import is_activation, is_known

_OWN: Final = (
    "keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "keras_hub", "keras_nlp",
    "keras_cv",
)  # fmt: skip
# Those whose classes are listed; of the sister packages only the names of the packages are known.
_LISTED: Final = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_SISTERS: Final = frozenset(("keras", "keras_hub", "keras_nlp", "keras_cv", "keras_rs"))
_REACHING: Final[dict[str, tuple[Severity, str]]] = {
    "get_file": ("critical", "fetches and unpacks a file"),
    "enable_unsafe_deserialization": ("critical", "switches off the protection against code"),
    "SafeModeScope": ("critical", "switches off the protection against code"),
    "set_global_attribute": ("critical", "can switch off the protection against code"),
    "func_load": ("critical", "makes a function from bytecode"),
    "LazyModule": ("critical", "imports any module"),
    "load_model": ("critical", "loads another model"),
    "load_model_from_hdf5": ("critical", "loads another model"),
    "load_from_preset": ("high", "fetches and loads another model"),
    "from_preset": ("high", "fetches and loads another model"),
    "extract_archive": ("high", "unpacks an archive"),
    "clone_model": ("high", "makes a model anew by functions that are looked up by name"),
    "model_from_json": ("high", "makes a model from another configuration"),
    "model_from_config": ("high", "makes a model from another configuration"),
    "deserialize_keras_object": ("high", "makes any object from another configuration"),
    "save_model": ("high", "writes a file"),
    "image_dataset_from_directory": ("high", "reads files"),
    "text_dataset_from_directory": ("high", "reads files"),
    "audio_dataset_from_directory": ("high", "reads files"),
    "load_img": ("high", "reads a file"),
    "TorchModuleWrapper": ("high", "unpickles a PyTorch module"),
    "TFSMLayer": ("high", "loads a SavedModel, which may hold any code"),
    "JaxLayer": ("high", "runs a function of the program"),
    "FlaxLayer": ("high", "runs a module of the program"),
}
# Parts of a module's name below which Keras keeps what reaches files, the network and settings.
_TOOLS: Final = frozenset(
    (
        "utils", "saving", "config", "export", "callbacks", "datasets", "distribution", "tree",
        "visualization", "trainers", "preprocessing", "wrappers", "file_utils", "io_utils",
        "preset_utils", "global_state",
    )
)  # fmt: skip
_FILES: Final = re.compile(r"(?:\w+\.)?_?(?:load|save|download|upload|extract|fetch|delete)_\w+\Z")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*\Z")
# tf_keras registers its own optimisers as custom objects; no other class.
_OPTIMISERS: Final = frozenset(
    ("SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam",
     "Ftrl", "Lion")
)  # fmt: skip


def is_own(module: str) -> bool:
    """Whether the module is, by its name, one of Keras or of a sister package."""
    return any(module == own or module.startswith(f"{own}.") for own in _OWN)


def reaches(name: str) -> tuple[Severity, str] | None:
    """How grave it is to call what Keras has under that name, and what it does."""
    return _REACHING.get(name.rpartition(".")[2])


def judged(module: str, called: str, *, function: bool) -> tuple[Severity, str] | None:
    """What is wrong with a name of ``module``, which is Keras' own by its name.

    Args:
        function: it is called, and not made as a class.

    Returns:
        A severity and the end of a sentence, None for what models are made of.
    """
    if found := reaches(called):
        return found[0], f"which {found[1]}"
    if not any(module == own or module.startswith(f"{own}.") for own in _LISTED):
        if not _PLAIN.match(called) or _FILES.match(called):
            return "high", "which is no part of a model"
        return None
    if _PLAIN.match(called) and is_known(called):
        return None
    if (function or called[:1].islower()) and _TOOLS & set(module.split(".")[1:]):
        return "high", "a tool that no model needs, in a place where Keras reaches files and more"
    return "medium", "which Keras does not have as a part of models: it may be code of others"


def is_harmless_lambda(module: str | None, function: str) -> bool:
    """Whether a Lambda layer that calls this by name is an activation of Keras."""
    return is_activation(function) and (module in (None, "builtins") or is_own(str(module)))


def is_foreign(registered: str, name: str, called: str) -> bool:
    """Whether a registered name is one of a program, for a class or function of Keras.

    Keras looks such a name up before the module; for its own it writes none, or the class's name.
    """
    if registered in (name, called):
        return False
    package, mark, last = registered.rpartition(">")
    if not mark:
        return True
    if package.partition(".")[0] in _SISTERS:
        return last not in (name, called)
    return not (package == "Custom" and last == name and name in _OPTIMISERS)
