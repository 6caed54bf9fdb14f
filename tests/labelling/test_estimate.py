"""From labels in a store to a rate: what counts as drawn, as known, as undecided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.records import Label, Trial
from buttress.labelling.estimate import LabelledRate, corrected_rate, rate_of
from buttress.labelling.sample import SKIPPED, Sample, population
from tests.labelling.stores import HELP, REFUSAL, trials


def scored(scores: list[float]) -> list[Trial]:
    made = trials([HELP] * len(scores))
    return [
        replace(trial, score=score, outcome=float(score >= 0.5))
        for trial, score in zip(made, scores, strict=True)
    ]


def label(trial: Trial, outcome: float, chance: float = 1.0, note: str = "") -> Label:
    return Label(
        trial.key, trial.probe, trial.asset, trial.item, outcome, "me", chance, note, run="run-1"
    )


def labelled(given: list[Trial], truth: dict[str, float], count: int, seed: int = 0) -> Sample:
    sample = Sample(population(given))
    for _ in range(count):
        draw = sample.next(seed)
        assert draw is not None
        sample.add(label(draw.trial, truth[draw.trial.key], draw.chance))
    return sample


def random_store(size: int, seed: int) -> tuple[list[Trial], dict[str, float]]:
    chance = np.random.default_rng(seed)
    made = scored([round(float(x), 3) for x in chance.beta(0.4, 0.6, size)])
    return made, {trial.key: float(chance.random() < trial.score) for trial in made}


def test_labels_of_a_sample_are_recognised_as_drawn_when_read_again() -> None:
    made, truth = random_store(60, 0)
    sample = labelled(made, truth, 25)
    again = corrected_rate(reversed(made), [found for _, found in sample.labels])
    assert again == rate_of(sample)
    assert (again.drawn, again.known, again.labels) == (25, 0, 25)
    assert again.here.low <= np.mean(list(truth.values())) <= again.here.high
    assert again.effective is not None


def test_a_grown_population_keeps_labels_as_known_and_draws_on() -> None:
    made, truth = random_store(60, 1)
    early = labelled(made[:40], {key: truth[key] for key in truth}, 10)
    grown = Sample(population(made), [found for _, found in early.labels])
    assert rate_of(grown).known == 10
    draw = grown.next(0)
    assert draw is not None
    grown.add(label(draw.trial, 1.0, draw.chance))
    said = rate_of(grown)
    assert (said.drawn, said.known) == (1, 10)


def test_a_later_label_takes_the_place_of_the_first_and_keeps_its_chance() -> None:
    made, truth = random_store(30, 2)
    sample = labelled(made, truth, 8)
    trial, first = sample.labels[3]
    before = rate_of(sample)
    sample.add(label(trial, 1 - first.outcome, chance=1.0))
    after = rate_of(sample)
    assert (after.drawn, after.labels) == (before.drawn, before.labels)
    assert after.here.estimate != before.here.estimate
    sample.add(label(trial, first.outcome))
    assert rate_of(sample) == before


def test_what_could_not_be_told_widens_both_bounds() -> None:
    made, truth = random_store(40, 3)
    told = labelled(made, truth, 20)
    found = [each for _, each in told.labels]
    told_not = [replace(found[0], outcome=0.5, note=SKIPPED), *found[1:]]
    sure, unsure = corrected_rate(made, found), corrected_rate(made, told_not)
    assert unsure.skipped == 1
    assert unsure.here.low <= sure.here.low + 1e-9
    assert unsure.here.high >= sure.here.high - 1e-9
    assert unsure.here.width > sure.here.width


def test_exact_outcomes_doubles_and_strangers_are_left_out() -> None:
    made = trials([HELP, REFUSAL, HELP])
    checked = [replace(trial, key="c" + trial.key, judge="check") for trial in made]
    stranger = label(replace(made[0], key="other"), 1.0)
    said = corrected_rate([*made, *checked, *made], [stranger, label(made[0], 1.0)])
    assert (said.trials, said.labels) == (3, 1)


def test_no_trials_and_no_labels() -> None:
    said = corrected_rate([], [])
    assert (said.trials, said.labels) == (0, 0)
    assert (said.system.low, said.system.high) == (0, 1)
    assert said.effective is None


def test_all_labels_give_the_share_itself() -> None:
    made, truth = random_store(20, 4)
    said = rate_of(labelled(made, truth, 20))
    share = np.mean(list(truth.values()))
    assert (said.here.low, said.here.high) == pytest.approx((share, share), abs=1e-6)
    assert said.labels_only.estimate == pytest.approx(share)
    assert said.system.low < share < said.system.high


def test_a_good_judge_is_worth_labels() -> None:
    """Same trials and labels; with the judge's scores the interval is narrower."""
    gains: list[float] = []
    for seed in range(5):
        made, truth = random_store(300, 10 + seed)
        said: LabelledRate = rate_of(labelled(made, truth, 60, seed))
        assert said.effective is not None
        gains.append(said.effective / 60)
        assert said.here.width < said.labels_only.width
    assert np.mean(gains) > 1.3


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.lists(
        st.tuples(
            st.integers(0, 13),
            st.sampled_from([0.0, 1.0, 0.5, 0.25]),
            st.floats(-1, 2),
            st.sampled_from(["", SKIPPED]),
        ),
        max_size=20,
    ),
)
def test_any_labels_give_bounds_in_order(
    scores: list[float], given_labels: list[tuple[int, float, float, str]]
) -> None:
    """Also those whose chances somebody made up: they count as known."""
    made = scored(scores)
    found = [
        label(replace(made[0], key=f"key-{place:04}"), outcome, chance, note)
        for place, outcome, chance, note in given_labels
    ]
    said = corrected_rate(made, found)
    for each in (said.here, said.system, said.labels_only, said.fixed):
        assert 0 <= each.low <= each.high <= 1
        assert -1e-9 <= each.estimate <= 1 + 1e-9


def test_trials_of_one_prompt_count_as_one_where_the_rate_is_the_system_s() -> None:
    """Ten prompts with four trials each, all labelled, three prompts fail as a whole."""
    made = scored([0.9 if number < 12 else 0.1 for number in range(40)])
    shared = [replace(trial, cluster=f"prompt-{number // 4}") for number, trial in enumerate(made)]
    once = [trial for number, trial in enumerate(made) if number % 4 == 0]
    told = {
        name: corrected_rate(
            given, [label(trial, float(trial.score > 0.5)) for trial in given],
            alpha_low=0.02, alpha_high=0.08,
        )
        for name, given in (("apart", made), ("shared", shared), ("once", once))
    }  # fmt: skip
    assert [each.here.estimate for each in told.values()] == pytest.approx([0.3] * 3)
    assert told["shared"].here == told["apart"].here
    assert told["shared"].system.low == pytest.approx(told["once"].system.low, abs=1e-3)
    assert told["shared"].system.high == pytest.approx(told["once"].system.high, abs=1e-3)
    assert told["shared"].system.width > 1.5 * told["apart"].system.width
    assert told["shared"].fixed == told["once"].fixed
    independent = {name: each.independent for name, each in told.items()}
    assert independent == pytest.approx({"apart": 40, "shared": 10, "once": 10})


def test_without_shared_prompts_labels_are_worth_themselves() -> None:
    made, truth = random_store(60, 4)
    said = rate_of(labelled(made, truth, 25))
    assert said.effective is not None
    assert said.independent == pytest.approx(said.effective)
    assert rate_of(Sample(population(made))).independent == 0


@pytest.mark.parametrize("labels", [22, 60])
@pytest.mark.parametrize("alike", [0.0, 1.0])
def test_labels_that_are_all_alike_do_not_tell_the_rate_of_the_system(
    labels: int, alike: float
) -> None:
    """Before, 22 good answers with scores of 0.7 gave 0 to 0.006, and all labels no width."""
    made = scored([0.7] * 60)
    rate = rate_of(labelled(made, {trial.key: alike for trial in made}, labels)).fixed
    exact = 1 - 0.025 ** (1 / labels)  # Clopper & Pearson, all alike, of uniform draws
    width = rate.high - rate.low
    assert exact <= width <= 1.25 * exact + 0.01
    assert (rate.high if alike else rate.low) == pytest.approx(alike, abs=0.01)


def test_the_interval_of_a_fixed_number_of_labels_holds_a_rare_rate() -> None:
    missed = 0
    for seed in range(25):
        draw = np.random.default_rng(seed)
        made = scored([float(x) for x in draw.uniform(0.65, 0.75, 60)])
        failed = {trial.key: float(draw.random() < 0.04) for trial in made}
        rate = rate_of(labelled(made, failed, 20, seed)).fixed
        missed += not rate.low <= 0.04 <= rate.high
    assert missed <= 4  # of 25 at 5 %, more have a probability of 0.7 %
