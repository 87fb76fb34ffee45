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
print(json.dumps(out))
