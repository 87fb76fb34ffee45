"""Reference values for tests/fusion, from NumPy. Run: python tests/golden/fusion.py > tests/golden/fusion.json"""
import json
import numpy as np


def wave(*shape, scale=1.0, phase=0.0):
    n = int(np.prod(shape))
    return (np.sin(1.7 * np.arange(n) + phase) * scale).reshape(shape)


out = {}
B, widths, d, C = 3, [4, 5, 6], 7, 2
f = [wave(B, w, phase=0.1 * u) for u, w in enumerate(widths)]

# Concatenation as one matrix on the stacked features, then the linear head.
W = [wave(w, d, scale=0.4, phase=0.2 * u) for u, w in enumerate(widths)]
b, V, c = wave(d, scale=0.3, phase=1), wave(d, C, scale=0.5, phase=2), wave(C, scale=0.2, phase=3)
stacked = np.concatenate(f, 1) @ np.concatenate(W, 0) + b
out["concat"] = {
    "fused": stacked.flatten().tolist(),
    "logits": (stacked @ V + c).flatten().tolist(),
    "solo": [((fu @ Wu + b / 3) @ V + c / 3).flatten().tolist() for fu, Wu in zip(f, W)],
    "withoutFirst": ((np.concatenate([0 * f[0], f[1], f[2]], 1) @ np.concatenate(W, 0) + b) @ V + c).flatten().tolist(),
}
# Without bottleneck.
W0 = [wave(w, C, scale=0.4, phase=0.2 * u) for u, w in enumerate(widths)]
out["concat0"] = (np.concatenate(f, 1) @ np.concatenate(W0, 0) + c).flatten().tolist()
# Sum of logits; sum of features.
bu = [wave(C, scale=0.2, phase=3 + u) for u in range(3)]
out["sum"] = sum(fu @ Wu + bb for fu, Wu, bb in zip(f, W0, bu)).flatten().tolist()
out["sumFeature"] = ((sum(fu @ Wu for fu, Wu in zip(f, W))) @ V + c).flatten().tolist()

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# Decision: averages of heads.
own = [fu @ Wu + bb for fu, Wu, bb in zip(f, W0, bu)]
out["decision"] = {
    "logit": (sum(own) / 3).flatten().tolist(),
    "probability": np.log(sum(softmax(l) for l in own) / 3).flatten().tolist(),
    "weighted": ((2 * own[0] + own[1] + own[2]) / 4).flatten().tolist(),
    "withoutFirst": ((own[1] + own[2]) / 2).flatten().tolist(),
}
# FiLM: the second modality is the target; the others condition it.
dt = widths[1]
Wf = {u: (wave(widths[u], 2 * dt, scale=0.3, phase=0.5 * u), wave(2 * dt, scale=0.2, phase=u)) for u in (0, 2)}
gamma = sum((f[u] @ Wf[u][0] + Wf[u][1])[:, :dt] for u in (0, 2))
beta = sum((f[u] @ Wf[u][0] + Wf[u][1])[:, dt:] for u in (0, 2))
Vt = wave(dt, C, scale=0.5, phase=2)
out["film"] = {
    "residual": (((1 + gamma) * f[1] + beta) @ Vt + c).flatten().tolist(),
    "plain": ((gamma * f[1] + beta) @ Vt + c).flatten().tolist(),
}
# Gated, bidirectional, bilinear-gated (two modalities, r = 3).
h = [fu @ Wu + wave(d, scale=0.1, phase=u) for u, (fu, Wu) in enumerate(zip(f, W))]
out["gated"] = ((h[1] * sigmoid(h[0]) * sigmoid(h[2])) @ V + c).flatten().tolist()
out["bidirectional"] = (
    sum(h[u] * np.prod([sigmoid(h[v]) for v in range(3) if v != u], 0) for u in range(3)) @ V + c
).flatten().tolist()
r = 3
g = [f[u] @ wave(widths[u], r, scale=0.4, phase=0.2 * u) + wave(r, scale=0.1, phase=u) for u in range(2)]
outer = np.einsum("bi,bj->bij", sigmoid(g[0]), g[1]).reshape(B, -1)
out["bilinear"] = (outer @ wave(r * r, C, scale=0.5, phase=2) + c).flatten().tolist()
# MMTM on maps of unequal size: audio [B, 4, 3, 2], image [B, 5, 3] (one spatial axis), text [B, 4] (none).
maps = [wave(B, 4, 3, 2, phase=0.1), wave(B, 5, 3, phase=0.2), wave(B, 4, phase=0.3)]
S = [m.reshape(B, -1, m.shape[-1]).mean(1) for m in maps]
channels = [2, 3, 4]
dz = 2 * sum(channels) // 4
Z = np.maximum(0, np.concatenate(S, 1) @ wave(9, dz, scale=0.5, phase=1) + wave(dz, scale=0.1, phase=2))
out["mmtm"] = []
for u, (m, ch) in enumerate(zip(maps, channels)):
    E = Z @ wave(dz, ch, scale=0.5, phase=3 + u) + wave(ch, scale=0.1, phase=4 + u)
    out["mmtm"].append((m * 2 * sigmoid(E).reshape([B] + [1] * (m.ndim - 2) + [ch])).flatten().tolist())
# CentralNet: two stages, width 4, two modalities.
taps = [[wave(B, 2, 3, phase=0.1 * l + u) for l in range(2)] for u in range(2)]
cw, state = 4, 0
for l in range(2):
    mix = 0
    for u in range(2):
        pooled = taps[u][l].mean(1)
        mix = mix + (0.3 + 0.1 * u) * (pooled @ wave(3, cw, scale=0.5, phase=l + u) + wave(cw, scale=0.1, phase=l + u))
    if l > 0:
        mix = mix + 0.7 * state
    state = np.maximum(0, mix @ wave(cw, cw, scale=0.6, phase=5 + l))
out["centralnet"] = {
    "fused": state.flatten().tolist(),
    "logits": (state @ wave(cw, C, scale=0.5, phase=2) + c).flatten().tolist(),
}
print(json.dumps(out))
