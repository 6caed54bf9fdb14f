"""What trials draw on: prompts, judge and targets, as the manifest names them."""

from __future__ import annotations

from collections.abc import Sequence

from buttress import extension
from buttress.judges.base import Judge
from buttress.prompts.base import Prompt
from buttress.system.model import System


def prompts(system: System) -> list[Prompt]:
    """All prompts of the sets that the manifest names, in its languages.

    Raises:
        InputError: a set's file is malformed or missing.
    """
    from buttress.prompts.pack import load_pack
    from buttress.prompts.public import load_public

    found: list[Prompt] = []
    for source in system.prompts:
        if source.set == "buttress":
            found += load_pack(languages=system.languages)
        else:
            found += load_public(source.set, source.path, split=source.split)
    return found


def judge(system: System) -> Judge:
    """The judge that the manifest names.

    Raises:
        InputError: no such judge, or its calibration file or target is not usable.
    """
    settings = system.judge
    create = extension.load("judges", settings.id)
    arguments: dict[str, object] = {}
    if settings.calibration is not None:
        arguments["calibration"] = settings.calibration
    if settings.target is not None:
        from buttress.targets.open import open_target

        arguments["target"] = open_target(settings.target, base=system.base)
    made: Judge = create(**arguments)
    return made


def select(only: Sequence[str] | None) -> list[str]:
    """Ids of the probes to run: all registered ones, or those in ``only``.

    Raises:
        InputError: a name in ``only`` is not registered.
    """
    registered = extension.names("probes")
    if only is None:
        return list(registered)
    for name in only:
        extension.load("probes", name)
    return list(dict.fromkeys(only))
