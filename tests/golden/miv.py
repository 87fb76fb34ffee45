"""Reference values for tests/miv, from NumPy, written from the definitions.
Run: python tests/golden/miv.py > tests/golden/miv.json"""
import json
import numpy as np


def wave(n, phase):
    return np.sin(1.7 * np.arange(n) + phase) + 0.3 * np.cos(0.37 * np.arange(n) * (1 + phase))


def standardise(v):
    v = (v - v.mean()) / np.sqrt(v.var() + 1e-8)
    return np.clip(v, -2, 2)


def soft(v, b):
    delta = 4 / (b - 1)
    centres = -2 + delta * np.arange(b)
    return np.maximum(0, 1 - np.abs(v[:, None] - centres) / delta)


def hard(v, b):
    k = np.minimum(np.floor((v + 2) / 4 * b), b - 1).astype(int)
    return np.eye(b)[k]


def H(p):
    return -(p * np.log(p + 1e-12)).sum()


def norm(i, a, b, how):
    if a < 1e-5 or b < 1e-5:
        return 0.0
    s = {"sqrt": np.sqrt(a * b), "mean": (a + b) / 2, "sum": a + b}[how]
    return float(np.clip(i / s, 0, 1))


def information(y, parts, b, assign, n1="sqrt", n2="sqrt"):
    d = len(y)
    m = len(parts)
    A = assign(standardise(y), b)
    Z = [assign(standardise(p), b) for p in parts]
    nmi = []
    ncmi = np.zeros((m, m))
    for u in range(m):
        P = np.einsum("nk,nl->kl", Z[u], A) / d
        i = H(P.sum(1)) + H(P.sum(0)) - H(P)
        nmi.append(norm(i, H(P.sum(1)), H(P.sum(0)), n1))
    for i in range(m):
        for j in range(m):
            if i == j:
                continue
            P = np.einsum("nq,nk,nl->qkl", Z[i], Z[j], A) / d
            hz = H(P.sum((1, 2)))
            hxz = H(P.sum(2))
            hyz = H(P.sum(1))
            cmi = hxz + hyz - hz - H(P)
            ncmi[i, j] = norm(cmi, hxz - hz, hyz - hz, n2)
    return nmi, ncmi.flatten().tolist()


out = {"cases": []}
for d, m, b, how in [(33, 2, 3, "hard"), (33, 2, 3, "soft"), (64, 3, 4, "hard"), (64, 3, 4, "soft"), (40, 4, 3, "hard"), (50, 1, 4, "hard")]:
    for n1, n2 in [("sqrt", "sqrt"), ("mean", "sum")]:
        rows = []
        for s in range(3):
            parts = [wave(d, 0.9 * u + 0.31 * s) for u in range(m)]
            y = sum((u + 1) * p for u, p in enumerate(parts)) + 0.2 * wave(d, 5.0 + s)
            nmi, ncmi = information(y, parts, b, {"hard": hard, "soft": soft}[how], n1, n2)
            rows.append({"nmi": nmi, "ncmi": ncmi})
        out["cases"].append({"d": d, "m": m, "bins": b, "assignment": how, "norm": n1, "conditionalNorm": n2, "rows": rows})

# Expected values of 400 draws of 512 Gaussian coordinates, 4 bins: (nmi, ncmi given an independent z).
rng = np.random.default_rng(0)
def table(make, assign):
    v = []
    for _ in range(400):
        x, z = rng.normal(size=(2, 512))
        y = make(x, z)
        nmi, ncmi = information(y, [z, x], 4, assign)
        v.append((nmi[1], ncmi[1]))
    return np.mean(v, 0).tolist()
out["gaussian"] = {
    name: {how: table(make, f) for how, f in [("hard", hard), ("soft", soft)]}
    for name, make in {
        "independent": lambda x, z: rng.normal(size=512),
        "copy": lambda x, z: x,
        "rho9": lambda x, z: 0.9 * x + np.sqrt(1 - 0.81) * rng.normal(size=512),
        "sum": lambda x, z: x + z,
    }.items()
}
print(json.dumps(out))
