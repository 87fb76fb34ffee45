"""Reference values of transfusion, cross-attention, mbt, pmf and dynmm, from NumPy and their formulas.

Run: python tests/golden/fusion_attention.py > tests/golden/fusion_attention.json
"""
import json
import math

import numpy as np

erf = np.vectorize(math.erf)
B, C, D, H = 3, 2, 4, 2
names = ["audio", "image", "text", "video"]
widths = [4, 5, 3, 2]
lengths = [3, 1, 2, 4]
out = {}


def wave(shape, scale=1.0, phase=0.0):
    return (np.sin(1.7 * np.arange(int(np.prod(shape))) + phase) * scale).reshape(shape)


class Params:
    """Every parameter is a wave whose phase comes from its name; scales of norms are near 1."""

    def __init__(self):
        self.names = {}

    def get(self, name, *shape):
        self.names[name] = list(shape)
        phase = (sum((i + 1) * ord(c) for i, c in enumerate(name)) % 97) / 10
        if name.endswith("/scale"):
            return 1 + wave(shape, 0.1, phase)
        return wave(shape, 0.4, phase)

    def linear(self, name, x, width):
        return x @ self.get(f"{name}/kernel", x.shape[-1], width) + self.get(f"{name}/bias", width)

    def norm(self, name, x):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        d = x.shape[-1]
        return (x - mean) / np.sqrt(var + 1e-5) * self.get(f"{name}/scale", d) + self.get(f"{name}/shift", d)

    def block(self, name, x, present=None):
        """x [T, D] of one sample; present [T]."""
        d = x.shape[-1]
        q, k, v = np.split(self.linear(f"{name}/attn/qkv", self.norm(f"{name}/norm1", x), 3 * d), 3, -1)
        seen = []
        for h in range(H):
            own = slice(h * d // H, (h + 1) * d // H)
            scores = q[:, own] @ k[:, own].T / math.sqrt(d / H)
            if present is not None:
                scores = np.where(np.asarray(present)[None] > 0, scores, -np.inf)
            e = np.exp(scores - scores.max(-1, keepdims=True))
            seen.append(e / e.sum(-1, keepdims=True) @ v[:, own])
        y = x + self.linear(f"{name}/attn/proj", np.concatenate(seen, -1), d)
        inner = self.linear(f"{name}/mlp/fc1", self.norm(f"{name}/norm2", y), 4 * d)
        return y + self.linear(f"{name}/mlp/fc2", inner * 0.5 * (1 + erf(inner / math.sqrt(2))), d)


def tokens(m, masked=True):
    """Tokens [T_u, d_u] of each sample and which of them there are; the last of text's is padding in sample 1."""
    rows = []
    for n in range(B):
        row = {}
        for u in range(m):
            present = np.ones(lengths[u])
            if names[u] == "text" and n == 1:
                present[-1] = 0
            row[names[u]] = (wave((B, lengths[u], widths[u]), 1, 0.1 * u)[n], present)
        rows.append(row)
    return rows


def pooled(m):
    return [{names[u]: wave((B, widths[u]), 1, 0.5 + 0.1 * u)[n] for u in range(m)} for n in range(B)]


def transfusion(p, m, n, kept, depth=2):
    x, present = [p.get("fusion/class", 1, D)], [np.ones(1)]
    for name in names[:m]:
        t, there = tokens(m)[n][name]
        places = p.get(f"fusion/{name}/positions", len(t), D) + p.get(f"fusion/{name}/modality", 1, D)
        x.append(p.linear(f"fusion/{name}/embed", t, D) + places)
        present.append(there * (name in kept))
    x, present = np.concatenate(x), np.concatenate(present)
    for l in range(depth):
        x = p.block(f"fusion/layer{l + 1}", x, present)
    fused = p.norm("fusion/norm", x[0])
    return fused, p.linear("head", fused, C)


def cross(p, m, n, kept, depth=2):
    asked = {}
    for name in names[:m]:
        t, there = tokens(m)[n][name]
        asked[name] = (p.linear(f"fusion/{name}/tokens", t, D), there * (name in kept))
    parts = []
    for name in names[:m]:
        c = p.linear(f"fusion/{name}/feature", pooled(m)[n][name], D)
        others = [asked[v] for v in names[:m] if v != name]
        for l in range(depth):
            x = np.concatenate([c[None], *[t for t, _ in others]])
            c = p.block(f"fusion/{name}/layer{l + 1}", x, np.concatenate([[1], *[there for _, there in others]]))[0]
        parts.append(p.norm(f"fusion/{name}/norm", c) * (name in kept))
    fused = np.concatenate(parts)
    return fused, p.linear("head", fused, C)


def stream(p, m, n, name):
    t, there = tokens(m)[n][name]
    x = p.linear(f"fusion/{name}/embed", t, D) + p.get(f"fusion/{name}/positions", len(t), D)
    return np.concatenate([p.get(f"fusion/{name}/class", 1, D), x]), np.concatenate([[1], there])


def heads(p, m, classes, kept):
    own = {name: p.linear(f"head:{name}", classes[name], C) for name in names[:m]}
    logits = sum((own[name] for name in names[:m] if name in kept), np.zeros(C)) / max(1, len(kept))
    fused = np.concatenate([classes[name] * (name in kept) for name in names[:m]])
    return fused, logits


def mbt(p, m, n, kept, depth=4, fused=3, b=2):
    t, there = {}, {}
    for name in names[:m]:
        t[name], there[name] = stream(p, m, n, name)
    for l in range(depth - fused):
        t = {name: p.block(f"fusion/{name}/layer{l + 1}", x, there[name]) for name, x in t.items()}
    shared = p.get("fusion/bottlenecks", b, D)
    for l in range(depth - fused, depth):
        joint = {
            name: p.block(f"fusion/{name}/layer{l + 1}", np.concatenate([x, shared]), [*there[name], *np.ones(b)])
            for name, x in t.items()
        }
        t = {name: x[:-b] for name, x in joint.items()}
        shared = sum((joint[name][-b:] for name in kept), np.zeros((b, D))) / max(1, len(kept))
    return heads(p, m, {name: p.norm(f"fusion/{name}/norm", x[0]) for name, x in t.items()}, kept)


def pmf(p, m, n, kept, fused=2, q=2, k=1, f=2):
    t, there = {}, {}
    for name in names[:m]:
        t[name], there[name] = stream(p, m, n, name)
    for l in range(fused):
        before, t = t, {}
        for v in names[:m]:
            joined, present = [before[v], p.get(f"fusion/prompts{l + 1}/{v}/fusion-context", f, D)], [*there[v], *np.ones(f)]
            for u in names[:m]:
                if u == v:
                    continue
                pair = f"fusion/prompts{l + 1}/{u}/{v}"
                x = np.concatenate([before[u], p.get(f"{pair}/context", k, D), p.get(f"{pair}/query", q, D)])
                answer = p.block(f"fusion/{u}/layer{l + 1}", x, [*there[u], *np.ones(k + q)])[-q:]
                joined.append(p.linear(f"{pair}/map2", np.maximum(0, p.linear(f"{pair}/map1", answer, D // 2)), D))
                present += [1.0 * (u in kept)] * q
            t[v] = p.block(f"fusion/{v}/layer{l + 1}", np.concatenate(joined), present)[: len(before[v])]
    return heads(p, m, {name: p.norm(f"fusion/{name}/norm", x[0]) for name, x in t.items()}, kept)


def dynmm(p, m, n, kept, hard=False, h=5, tau=0.7):
    f = {name: pooled(m)[n][name] * (name in kept) for name in names[:m]}
    joined = np.concatenate([f[name] for name in names[:m]])
    logits = [p.linear(f"head:{name}", pooled(m)[n][name], C) for name in names[:m]] + [p.linear("head", joined, C)]
    able = np.array([name in kept for name in names[:m]] + [len(kept) == m], dtype=float)
    g = p.linear("fusion/gate/2", np.maximum(0, p.linear("fusion/gate/1", joined, h)), m + 1) / tau
    e = np.exp(g - g.max()) * able
    g = e / e.sum() if e.sum() > 0 else e
    if hard and e.sum() > 0:
        g = np.eye(m + 1)[g.argmax()]
    mixed = sum(g[k] * logits[k] for k in range(m + 1))
    return mixed, mixed


for name, of in {
    "transfusion": transfusion,
    "cross-attention": cross,
    "mbt": mbt,
    "pmf": pmf,
    "dynmm": dynmm,
    "dynmm-hard": lambda *given: dynmm(*given, hard=True),
}.items():
    for m in (2, 3, 4):
        p = Params()
        case = {}
        subsets = {"all": names[:m], "none": [], "without-audio": names[1:m]} | {f"only-{u}": [u] for u in names[:m]}
        for label, kept in subsets.items():
            found = [of(p, m, n, kept) for n in range(B)]
            case[label] = {
                "fused": np.round([fused for fused, _ in found], 7).flatten().tolist(),
                "logits": np.round([logits for _, logits in found], 7).flatten().tolist(),
            }
        case["params"] = p.names
        out[f"{name}/{m}"] = case
print(json.dumps(out))
