"""Power of two-sided paired t-tests by SciPy's noncentral t distribution: writes power.json beside this file."""

import json
import math
from pathlib import Path

import scipy
from scipy import stats


def power(effect, n, alpha):
    df, delta = n - 1, abs(effect) * math.sqrt(n)
    critical = stats.t.ppf(1 - alpha / 2, df)
    return float(stats.nct.sf(critical, df, delta) + stats.nct.cdf(-critical, df, delta))


def needed(effect, alpha):
    return next((n for n in range(3, 1001) if power(effect, n, alpha) >= 0.8), None)


cases = [
    [effect, n, alpha, power(effect, n, alpha)]
    for effect in [0.1, 0.5, 1.0, 2.0]
    for n in [2, 3, 4, 5, 10, 30, 200]
    for alpha in [0.05, 0.01]
    # SciPy's sums overflow where the power is 1 to all digits.
    if not math.isnan(power(effect, n, alpha))
]
seeds = [[effect, alpha, needed(effect, alpha)] for effect in [0.1, 0.3, 0.8, 1.5, 2.1] for alpha in [0.05, 0.05 / 6]]
Path(__file__).with_suffix(".json").write_text(
    json.dumps({"scipy": scipy.__version__, "power": cases, "seeds": seeds}, indent=1) + "\n"
)
