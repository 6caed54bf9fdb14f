"""Penalised logistic regression against scikit-learn, and groups that are really left out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from buttress.statistics.logistic_regression import fit_logistic, log_loss, log_odds_left_out


def sample(rows: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, size))
    outcomes = (features[:, 0] - features[:, 1] + rng.normal(size=rows) > 0.3).astype(float)
    return features, outcomes


@pytest.mark.parametrize(
    ("rows", "size", "penalty"), [(120, 5, 1.0), (60, 300, 10.0), (40, 9, 0.01)]
)
def test_the_fit_is_scikit_learns(rows: int, size: int, penalty: float) -> None:
    features, outcomes = sample(rows, size)
    found = fit_logistic(features, outcomes, penalty)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(features, outcomes)
    assert found.weights == pytest.approx(theirs.coef_[0], abs=2e-4)
    assert found.bias == pytest.approx(float(theirs.intercept_[0]), abs=2e-4)
    assert found.log_odds(features) == pytest.approx(theirs.decision_function(features), abs=1e-3)


def test_scores_of_a_group_do_not_hang_on_its_own_outcomes() -> None:
    features, outcomes = sample(80, 20)
    groups = [f"g{at % 6}" for at in range(80)]
    found = log_odds_left_out(features, outcomes, groups, 5.0)
    mine = np.array([group in ("g0", "g1") for group in groups])
    other = np.where(mine, 1 - outcomes, outcomes)
    again = log_odds_left_out(features, other, groups, 5.0)
    assert again[mine] == pytest.approx(found[mine])
    assert log_loss(found, outcomes) > log_loss(
        fit_logistic(features, outcomes, 5.0).log_odds(features), outcomes
    )


def test_what_cannot_be_fitted() -> None:
    features, outcomes = sample(10, 2)
    for wrong, message in (
        ((features, np.ones(10), 1.0), "both of them"),
        ((features, outcomes[:5], 1.0), "one length"),
        ((features, outcomes, 0.0), "penalty"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_logistic(*wrong)
    with pytest.raises(ValueError, match="too few groups"):
        log_odds_left_out(features, outcomes, ["a"] * 10, 1.0)
