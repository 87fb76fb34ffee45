"""Training on misaligned samples from its formulas. Run: python midas.py > midas.json

pip install numpy
"""
import json

import numpy as np

from reference_run import softmax

RNG = np.random.default_rng(11)
NAMES = ["audio", "image", "text"]


def setting(m, labels, orders, weights):
    """A batch with linear heads: features, the head's columns of each modality, its own classifier, and the loss."""
    B, C = len(labels), 3
    names = NAMES[:m]
    f = {n: RNG.normal(size=(B, 4 + u)) for u, n in enumerate(names)}
    head = {n: RNG.normal(size=(f[n].shape[1], C)) for n in names}
    own = {n: RNG.normal(size=(B, C)) * 2 for n in names}
    alpha = 1 + np.arange(m) * 0.3
    y, w = np.array(labels), np.array(weights, float)
    p = {n: softmax(own[n]) for n in names}
    total, count = 0.0, 0.0
    share, fused = np.zeros(m), np.zeros(m)
    for k in range(m):
        rows = {n: (np.arange(B) if (u - k) % m == 0 else np.array(orders[(u - k) % m - 1])) for u, n in enumerate(names)}
        for i in range(B):
            src = {n: rows[n][i] for n in names}
            if all(y[src[n]] == y[i] for n in names):
                continue
            valid = np.prod([w[src[n]] for n in names])
            conf = np.array([p[n][src[n], y[src[n]]] for n in names])
            c = conf / conf.sum()
            logits = sum(f[n][src[n]] @ head[n] for n in names)
            q = softmax(logits[None])[0]
            part = np.array([q[y[src[n]]] for n in names])
            s = [f[n][i] @ f[n][src[n]] / np.linalg.norm(f[n][i]) / np.linalg.norm(f[n][src[n]])
                 for n in names if y[src[n]] != y[i]]
            loss = np.mean(s) * sum(alpha[u] * c[u] * -np.log(q[y[src[n]]]) for u, n in enumerate(names))
            total, count = total + valid * loss, count + valid
            share, fused = share + valid * c, fused + valid * part / part.sum()
    share, fused = share / count, fused / count
    u = int(np.argmin(share))
    following = np.ones(m)
    following[u] = max(1, alpha[u] + 0.5 * (share[u] - fused[u]))
    return {
        "labels": labels, "orders": orders, "weights": weights, "alpha": alpha,
        "features": f, "head": head, "own": own,
        "loss": total / count, "shares": share, "fused": fused, "next": following,
    }


print(json.dumps({
    "settings": [
        setting(2, [0, 1, 2, 1, 0], [[1, 0, 3, 2, 4]], [1, 1, 1, 1, 1]),
        # Two of one class are paired, the last row is padding.
        setting(2, [0, 1, 1, 2, 0], [[3, 2, 1, 0, 4]], [1, 1, 1, 1, 0]),
        setting(3, [0, 1, 2, 2], [[1, 2, 3, 0], [2, 3, 1, 0]], [1, 1, 1, 1]),
    ],
}, default=lambda x: np.round(x, 8).tolist()))
