"""Reference values for tests/miv/estimators_test.ts, from NumPy and SciPy, written from the definitions.

`official_*` render the arithmetic of the code that was released with the paper, errors included: NumPy's histograms,
conditional "entropies" without weights, divided along the wrong axis.
Run: python tests/golden/estimators.py > tests/golden/estimators.json"""
import json
import numpy as np
from scipy.special import digamma


def plain_entropy(p):
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def histogram(columns, bins):
    counts, _ = np.histogramdd(np.stack(columns, 1), bins=[bins] * len(columns))
    return counts / counts.sum()


def mutual_information(x, y, bins):
    p = histogram([x, y], bins)
    hx, hy = plain_entropy(p.sum(1)), plain_entropy(p.sum(0))
    mi = hx + hy - plain_entropy(p)
    return {"mi": mi, "mean": 2 * mi / (hx + hy), "sqrt": mi / np.sqrt(hx * hy)}


def conditional_information(x, y, z, bins):
    p = histogram([x, y, z], bins)
    hz, hxz, hyz = plain_entropy(p.sum((0, 1))), plain_entropy(p.sum(1)), plain_entropy(p.sum(0))
    hx, hy = hxz - hz, hyz - hz
    cmi = hxz + hyz - hz - plain_entropy(p)
    return {"cmi": cmi, "hx": hx, "hy": hy, "sqrt": cmi / np.sqrt(hx * hy) if min(hx, hy) > 1e-5 else 0.0}


def official_conditional_entropy(table, pz):
    pz = np.where(pz > 0, pz, 1e-10)
    q = table / pz[:, None, None]
    q = q[q > 0]
    return float(-np.sum(q * np.log(q)))


def official_cmi(x, y, z, bins):
    p = histogram([x, y, z], bins)
    pz = p.sum((0, 1))
    hx = official_conditional_entropy(p.sum(1), pz)
    hy = official_conditional_entropy(p.sum(0), pz)
    cmi = hx + hy - official_conditional_entropy(p, pz)
    return {"cmi": cmi, "ncmi": cmi / (hx + hy) if hx + hy != 0 else 0.0}


def official_nmi(x, y, bins):
    return mutual_information(x, y, bins)["mean"]


out = {"bits": {}, "waves": {}, "official": [], "gaussian": [], "neighbours": []}

# Four points of three bits.
for name, (x, y, z) in {"xor": ("0011", "0101", "0110"), "copy": ("0011", "0011", "0101"), "same": ("0011",) * 3}.items():
    x, y, z = [np.array([float(c) for c in t]) for t in (x, y, z)]
    out["bits"][name] = {"mi": mutual_information(x, y, 2)["mi"], **conditional_information(x, y, z, 2),
                         "official": official_cmi(x, y, z, 2)}

# A deterministic sequence that any language can make.
i = np.arange(64)
x = (37 * i % 101) / 101
y = (x + 0.3 * (53 * i % 97) / 97) % 1
z = (29 * i % 89) / 89
out["waves"] = {
    "mi": {b: mutual_information(x, y, b) for b in (30, 8, 4)},
    "cmi": {b: {**conditional_information(x, y, z, b), "official": official_cmi(x, y, z, b)} for b in (2, 4)},
}

# The released functions on random inputs: a batch of two modalities, skewed and heavy-tailed like pooled features too.
rng = np.random.default_rng(0)
for case, draw in {"normal": lambda s: rng.normal(size=s), "relu": lambda s: np.maximum(0, rng.normal(size=s) - 0.5),
                   "skewed": lambda s: rng.exponential(size=s) ** 2, "binary": lambda s: (rng.random(s) < 0.1) * 1.0}.items():
    shape = (6, 40)
    a, b, noise = draw(shape), draw(shape), draw(shape)
    f = 0.8 * a + 0.4 * b + 0.3 * noise
    a, b, f = [np.round(v, 4).astype(np.float32) for v in (a, b, f)]
    A, B, F = a.ravel(), b.ravel(), f.ravel()
    out["official"].append({
        "name": case, "a": a.tolist(), "b": b.tolist(), "fused": f.tolist(),
        "nmi": [official_nmi(A, F, 30), official_nmi(B, F, 30)],
        # ncmi of a given b, and of b given a
        "ncmi": [official_cmi(A, F, B, 2)["ncmi"], official_cmi(B, F, A, 2)["ncmi"]],
        "cmi": [official_cmi(A, F, B, 2)["cmi"], official_cmi(B, F, A, 2)["cmi"]],
        "rows": [[official_nmi(a[n], f[n], 30) for n in range(6)], [official_cmi(a[n], f[n], b[n], 3)["ncmi"] for n in range(6)]],
    })

# Gaussian closed form, per sample and of vectors.
def partial(yj, yi, ij):
    return (yj - yi * ij) / np.sqrt((1 - yi ** 2) * (1 - ij ** 2))

def wave(n, phase):
    return np.sin(1.7 * np.arange(n) + phase) + 0.3 * np.cos(0.37 * np.arange(n) * (1 + phase))

for m in (1, 2, 3):
    parts = [wave(50, 0.9 * u) for u in range(m)]
    fused = sum((u + 1) * p for u, p in enumerate(parts)) + 0.2 * wave(50, 5.0)
    r = np.corrcoef(np.stack([fused] + parts))
    out["gaussian"].append({"m": m, "nmi": [r[0, u + 1] ** 2 for u in range(m)], "ncmi": [
        0.0 if i == j else partial(r[0, j + 1], r[0, i + 1], r[i + 1, j + 1]) ** 2 for i in range(m) for j in range(m)]})


# Kraskov's first algorithm and Frenzel and Pompe's estimate, by brute force.
def distances(v):
    return np.abs(v[:, None, :] - v[None, :, :]).max(-1)

def ksg(x, y, k):
    n = len(x)
    dx, dy = distances(x), distances(y)
    d = np.maximum(dx, dy)
    total = 0.0
    for i in range(n):
        others = np.arange(n) != i
        radius = np.sort(d[i][others])[k - 1]
        total += digamma((dx[i][others] < radius).sum() + 1) + digamma((dy[i][others] < radius).sum() + 1)
    return digamma(k) + digamma(n) - total / n

def frenzel_pompe(x, y, z, k):
    n = len(x)
    dx, dy, dz = distances(x), distances(y), distances(z)
    d = np.maximum(np.maximum(dx, dy), dz)
    total = 0.0
    for i in range(n):
        others = np.arange(n) != i
        radius = np.sort(d[i][others])[k - 1]
        count = lambda e: (e[i][others] < radius).sum() + 1
        total += digamma(count(np.maximum(dx, dz))) + digamma(count(np.maximum(dy, dz))) - digamma(count(dz))
    return digamma(k) - total / n

for wx, wy, wz, k in [(1, 1, 1, 3), (2, 1, 3, 4), (1, 2, 1, 1)]:
    x, z = rng.normal(size=(50, wx)), rng.normal(size=(50, wz))
    y = 0.7 * x[:, :1] + 0.5 * z[:, :1] + 0.5 * rng.normal(size=(50, wy))
    x, y, z = np.round(x, 4), np.round(y, 4), np.round(z, 4)
    c = np.cov(np.concatenate([x, y, z], 1).T)
    det = lambda *s: np.linalg.slogdet(c[np.ix_(sum(s, []), sum(s, []))])[1]
    X, Y, Z = list(range(wx)), list(range(wx, wx + wy)), list(range(wx + wy, wx + wy + wz))
    out["neighbours"].append({
        "k": k, "x": x.tolist(), "y": y.tolist(), "z": z.tolist(), "mi": ksg(x, y, k), "cmi": frenzel_pompe(x, y, z, k),
        "gaussianMi": (det(X) + det(Y) - det(X, Y)) / 2,
        "gaussianCmi": (det(X, Z) + det(Y, Z) - det(Z) - det(X, Y, Z)) / 2,
    })

def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(float(value), 10) if isinstance(value, (float, np.floating)) else value

print(json.dumps(rounded(out)))
