"""Reference values of both merges (plain average, optimal transport), from NumPy.

Run: python tests/golden/merge.py > tests/golden/merge.json
"""
import json

import numpy as np


def wave(shape, scale=1.0, phase=0.0):
    return (np.sin(1.7 * np.arange(int(np.prod(shape))) + phase) * scale).reshape(shape)


def value(name, shape, model):
    phase = (sum((i + 1) * ord(c) for i, c in enumerate(name)) % 97) / 10 + model
    return wave(shape, 0.4, phase)


def sinkhorn(C, reg):
    K = np.exp(-C / reg)
    a, b = np.ones(len(C)) / len(C), np.ones(C.shape[1]) / C.shape[1]
    u, v = a.copy(), b.copy()
    for _ in range(200000):
        u = a / (K @ v)
        v = b / (K.T @ u)
        T = u[:, None] * K * v[None]
        if np.abs(T.sum(1) - a).max() < 1e-13:
            return T
    raise RuntimeError


REG = 0.06
out = {}


class Merge:
    """W is [out, in] here; kernels are its transposes. T is [n_B, n_A]."""

    def __init__(self, shapes_a, shapes_b):
        self.a = {n: value(n, s, 0) for n, s in shapes_a.items()}
        self.b = {n: value(n, s, 1) for n, s in shapes_b.items()}
        self.out = {}

    def map_of(self, rows_b, rows_a):
        C = np.sqrt(((rows_b[:, None] - rows_a[None]) ** 2).sum(-1))
        return sinkhorn(C / C.max(), REG)

    def layer(self, kernels, bias, fixed=False, parts=1):
        hats, own = [], []
        for name, T in kernels:
            W = self.b[name].reshape(-1, self.b[name].shape[-1]).T
            n = len(T)
            W = W.reshape(len(W), -1, n) @ np.diag(np.full(n, n)) @ T
            hats.append(W.reshape(len(W), -1))
            own.append(self.a[name].reshape(-1, self.a[name].shape[-1]).T)
        maps = []
        for p in range(parts):
            rows = lambda x: np.split(np.concatenate(x, 1), parts)[p]
            maps.append(np.eye(len(own[0])) / len(own[0]) if fixed else self.map_of(rows(hats), rows(own)))
        for (name, _), hat, W in zip(kernels, hats, own):
            moved = np.concatenate([T.shape[1] * T.T @ h for T, h in zip(maps, np.split(hat, parts))])
            self.out[name] = (0.5 * (W + moved)).T.reshape(self.a[name].shape)
        moved = np.concatenate([T.shape[1] * T.T @ h for T, h in zip(maps, np.split(self.b[bias], parts))])
        self.out[bias] = 0.5 * (self.a[bias] + moved)
        return maps if parts > 1 else maps[0]

    def follow(self, names, T):
        for name in names:
            moved = self.b[name] @ T * T.shape[1]
            self.out[name] = 0.5 * (self.a[name] + moved)

    def block(self, path, T):
        self.follow([f"{path}/norm1/scale", f"{path}/norm1/shift"], T)
        v = self.layer([(f"{path}/attn/qkv/kernel", T)], f"{path}/attn/qkv/bias", parts=3)[2]
        seen = self.layer([(f"{path}/attn/proj/kernel", v)], f"{path}/attn/proj/bias")
        mid = (T + seen) / 2
        self.follow([f"{path}/norm2/scale", f"{path}/norm2/shift"], mid)
        h = self.layer([(f"{path}/mlp/fc1/kernel", mid)], f"{path}/mlp/fc1/bias")
        return (mid + self.layer([(f"{path}/mlp/fc2/kernel", h)], f"{path}/mlp/fc2/bias")) / 2


def eye(n):
    return np.eye(n) / n


def linear(shapes, name, i, o):
    shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = [i, o], [o]


def perceptrons(h, w, d):
    """Two perceptrons of one hidden layer on widths 5 and 7, concatenated to d, 3 classes."""
    s = {}
    for name, i in (("audio", 5), ("image", 7)):
        linear(s, f"encoder:{name}/hidden1", i, h)
        linear(s, f"encoder:{name}/out", h, w)
        s[f"fusion/kernel/{name}"] = [w, d]
    s["fusion/bias"] = [d]
    linear(s, "head", d, 3)
    return s


def merge_perceptrons(m):
    ends = []
    for name, i in (("audio", 5), ("image", 7)):
        T = m.layer([(f"encoder:{name}/hidden1/kernel", eye(i))], f"encoder:{name}/hidden1/bias")
        T = m.layer([(f"encoder:{name}/out/kernel", T)], f"encoder:{name}/out/bias")
        ends.append((f"fusion/kernel/{name}", T))
    T = m.layer(ends, "fusion/bias")
    m.layer([("head/kernel", T)], "head/bias", fixed=True)


def block_shapes(s, path, d, h):
    for norm in ("norm1", "norm2"):
        s[f"{path}/{norm}/scale"] = s[f"{path}/{norm}/shift"] = [d]
    linear(s, f"{path}/attn/qkv", d, 3 * d)
    linear(s, f"{path}/attn/proj", d, d)
    linear(s, f"{path}/mlp/fc1", d, h)
    linear(s, f"{path}/mlp/fc2", h, d)


def transformers(d=4):
    """A vision transformer of 2 blocks on 4 x 4 images in patches of 2, and heads of its feature: decision."""
    s = {"encoder:image/patch_embed/proj/kernel": [2, 2, 1, d], "encoder:image/patch_embed/proj/bias": [d]}
    s["encoder:image/cls_token"], s["encoder:image/pos_embed"] = [1, 1, d], [1, 5, d]
    for k in range(2):
        block_shapes(s, f"encoder:image/blocks/{k}", d, 2 * d)
    s["encoder:image/norm/scale"] = s["encoder:image/norm/shift"] = [d]
    linear(s, "head:image", d, 3)
    return s


def merge_transformers(m):
    g = "encoder:image"
    patch = m.layer([(f"{g}/patch_embed/proj/kernel", eye(1))], f"{g}/patch_embed/proj/bias")
    rows = lambda x: x[f"{g}/pos_embed"].reshape(5, -1).T
    T = (patch + m.map_of(rows(m.b), rows(m.a))) / 2
    m.follow([f"{g}/pos_embed", f"{g}/cls_token"], T)
    for k in range(2):
        T = m.block(f"{g}/blocks/{k}", T)
    m.follow([f"{g}/norm/scale", f"{g}/norm/shift"], T)
    m.layer([("head:image/kernel", T)], "head:image/bias", fixed=True)


for label, shapes_a, shapes_b, how in (
    ("perceptrons", perceptrons(6, 4, 5), perceptrons(6, 4, 5), merge_perceptrons),
    ("unequal", perceptrons(6, 4, 5), perceptrons(8, 3, 7), merge_perceptrons),
    ("transformers", transformers(), transformers(), merge_transformers),
):
    m = Merge(shapes_a, shapes_b)
    how(m)
    assert sorted(m.out) == sorted(m.a)
    out[label] = {
        "first": shapes_a,
        "second": shapes_b,
        "ot": {name: np.round(x, 7).flatten().tolist() for name, x in m.out.items()},
    }
    if shapes_a == shapes_b:
        out[label]["average"] = {n: np.round((m.a[n] + m.b[n]) / 2, 7).flatten().tolist() for n in m.a}
print(json.dumps(out))
