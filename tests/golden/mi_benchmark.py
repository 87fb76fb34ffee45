"""Reference truths of the public mutual-information benchmark (PyPI benchmark-mi, Czyz et al., "Beyond Normal", NeurIPS
2023), and what its own nearest-neighbour estimator makes of each task.

Per task: dimensions, truth in nats, and mean and standard deviation over seeds of its KSG (k = 10, maximum norm,
standardised) at 1,000 and 5,000 samples, and a few samples with the estimate from just these.
Run with benchmark-mi 0.1.3 and jax 0.4.31: python tests/golden/mi_benchmark.py > tests/golden/mi_benchmark.json"""
import json
import sys
import numpy as np
from bmi.benchmark import BENCHMARK_TASKS
from bmi.estimators import KSGEnsembleFirstEstimator


def ksg(x, y, k=10):
    estimator = KSGEnsembleFirstEstimator(
        neighborhoods=(k,), standardize=True, metric_x="chebyshev", metric_y="chebyshev", chunk_size=500)
    return float(estimator.estimate(x, y))


out = {"package": "benchmark-mi 0.1.3", "k": 10, "tasks": []}
for name, task in BENCHMARK_TASKS.items():
    row = {"name": name, "x": task.dim_x, "y": task.dim_y, "truth": float(task.mutual_information), "ksg": {}}
    for n, seeds in ((1000, 10), (5000, 3)):
        values = [ksg(*map(np.asarray, task.sample(n, seed))) for seed in range(seeds)]
        row["ksg"][n] = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "seeds": seeds}
    width = task.dim_x + task.dim_y
    count, digits = (200, 6) if width == 2 else (80, 4) if width <= 10 else (40, 3)
    x, y = [np.round(np.asarray(v, dtype=np.float64), digits) for v in task.sample(count, 100)]
    row["sample"] = {"x": x.ravel().tolist(), "y": y.ravel().tolist(), "ksg": ksg(x, y)}
    out["tasks"].append(row)
    print(name, row["truth"], row["ksg"], file=sys.stderr, flush=True)
print(json.dumps(out))
