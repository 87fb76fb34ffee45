"""Reference values of lmf, tfn and multiplicative, from NumPy loops over their definitions.

Run: python tests/golden/fusion_products.py > tests/golden/fusion_products.json
"""
import json
from itertools import product

import numpy as np


def wave(*shape, scale=1.0, phase=0.0):
    return (np.sin(1.7 * np.arange(int(np.prod(shape))) + phase) * scale).reshape(shape)


def flat(x):
    return np.asarray(x).flatten().tolist()


B, C, d = 3, 2, 5
widths = [4, 5, 3, 2]
features = [wave(B, w, phase=0.1 * u) for u, w in enumerate(widths)]
V, c = wave(d, C, scale=0.5, phase=2), wave(C, scale=0.2, phase=3)
out = {}


def lmf(fs, R=2):
    """Sum over ranks and every entry of the outer product, with the weight tensor put together first."""
    F = [wave(R, w + 1, d, scale=0.4, phase=0.3 * u) for u, w in enumerate(widths[: len(fs)])]
    w, b = wave(1, R, scale=0.7, phase=2.5), wave(d, scale=0.3, phase=4)
    fused = np.tile(b, (B, 1))
    for n in range(B):
        ones = [np.concatenate([[1.0], f[n]]) for f in fs]
        for index in product(*[range(len(x)) for x in ones]):
            entry = np.prod([x[i] for x, i in zip(ones, index)])
            for r in range(R):
                fused[n] += entry * w[0, r] * np.prod([F[u][r, i] for u, i in enumerate(index)], 0)
    return fused


def tfn(fs, p=3):
    parts = []
    for u, f in enumerate(fs):
        if f.shape[1] > p:
            f = f @ wave(widths[u], p, scale=0.4, phase=0.2 * u) + wave(p, scale=0.1, phase=u)
        parts.append(np.concatenate([np.ones((B, 1)), f], 1))
    rows = []
    for n in range(B):
        rows.append([np.prod(t) for t in product(*[part[n] for part in parts])])  # row-major
    x = np.array(rows)
    W, b = wave(x.shape[1], d, scale=0.3, phase=5), wave(d, scale=0.3, phase=4)
    return np.maximum(0, x @ W + b)


def multiplicative(fs):
    d1, d2 = widths[:2]
    W, b = wave(d1, d2, d, scale=0.3, phase=6), wave(d, scale=0.3, phase=4)
    U, V2 = wave(d1, d, scale=0.4, phase=0.2), wave(d2, d, scale=0.4, phase=0.4)
    return np.array([
        [f1 @ W[:, :, k] @ f2 + f1 @ U[:, k] + f2 @ V2[:, k] + b[k] for k in range(d)] for f1, f2 in zip(*fs)
    ])


for name, of, counts in (("lmf", lmf, (2, 3, 4)), ("tfn", tfn, (2, 3, 4)), ("multiplicative", multiplicative, (2,))):
    for m in counts:
        fs = features[:m]
        fused = of(fs)
        dropped = of([0 * fs[0]] + fs[1:])
        out[f"{name}/{m}"] = {"fused": flat(fused), "logits": flat(fused @ V + c), "withoutFirst": flat(dropped @ V + c)}
print(json.dumps(out))
