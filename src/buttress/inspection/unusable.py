"""Probes of plugins that fail: named in the coverage and left out, instead of ending the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from buttress import extension
from buttress.errors import DEBUG_HINT, ButtressError, PluginError, debugging, describe_exception
from buttress.evidence.findings import Finding, Inspection

if TYPE_CHECKING:
    from buttress.protocols.inspection import InspectionContext
    from buttress.protocols.probe import InspectionProbe


class UnusableProbe:
    """Stands for a probe that can't be loaded; its inspection raises the error."""

    version = ""
    kinds: tuple[str, ...] = ()

    def __init__(self, name: str, error: PluginError) -> None:
        self.id = name
        self.title = "can't be loaded"
        self.error = error

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Raise the error.

        Raises:
            PluginError: always.
        """
        del context
        raise self.error


def load_inspection(name: str) -> InspectionProbe:
    """The probe of that name, or an ``UnusableProbe`` where it can't be loaded."""
    try:
        probe: InspectionProbe = extension.load("probes", name)
    except PluginError as error:
        if debugging():
            raise
        return UnusableProbe(name, error)
    return probe


def ends_the_run(probe: InspectionProbe, error: BaseException) -> bool:
    """Whether the error is one of the user's, told by a probe of our own.

    From a plugin's probe the same error would name nothing that the user gave us.
    """
    own = type(probe).__module__.partition(".")[0] == "buttress"
    return own and isinstance(error, ButtressError) and not isinstance(error, PluginError)


def failed_inspection(probe: str, version: str, asset: str, error: BaseException) -> Inspection:
    """What is recorded of an inspection that raised ``error``: nothing was read.

    Raises:
        BaseException: ``error`` itself, where ``BUTTRESS_DEBUG`` is 1.
    """
    if debugging():
        raise error
    return Inspection(probe, version, asset, files=0, bytes=0, skipped=(failure_of(error),))


def failure_of(error: BaseException) -> str:
    """Why a probe is left out, in one line."""
    if isinstance(error, PluginError):
        return str(error)
    return f"the probe failed ({describe_exception(error)}): take it as not inspected; {DEBUG_HINT}"
