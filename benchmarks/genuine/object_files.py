"""scikit-learn and boosted trees, pickled, by joblib, skops, cloudpickle and dill, and as PMML."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from .makers import maker

NUMBERS = np.random.default_rng(1)
ROWS, LABELS = NUMBERS.random((90, 5)), np.arange(90) % 3


def _estimators() -> dict[str, Any]:
    from sklearn.cluster import KMeans
    from sklearn.compose import make_column_transformer
    from sklearn.decomposition import PCA
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        IsolationForest,
        RandomForestClassifier,
        StackingClassifier,
        VotingClassifier,
    )
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    few = [("a", GaussianNB()), ("b", DecisionTreeClassifier())]
    columns = make_column_transformer((StandardScaler(), [0, 1]), (OneHotEncoder(), [2]))
    made: dict[str, Any] = {
        "forest": RandomForestClassifier(4), "boosting": GradientBoostingClassifier(n_estimators=3),
        "histogram": HistGradientBoostingClassifier(max_iter=3),
        "outliers": IsolationForest(n_estimators=4),
        "stack": StackingClassifier(few), "vote": VotingClassifier(few), "svc": SVC(),
        "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2),
        "neighbours": KNeighborsClassifier(), "network": MLPClassifier((4,), max_iter=5),
        "process": GaussianProcessClassifier(), "sgd": SGDClassifier(), "means": KMeans(2),
        "columns": columns,
        "pipeline": make_pipeline(PolynomialFeatures(2), StandardScaler(), PCA(2), GaussianNB()),
    }  # fmt: skip
    rows = ROWS.copy()
    rows[:, 2] = np.arange(90) % 4
    for one in made.values():
        one.fit(rows, LABELS)
    return made


@maker("sklearn")
def pickles(folder: Path) -> None:
    """Fifteen estimators as pickles."""
    for i, (name, one) in enumerate(_estimators().items()):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(one, (2, 4, 5)[i % 3]))


@maker("sklearn", "joblib", "sklearn")
def joblib_files(folder: Path) -> None:
    """By joblib: plain and with each of its compressors."""
    import joblib

    made = _estimators()
    for i, kind in enumerate((0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3))):
        name = kind[0] if isinstance(kind, tuple) else f"level{kind}"
        joblib.dump(list(made.values())[i], folder / f"{name}.joblib", compress=kind)
    joblib.dump(made, folder / "all.joblib")
    joblib.dump({"x": ROWS, "names": np.array(["a", None], object)}, folder / "arrays.joblib")


@maker("skops", "skops", "sklearn")
def skops_files(folder: Path) -> None:
    """By skops.io."""
    import skops.io

    for name, one in list(_estimators().items())[:6]:
        skops.io.dump(one, folder / f"{name}.skops")


@maker("pmml", "nyoka", "sklearn")
def pmml_files(folder: Path) -> None:
    """PMML by nyoka."""
    from nyoka import skl_to_pmml
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    names = [f"x{i}" for i in range(5)]
    for name, one in (("logistic", LogisticRegression()), ("tree", DecisionTreeClassifier())):
        pipeline = Pipeline([("scale", StandardScaler()), ("model", one)])
        pipeline.fit(ROWS, LABELS)
        skl_to_pmml(pipeline, names, "y", str(folder / f"{name}.pmml"))


@maker("xgboost", "xgboost", "sklearn")
def xgboost_files(folder: Path) -> None:
    """Binary JSON, JSON, and the wrapper pickled."""
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=4, max_depth=3).fit(ROWS, LABELS)
    model.save_model(folder / "model.ubj")
    model.save_model(folder / "model.json")
    (folder / "wrapper.pkl").write_bytes(pickle.dumps(model))
    (folder / "booster.pkl").write_bytes(pickle.dumps(model.get_booster()))


@maker("lightgbm", "lightgbm", "sklearn")
def lightgbm_files(folder: Path) -> None:
    """Text, JSON, and the wrapper pickled."""
    import json

    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=4, verbose=-1).fit(ROWS, LABELS)
    model.booster_.save_model(folder / "model.txt")
    (folder / "model.json").write_text(json.dumps(model.booster_.dump_model()))
    (folder / "wrapper.pkl").write_bytes(pickle.dumps(model))


@maker("catboost", "catboost")
def catboost_files(folder: Path) -> None:
    """Binary, JSON, and pickled."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(iterations=4, verbose=0, allow_writing_files=False)
    model.fit(ROWS, LABELS)
    model.save_model(str(folder / "model.cbm"))
    model.save_model(str(folder / "model.json"), format="json")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))


@maker("statsmodels")
def statsmodels_files(folder: Path) -> None:
    """Results, pickled."""
    import statsmodels.api as sm

    sm.OLS(ROWS[:, 0], ROWS[:, 1:]).fit().save(str(folder / "ols.pickle"))
    sm.GLM(LABELS, ROWS, family=sm.families.Poisson()).fit().save(str(folder / "glm.pickle"))


@maker("mlflow", "mlflow", "sklearn")
def mlflow_folder(folder: Path) -> None:
    """A folder of MLflow with a scikit-learn model."""
    import mlflow.sklearn

    model = _estimators()["forest"]
    mlflow.sklearn.save_model(model, folder / "cloudpickle", serialization_format="cloudpickle")
    mlflow.sklearn.save_model(model, folder / "pickle", serialization_format="pickle")


@maker("pickle by value", "dill", "cloudpickle", "sklearn")
def other_picklers(folder: Path) -> None:
    """Models and data (no functions) by dill and cloudpickle."""
    import cloudpickle
    import dill

    made = _estimators()
    for name, module in (("dill", dill), ("cloudpickle", cloudpickle)):
        (folder / f"forest.{name}").write_bytes(module.dumps(made["forest"]))
        data = {"x": ROWS, "n": 3, "when": {1, 2}}
        (folder / f"data.{name}").write_bytes(module.dumps(data))
