"""Options of probes: how a probe names them, and how the command line sets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from buttress.errors import InputError

if TYPE_CHECKING:
    from buttress.protocols.probe import InspectionProbe


@runtime_checkable
class TakesOptions(Protocol):
    """A probe with options.

    ``options`` maps names to what they mean, in a few words. ``with_options`` gives a probe of the
    same kind with these set; values are texts, ``yes`` for a plain switch, and it raises
    ``InputError`` for one that is not usable.
    """

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        ...

    def with_options(self, **values: str) -> Any:
        """The probe with these set; itself is not changed."""
        ...


def on_request(probe: InspectionProbe) -> bool:
    """Whether a probe runs only where it is named: it has ``on_request = True``."""
    return bool(getattr(probe, "on_request", False))


def parse(given: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping; ``NAME`` alone is a switch.

    Raises:
        InputError: one without a name, or a name given twice.
    """
    values: dict[str, str] = {}
    for text in given:
        name, mark, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not name.isidentifier():
            raise InputError(f"'{text}' names no option", field="--set", expected="NAME=VALUE")
        if name in values:
            raise InputError(f"'{name}' is given twice", field="--set", expected="once")
        values[name] = value if mark else "yes"
    return values


def configured(
    probes: Sequence[InspectionProbe], values: Mapping[str, str], where: str | None = "--set"
) -> list[InspectionProbe]:
    """The probes, each with those of the values that it takes; ``where`` names them in errors.

    Raises:
        InputError: an option that none of the probes takes, or a value that one rejects.
    """
    known = {
        name: meaning
        for probe in probes
        if isinstance(probe, TakesOptions)
        for name, meaning in probe.options.items()
    }
    for name in values:
        if name not in known:
            raise InputError(
                f"no probe that runs has an option '{name}'",
                field=where,
                expected="one of " + ", ".join(sorted(known)) if known else "no options",
            )
    return [_with(probe, values) for probe in probes]


def taken(probe: InspectionProbe, values: Mapping[str, str]) -> dict[str, str]:
    """Those of the values that a probe takes."""
    if not isinstance(probe, TakesOptions):
        return {}
    return {name: value for name, value in values.items() if name in probe.options}


def _with(probe: InspectionProbe, values: Mapping[str, str]) -> InspectionProbe:
    own = taken(probe, values)
    if not own or not isinstance(probe, TakesOptions):
        return probe
    made: InspectionProbe = probe.with_options(**own)
    return made
