"""Lines over layers: ends of the axis, and layers without a figure."""

from __future__ import annotations

import re

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
