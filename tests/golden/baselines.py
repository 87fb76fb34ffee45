"""Core steps of the balancing methods in NumPy, from their formulas. Run: python baselines.py > baselines.json"""
import itertools
import json
from math import factorial

import numpy as np

# The toy logits of two modalities, three samples, three classes; labels 0, 1, 2.
AUDIO = np.array([[2, 0, -1], [0.5, 1, 0], [0, 0, 1.0]])
VIDEO = np.array([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0.0]])
TEXT = np.array([[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]])
LABELS = np.arange(3)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def wave(shape, scale=1.0, phase=0.0):
    i = np.arange(int(np.prod(shape)))
    return (np.sin(1.7 * i + phase) * scale).reshape(shape)


def rounded(x):
    return np.round(np.asarray(x, float), 9).tolist()


# ----------------------------------------------------------------------------------------------------------------- OGM
def ogm(logits, alpha, others):
    s = [softmax(l)[LABELS, LABELS].sum() for l in logits]
    join = {"mean": np.mean, "sum": np.sum, "least": np.min}[others]
    rho = [s[u] / join([s[v] for v in range(len(s)) if v != u]) for u in range(len(s))]
    return s, rho, [1 - np.tanh(alpha * r) if r > 1 else 1.0 for r in rho]


two = ogm([AUDIO, VIDEO], 0.8, "mean")
gradient = wave((3, 4), 0.7, 0.4)
noise = wave((3, 4), 1.3, 1.1)
result = {
    "ogm": {
        "scores": rounded(two[0]),
        "ratios": rounded(two[1]),
        "k": {str(alpha): rounded(ogm([AUDIO, VIDEO], alpha, "mean")[2]) for alpha in (0.1, 0.8)},
        "three": {how: rounded(ogm([AUDIO, VIDEO, TEXT], 0.5, how)[2]) for how in ("mean", "sum", "least")},
        # GE: the spread of the gradient before damping, unbiased, plus 1e-8.
        "enhanced": rounded(two[2][0] * gradient + noise * (gradient.std(ddof=1) + 1e-8)).copy(),
    }
}

# ------------------------------------------------------------------------------------------------------------- uni-ce
entropies = [-np.log(softmax(l)[LABELS, LABELS]) for l in (AUDIO, VIDEO)]
keep = np.array([[1, 1], [0, 1], [1, 0]])
result["uniCe"] = {
    "terms": rounded([0.3 * e.mean() for e in entropies]),
    "masked": rounded([0.3 * (e * keep[:, u]).mean() for u, e in enumerate(entropies)]),
}

# -------------------------------------------------------------------------------------------------------------- greedy
def speed(gradients, params):
    return sum((g**2).sum() for g in gradients) / sum((p**2).sum() for p in params)


steps = []
main, bypass = np.zeros(2), np.zeros(2)
for t in range(4):
    main += [speed([wave((2, 3), 0.1 + 0.1 * u, t)], [wave((2, 3), 1, 5 + u)]) for u in range(2)]
    bypass += [speed([wave((4,), 0.3 - 0.1 * u, t), wave((2,), 0.2, t)], [wave((4,), 1, 7), wave((2,), 1, 8)]) for u in range(2)]
    s = np.log10(bypass / main)
    steps.append({"main": rounded(main), "bypass": rounded(bypass), "lead": round(abs(s[0] - s[1]), 9), "fastest": int(np.argmax(s))})
gates = [1 / (1 + np.exp(-wave((5, 3), 2, t))) for t in range(4)]
means, mean = [], np.zeros(3)
for t, gate in enumerate(gates):
    mean = (gate.mean(0) + mean * t) / (t + 1)
    means.append(rounded(mean))
result["greedy"] = {"steps": steps, "runningGate": means}

# ----------------------------------------------------------------------------------------------------------- valuation
def shapley(m, v):
    phi = []
    for u in range(m):
        rest = [w for w in range(m) if w != u]
        phi.append(
            sum(
                factorial(len(S)) * factorial(m - len(S) - 1) / factorial(m) * (v(frozenset(S) | {u}) - v(frozenset(S)))
                for size in range(m)
                for S in itertools.combinations(rest, size)
            )
        )
    return phi


def copies(phi):
    return [0 if p >= 0.9 - 1e-9 else 1 if p > 0.4 + 1e-9 else 2 if p > -0.1 + 1e-9 else 3 for p in phi]


cases = []
for m in (2, 3):
    subsets = [frozenset(S) for size in range(1, m + 1) for S in itertools.combinations(range(m), size)]
    for bits in itertools.product([0, 1], repeat=len(subsets)):
        right = dict(zip(subsets, bits))
        phi = shapley(m, lambda S: len(S) * right[S] if S else 0)
        cases.append({"m": m, "right": list(bits), "phi": rounded(phi), "copies": copies(phi)})
result["sampleValuation"] = {"subsets": {str(m): [sorted(S) for size in range(1, m + 1) for S in itertools.combinations(range(m), size)] for m in (2, 3)}, "cases": cases}

example = {(): 0.1, (0,): 0.5, (1,): 0.3, (2,): 0.2, (0, 1): 0.6, (0, 2): 0.55, (1, 2): 0.4, (0, 1, 2): 0.7}
phi = shapley(3, lambda S: example[tuple(sorted(S))])
interaction = sum(
    factorial(len(S)) * factorial(3 - len(S) - 2) / factorial(2)
    * (example[tuple(sorted({0, 1, *S}))] - example[tuple(sorted({0, *S}))] - example[tuple(sorted({1, *S}))] + example[S])
    for S in ((), (2,))
)
result["shapley"] = {
    "phi": rounded(phi),
    "imbalance": round(float(np.mean([abs(phi[i] - phi[j]) for i, j in ((0, 1), (0, 2), (1, 2))])), 9),
    "interaction": round(interaction, 9),
}

gaps = [0.2, 0.5, 0.9]
difference = np.mean([abs(a - b) for a, b in itertools.combinations(gaps, 2)])
shares = np.array(gaps) - min(gaps)
result["modalityValuation"] = {
    "gaps": gaps,
    "difference": round(difference, 9),
    "share": {
        "linear": round(2 / 3 * difference * 1.5, 9),
        "tanh": round(float(np.tanh(2 / 3 * difference * 1.5)), 9),
        "power": round((2 / 3 * difference) ** 1.5 * 1.5, 9),
    },
    "probabilities": rounded(shares / shares.sum()),
}
print(json.dumps(result))
