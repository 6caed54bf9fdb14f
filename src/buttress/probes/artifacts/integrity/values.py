"""Statistics of one tensor in one pass over its bytes, a few megabytes at a time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from buttress.probes.artifacts.integrity.payloads import Payload, Searcher
from buttress.probes.artifacts.integrity.tensors import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECE: Final = 4 << 20
_WINDOW: Final = 64 << 10  # bytes of exponents whose entropy is taken together
_WIDTH: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_RANDOM: Final = 7.9  # bits of entropy of a byte; a window of random bytes has 7.997
_HUGE: Final = 1e18
_TINY: Final = 1e-25


@dataclass(slots=True)
class Values:
    """``huge``: share of finite values beyond 1e18; ``tiny``: other than zero and below 1e-25.

    ``random``: offset in the tensor of the first 64 KB of leading bytes, where sign and exponent
    lie, that are as good as random. Trained weights have 2 to 5 bits of entropy there.
    """

    count: int = 0
    nan: int = 0
    infinite: int = 0
    zero: int = 0
    huge: float = 0.0
    tiny: float = 0.0
    least: float = float("inf")
    largest: float = float("-inf")
    least_huge: float = float("inf")  # of absolute values
    largest_huge: float = float("-inf")
    random: int | None = None
    digest: str = ""
    payloads: list[Payload] = field(default_factory=list)
    numeric: bool = False

    @property
    def masking(self) -> bool:
        """Whether all that is not finite is infinity, and the rest one number, as in a mask."""
        return self.infinite > 0 and not self.nan and self.least >= self.largest

    @property
    def one_huge(self) -> bool:
        """Whether all huge values are one number: the least that a type has, as in a mask."""
        return self.least_huge >= self.largest_huge

    @property
    def constant(self) -> bool:
        """Whether all values are the same number."""
        return self.numeric and self.count > 0 and self.least == self.largest and not self.nan


def measure(descriptor: int, tensor: Tensor) -> Values:
    """Read the tensor from an open file.

    Raises:
        OSError: it can't be read.
    """
    values = Values(numeric=tensor.dtype in _WIDTH)
    searcher, state = Searcher(), hashlib.sha256()
    huge, tiny, at, finite = 0, 0, 0, 0
    exponents = _Exponents(_WIDTH.get(tensor.dtype, 1))
    while at < tensor.length:
        data = os.pread(descriptor, min(_PIECE, tensor.length - at), tensor.offset + at)
        if not data:
            break
        state.update(data)
        searcher.feed(data)
        if values.numeric:
            exponents.feed(data, at)
            counted = _count(values, _numbers(data, tensor.dtype))
            huge, tiny, finite = huge + counted[0], tiny + counted[1], finite + counted[2]
        at += len(data)
    if finite:
        values.huge, values.tiny = huge / finite, tiny / finite
    values.random = exponents.random
    values.payloads = searcher.found
    values.digest = state.hexdigest()
    return values


def _numbers(data: bytes, dtype: str) -> NDArray[Any]:
    import numpy as np

    data = data[: len(data) // _WIDTH[dtype] * _WIDTH[dtype]]
    if dtype == "BF16":
        wide: NDArray[Any] = np.frombuffer(data, "<u2").astype("<u4")
        wide <<= 16
        return wide.view("<f4")
    if dtype == "F16":
        return np.frombuffer(data, "<f2").astype("<f4")
    return np.frombuffer(data, "<f8" if dtype == "F64" else "<f4")


def _count(values: Values, numbers: NDArray[Any]) -> tuple[int, int, int]:
    """Add to the counts; gives how many are huge, how many tiny, of how many that are finite."""
    import numpy as np

    values.count += numbers.size
    finite = np.isfinite(numbers)
    if not finite.all():
        nan = int(np.isnan(numbers).sum())
        values.nan += nan
        values.infinite += numbers.size - int(np.count_nonzero(finite)) - nan
        numbers = numbers[finite]
    if not numbers.size:
        return 0, 0, 0
    size: NDArray[np.floating[Any]] = np.abs(numbers)
    zeros = numbers.size - int(np.count_nonzero(numbers))
    values.zero += zeros
    values.least = min(values.least, float(numbers.min()))
    values.largest = max(values.largest, float(numbers.max()))
    huge = size[size > _HUGE]
    if huge.size:
        values.least_huge = min(values.least_huge, float(huge.min()))
        values.largest_huge = max(values.largest_huge, float(huge.max()))
    return huge.size, int(np.count_nonzero(size < _TINY)) - zeros, numbers.size


class _Exponents:
    """Entropy of the bytes that hold sign and exponent, window by window."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.random: int | None = None

    def feed(self, data: bytes, offset: int) -> None:
        import numpy as np

        if self.random is not None:
            return
        leading = np.frombuffer(data, np.uint8)[self._width - 1 :: self._width]
        for begin in range(0, leading.size - _WINDOW // 4 + 1, _WINDOW):
            window = leading[begin : begin + _WINDOW]
            counts = np.bincount(window, minlength=256)
            shares = counts[counts > 0] / window.size
            if -float((shares * np.log2(shares)).sum()) > _RANDOM:
                self.random = offset + begin * self._width
                return
