"""Reference points for experiments/tuning/sobol.ts. Needs SciPy; writes sobol.json beside this file.

SciPy lists points in Gray-code order: its i-th point is the one of index i ^ (i >> 1).
"""
import json
from pathlib import Path

import scipy
from scipy.stats import qmc

points = qmc.Sobol(d=40, scramble=False, bits=32).random_base2(7)
Path(__file__).with_suffix(".json").write_text(json.dumps({
    "scipy": scipy.__version__,
    "points": [[round(float(x) * 2**32) for x in row] for row in points],
}))
