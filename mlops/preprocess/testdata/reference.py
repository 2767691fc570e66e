"""Writes reference.json: what scikit-learn makes of a table of numbers with missing values.

	python3 -m venv venv && venv/bin/pip install scikit-learn && venv/bin/python reference.py

The file holds the versions that it was made with.
"""

import json
import math
import os
import platform
import warnings

import numpy as np
import scipy
import sklearn
from sklearn import impute, preprocessing

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
rows = 60
table = {
    "normal": rng.normal(size=rows),
    "far": 1e9 + rng.normal(size=rows),
    "constant": np.full(rows, 7.25),
    "ties": rng.integers(0, 5, size=rows).astype(float),
    "missing": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(3, 2, size=rows)),
    "skewed": rng.exponential(size=rows) ** 2,
}
X = np.column_stack(list(table.values()))
words = np.array([["b", None, "a", "c", "b", "a"][i % 6] for i in range(rows)], dtype=object).reshape(-1, 1)


def columns(a):
    return [[None if math.isnan(v) else v for v in c] for c in np.asarray(a, dtype=float).T.tolist()]


def fit(t):
    return columns(t.fit_transform(X.copy()))


def bins(**options):
    """KBinsDiscretizer refuses missing values: each column without them, and 5 for those."""
    out = []
    for c in X.T:
        there = ~np.isnan(c)
        b = np.full(rows, 5.0)
        k = preprocessing.KBinsDiscretizer(n_bins=5, encode="ordinal", subsample=None, **options)
        b[there] = k.fit_transform(c[there].reshape(-1, 1))[:, 0]
        out.append(b)
    return columns(np.column_stack(out))


power = preprocessing.PowerTransformer(method="yeo-johnson", standardize=False)
few = np.column_stack([table["normal"], table["ties"], table["missing"], table["skewed"]])
powered = power.fit_transform(few.copy())
whole = X[:, [0, 3, 5]]
json.dump(
    {
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
        "names": list(table),
        "table": columns(X),
        "words": [w for w in words[:, 0]],
        "transforms": {
            "minmax": fit(preprocessing.MinMaxScaler()),
            "minmax -1 3": fit(preprocessing.MinMaxScaler((-1, 3))),
            "maxabs": fit(preprocessing.MaxAbsScaler()),
            "standard": fit(preprocessing.StandardScaler()),
            "standard without mean": fit(preprocessing.StandardScaler(with_mean=False)),
            "standard without deviation": fit(preprocessing.StandardScaler(with_std=False)),
            "robust": fit(preprocessing.RobustScaler()),
            "quantile": fit(preprocessing.QuantileTransformer(subsample=None)),
            "quantile 20": fit(preprocessing.QuantileTransformer(n_quantiles=20, subsample=None)),
            "quantile normal": fit(preprocessing.QuantileTransformer(n_quantiles=20, subsample=None, output_distribution="normal")),
            "bins": bins(strategy="quantile", quantile_method="linear"),
            "bins equal": bins(strategy="uniform"),
            "mean": fit(impute.SimpleImputer(strategy="mean")),
            "median": fit(impute.SimpleImputer(strategy="median")),
            "most frequent": fit(impute.SimpleImputer(strategy="most_frequent")),
            "constant": fit(impute.SimpleImputer(strategy="constant", fill_value=-4)),
        },
        "most frequent word": impute.SimpleImputer(strategy="most_frequent", missing_values=None).fit(words).statistics_[0],
        "yeo-johnson": {"names": ["normal", "ties", "missing", "skewed"], "lambdas": power.lambdas_.tolist(), "columns": columns(powered)},
        "interactions": {
            "names": ["normal", "ties", "skewed"],
            "degree 2": columns(preprocessing.PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(whole)),
            "degree 3 powers": columns(preprocessing.PolynomialFeatures(3, include_bias=False).fit_transform(whole)),
        },
    },
    open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json"), "w"),
    separators=(",", ":"),
)
