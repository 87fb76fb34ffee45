"""The competition regularizer from its formula, with every player's term written out. Run: python mcr.py > mcr.json

pip install numpy autograd
"""
import itertools
import json

import autograd.numpy as np
from autograd import grad

from reference_run import rounded, softmax

AUDIO = np.array([[2, 0, -1], [0.5, 1, 0], [0, 0, 1.0]])
IMAGE = np.array([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0.0]])
TEXT = np.array([[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]])


def js(a, b):
    p, q = softmax(a), softmax(b)
    M = (p + q) / 2
    kl = lambda x, y: np.sum(x * (np.log(x) - np.log(y)), axis=1)
    return (kl(p, M) + kl(q, M)) / 2


def J(S, parts, permuted, plain):
    """Mean over permutations and rows; permuted[name]: [K, B]."""
    K = len(next(iter(permuted.values())))
    total = 0
    for k in range(K):
        logits = sum(parts[n][permuted[n][k]] if n in S else parts[n] for n in parts)
        total = total + np.mean(js(logits, plain)) / K
    return total


def game(parts, permuted, interest, moving, bias):
    """Sum over players of their losses, everything that is not the player's held fixed: its gradient is the game's."""
    names = list(parts)
    subsets = [S for size in range(1, len(names)) for S in itertools.combinations(names, size)]

    def loss(own):
        total = 0
        for u in names:
            mine = {n: own[n] if n == u else parts[n] for n in names}
            # A moving target reaches every modality from every player's term.
            plain = sum((own if moving else parts).values()) + bias
            for S in subsets:
                weight = 1 if u in S else interest
                shifted = {n: (mine[n] + bias / len(names)) for n in names}
                total = total - weight * J(S, shifted, permuted, plain)
        return total

    return loss


result = {"effects": [], "games": []}
two, three = {"audio": AUDIO, "image": IMAGE}, {"audio": AUDIO, "image": IMAGE, "text": TEXT}
for parts, permuted in [
    (two, {"audio": [[1, 2, 0]], "image": [[1, 2, 0]]}),
    (three, {"audio": [[1, 2, 0], [2, 1, 0]], "image": [[0, 2, 1], [1, 0, 2]], "text": [[2, 0, 1], [1, 2, 0]]}),
]:
    names = list(parts)
    bias = np.array([[0.1, -0.2, 0.05]]) if len(names) == 3 else np.zeros((1, 3))
    plain = sum(parts.values()) + bias
    shifted = {n: parts[n] + bias / len(names) for n in names}
    subsets = [list(S) for size in range(1, len(names)) for S in itertools.combinations(names, size)]
    result["effects"].append({
        "m": len(names), "permuted": permuted, "bias": rounded(bias[0]),
        "J": [{"subset": S, "value": round(float(J(S, shifted, permuted, plain)), 8)} for S in subsets],
    })
    for interest, moving in [(-1, False), (0, False), (1, False), (-1, True), (0, True)]:
        loss = game(parts, permuted, interest, moving, bias)
        gradients = grad(loss)(dict(parts))
        result["games"].append({
            "m": len(names), "permuted": permuted, "bias": rounded(bias[0]), "interest": interest, "moving": moving,
            "gradients": {n: rounded(g) for n, g in gradients.items()},
        })


def contrast(f, y, tau):
    z = f / np.linalg.norm(f, axis=1, keepdims=True)
    s = z @ z.T / tau
    terms = []
    for i in range(len(y)):
        other = [j for j in range(len(y)) if y[j] != y[i]]
        for p in range(len(y)):
            if p != i and y[p] == y[i]:
                terms.append(-np.log(np.exp(s[i, p]) / (np.exp(s[i, p]) + sum(np.exp(s[i, j]) for j in other))))
    return float(np.mean(terms)) if terms else 0.0


features = np.array([[1, 0], [0.8, 0.6], [1, 1], [0, 1.0]])
result["contrast"] = [
    {"labels": y, "value": round(contrast(features, y, 0.5), 8)} for y in ([0, 1, 0, 1], [0, 0, 0, 1], [0, 1, 2, 3])
]
if __name__ == "__main__":
    print(json.dumps(result))
