"""Changed assumptions: ``PATH=VALUE`` over the catalogue, to see what a change would be worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from buttress.errors import InputError
from buttress.risk.catalogue import Catalogue, Range, Risk

_MODEL: Final = {"cap": "cap", "shared_cause": "shared_cause", "common_years": "common"}
_NUMBER: Final = "a number above 0, or [low, high] with low below high"
_MOST: Final = 1e15
_PATHS: Final = (
    "requests_per_day, cap, shared_cause, common_years, RISK.frequency, RISK.loss.median, "
    "RISK.loss.p95, RISK.loss.max or RISK.BARRIER"
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The catalogue and the requests a day that losses are reckoned with."""

    catalogue: Catalogue
    requests_per_day: float

    def changed(self, settings: Iterable[str]) -> Assumptions:
        """The same with ``PATH=VALUE`` settings put over them, in their order.

        A value is a number, or a 90 % range ``[low, high]``. A barrier that is set has that
        failure probability whatever evidence there is.

        Raises:
            InputError: naming the setting.
        """
        found = self
        for setting in settings:
            path, equals, text = setting.partition("=")
            if not equals:
                raise _error(setting, "has no '='", "PATH=VALUE")
            found = _apply(found, setting, path.strip(), _parse(setting, text))
        return found


def _error(setting: str, problem: str, expected: str) -> InputError:
    return InputError(f"{setting} {problem}", field="--set", expected=expected)


def _parse(setting: str, text: str) -> Range:
    """A number as the range of it alone."""
    texts = text.strip().removeprefix("[").removesuffix("]").split(",")
    try:
        low, high = float(texts[0]), float(texts[-1])
    except ValueError:
        low, high = 0.0, 0.0
    if len(texts) > 2 or not 0 < low <= high < _MOST:
        raise _error(
            setting,
            "is no number to reckon with",
            "a number above 0, or [low, high] with low below high",
        )
    return low, high


def _single(setting: str, value: Range) -> float:
    if value[0] != value[1]:
        raise _error(setting, "is a range", "one number")
    return value[0]


def _apply(known: Assumptions, setting: str, path: str, value: Range) -> Assumptions:
    if path == "requests_per_day":
        return replace(known, requests_per_day=_single(setting, value))
    catalogue = known.catalogue
    if path in _MODEL:
        number = _single(setting, value)
        if path == "shared_cause" and number > 1:
            raise _error(setting, "is no probability", "a number up to 1")
        changes: dict[str, Any] = {_MODEL[path]: number}
        model = replace(catalogue.model, **changes)
        return replace(known, catalogue=replace(catalogue, model=model))
    name, _, field = path.partition(".")
    if name not in catalogue.risks or not field:
        raise _error(setting, "names nothing that can be set", _PATHS)
    risk = _changed(catalogue.risks[name], setting, field.removeprefix("barriers."), value)
    risks = {**catalogue.risks, name: risk}
    return replace(known, catalogue=replace(catalogue, risks=risks))


def _changed(risk: Risk, setting: str, field: str, value: Range) -> Risk:
    if field.startswith("frequency"):
        unit = "per_year" if risk.per_year is not None else "per_request"
        if field not in ("frequency", f"frequency.{unit}"):
            raise _error(setting, f"is not how '{risk.id}' is counted", f"frequency.{unit}")
        if unit == "per_request" and value[1] > 1:
            raise _error(setting, "is no share of requests", "a number up to 1")
        return replace(risk, per_year=value) if risk.per_year else replace(risk, per_request=value)
    if field.startswith("loss."):
        median, p95 = risk.loss
        number = _single(setting, value)
        if field == "loss.max":
            return replace(risk, most=number)
        if field == "loss.median":  # the same shape, shifted
            return replace(risk, loss=(number, p95 * number / median))
        if field == "loss.p95" and number >= median:
            return replace(risk, loss=(median, number))
        raise _error(setting, "can't be set", "loss.median, loss.p95 ≥ the median, or loss.max")
    names = [barrier.id for barrier in risk.barriers]
    if field not in names:
        raise _error(
            setting, f"names no barrier of '{risk.id}'", ", ".join(["frequency", "loss.…", *names])
        )
    if value[1] >= 1:
        raise _error(setting, "is no probability of failure", "a number below 1")
    barriers = tuple(
        replace(barrier, failure=value, probe=None) if barrier.id == field else barrier
        for barrier in risk.barriers
    )
    return replace(risk, barriers=barriers)
