"""Lines over layers: ends of the axis, and layers without a figure."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.report.layer_plot import layer_plot


def test_figures_lie_between_the_ends_and_missing_ones_are_not_drawn() -> None:
    found = layer_plot({"first": [None, 0.5, 1.0], "second": [0.0, 0.0, 0.0]}, level=0.5)
    (first, second) = re.findall(r'<polyline class="\w+" points="([^"]*)"', found.svg)
    assert first == "500.0,100.0 1000.0,0.0"
    assert second == "0.0,200.0 500.0,200.0 1000.0,200.0"
    assert '<line class="level" x1="0" y1="100.0"' in found.svg
    assert [tick.text for tick in found.across] == ["0", "1", "2"]
    assert [tick.text for tick in found.up] == ["0.00", "0.25", "0.50", "0.75", "1.00"]


def test_one_layer_and_none_at_all_are_drawn_without_fail() -> None:
    assert layer_plot({"first": [2.0]}).across[0].text == "0"
    assert "polyline" in layer_plot({"first": [None, None]}).svg


@pytest.mark.parametrize(
    ("figures", "ticks"),
    [
        ([0.0, 2.93], ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]),
        ([-4.7, 0.0], ["-5", "-4", "-3", "-2", "-1", "0"]),
        ([-280.2, -233.7], ["-290", "-280", "-270", "-260", "-250", "-240", "-230"]),
        ([0.0012, 0.0019], ["0.0012", "0.0014", "0.0016", "0.0018", "0.0020"]),
        ([7.0, 7.0], ["7.00", "7.25"]),
    ],
)
def test_ticks_are_round_numbers(figures: list[float], ticks: list[str]) -> None:
    assert [tick.text for tick in layer_plot({"first": figures}).up] == ticks


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=8))
def test_every_figure_lies_on_the_drawing(figures: list[float]) -> None:
    found = layer_plot({"first": figures})
    low, high = float(found.up[0].text), float(found.up[-1].text)
    slack = 1e-3 * max(abs(low), abs(high), 1e-30)
    assert all(low - slack <= figure <= high + slack for figure in figures)
    assert 2 <= len(found.up) <= 9
