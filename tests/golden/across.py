"""Reference values for experiments/across/. Needs NumPy and SciPy; writes across.json beside this file.

Interquartile mean, probability of improvement and performance profile follow their formulas (Agarwal et al. 2021) in NumPy;
intervals are percentiles of 200,000 stratified resamples; Friedman's test and the studentized range are SciPy's.
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261130)
sets, runs = 4, 5
level = np.array([0.9, 0.75, 0.6, 0.82])[:, None]
a = (level + 0.03 + rng.normal(0, 0.02, (sets, runs))).round(4)
b = (level + rng.normal(0, 0.03, (sets, runs))).round(4)
b[0, 0] = a[0, 1]  # a tie


def iqm(x):
    return stats.trim_mean(x.reshape(-1), 0.25)


def chance(x, y):
    return np.mean([
        stats.mannwhitneyu(u, v, alternative="greater").statistic / (len(u) * len(v)) for u, v in zip(x, y)
    ])


def above(x, t):
    return np.mean([np.mean(u > t) for u in x])


def resampled(x, times):
    at = rng.integers(0, x.shape[1], (times, *x.shape))
    return np.take_along_axis(np.broadcast_to(x, at.shape), at, axis=2)


def interval(values):
    return [float(v) for v in np.quantile(values, [0.025, 0.975])]


times = 200_000
many_a, many_b = resampled(a, times), resampled(b, times)
flat = np.sort(many_a.reshape(times, -1), axis=1)
cut = flat.shape[1] // 4
wins = np.zeros(times)
for i in range(runs):
    for j in range(runs):
        x, y = many_a[:, :, i], many_b[:, :, j]
        wins += ((x > y) + 0.5 * (x == y)).mean(axis=1)
thresholds = [0.5, 0.62, 0.7, 0.78, 0.85, 0.93]

ranked = []
for k, n, decimals in [(4, 6, 3), (5, 10, 2), (3, 3, 1), (10, 8, 2)]:
    scores = (rng.normal(0.8, 0.05, (k, n)) + np.linspace(0, 0.06, k)[:, None]).round(decimals)
    chi, p = stats.friedmanchisquare(*scores)
    ranks = np.mean([stats.rankdata(-scores[:, j]) for j in range(n)], axis=0)
    q = stats.studentized_range.ppf(0.95, k, np.inf)
    ranked.append({
        "scores": scores.tolist(),
        "ranks": ranks.tolist(),
        "chiSquare": float(chi),
        "p": float(p),
        "criticalDifference": float(q / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))),
    })

Path(__file__).with_suffix(".json").write_text(json.dumps({
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "a": a.tolist(),
    "b": b.tolist(),
    "iqm": float(iqm(a)),
    "iqmInterval": interval(flat[:, cut:-cut].mean(axis=1)),
    "odd": [float(stats.trim_mean(np.arange(1, n + 1) ** 2, 0.25)) for n in range(1, 12)],
    "improvement": float(chance(a, b)),
    "improvementInterval": interval(wins / runs**2),
    "profile": [[t, float(above(a, t))] for t in thresholds],
    "ranked": ranked,
    "chiSquareTails": [
        [x, k, float(stats.chi2.sf(x, k))] for k in [1, 2, 3, 4, 7, 10, 31] for x in [0.01, 0.7, 3.0, 9.5, 25.0, 80.0]
    ],
    "studentizedRange": [
        [alpha, k, float(stats.studentized_range.ppf(1 - alpha, k, np.inf))]
        for alpha in [0.05, 0.1] for k in [2, 3, 5, 10, 20, 35]
    ],
}, indent=1))
