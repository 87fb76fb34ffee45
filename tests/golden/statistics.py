"""Reference values for experiments/statistics.ts. Needs SciPy and mpmath; writes statistics.json beside this file.

The tail probabilities come from mpmath with 40 digits, as SciPy's own lose digits near t = 0.
"""
import json
from pathlib import Path

import mpmath
import numpy as np
import scipy
from scipy import stats

mpmath.mp.dps = 40


def tails(t, df):
    """P(|T| >= |t|)."""
    t, df = mpmath.mpf(t), mpmath.mpf(df)
    return float(mpmath.betainc(df / 2, mpmath.mpf("0.5"), 0, df / (df + t * t), regularized=True))


two_sided = [
    [t, df, tails(t, df)]
    for df in [1, 2, 3, 4, 5, 9, 19, 30, 100, 999, 100000]
    for t in [1e-6, 0.01, 0.3, 1.0, -1.7, 2.5, 4.303, 12.0, 60.0, 1e4]
    if stats.t.sf(abs(t), df) > 1e-290
]
quantiles = [
    [p, df, float(stats.t.ppf(p, df))]
    for df in [1, 2, 3, 4, 5, 9, 19, 30, 100, 999]
    for p in [0.001, 0.025, 0.3, 0.55, 0.9, 0.975, 0.995, 0.99999]
]

rng = np.random.default_rng(20240714)
paired = []
for n in [2, 3, 5, 12]:
    a = rng.normal(0.8, 0.03, n).round(6)
    b = (a - 0.02 + rng.normal(0, 0.02, n)).round(6)
    result = stats.ttest_rel(a, b)
    low, high = result.confidence_interval(0.95)
    paired.append({
        "a": a.tolist(), "b": b.tolist(), "t": float(result.statistic), "p": float(result.pvalue),
        "ci95": float((high - low) / 2),
    })

spearman = []
for n in [4, 9, 25]:
    x = rng.integers(0, 6, n).astype(float)
    y = x + rng.integers(-2, 3, n)
    spearman.append({"x": x.tolist(), "y": y.tolist(), "rho": float(stats.spearmanr(x, y).statistic)})

spread = []
for n in [2, 3, 10]:
    v = rng.normal(0.7, 0.05, n).round(6)
    half = stats.t.interval(0.95, n - 1, loc=v.mean(), scale=stats.sem(v))
    spread.append({
        "values": v.tolist(), "mean": float(v.mean()), "std": float(v.std(ddof=1)),
        "ci95": float((half[1] - half[0]) / 2),
    })

Path(__file__).with_suffix(".json").write_text(json.dumps({
    "scipy": scipy.__version__, "twoSided": two_sided, "quantiles": quantiles, "paired": paired,
    "spearman": spearman, "spread": spread,
}, indent=1) + "\n")
