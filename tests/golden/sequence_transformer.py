"""Reference values of the encoder `transformer`, from NumPy.

Run: python tests/golden/sequence_transformer.py > tests/golden/sequence_transformer.json
"""
import json
import math

import numpy as np

erf = np.vectorize(math.erf)
B, T, I, D, H, DEPTH = 3, 5, 3, 4, 2, 2
out = {}


def wave(shape, scale=1.0, phase=0.0):
    return (np.sin(1.7 * np.arange(int(np.prod(shape))) + phase) * scale).reshape(shape)


for pooling in ("cls", "mean"):
    shapes = {}

    def get(name, *shape):
        name = f"encoder:x/{name}"
        shapes[name] = list(shape)
        phase = (sum((i + 1) * ord(c) for i, c in enumerate(name)) % 97) / 10
        return 1 + wave(shape, 0.1, phase) if name.endswith("/scale") else wave(shape, 0.4, phase)

    def linear(name, x, width):
        return x @ get(f"{name}/kernel", x.shape[-1], width) + get(f"{name}/bias", width)

    def norm(name, x):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-5) * get(f"{name}/scale", D) + get(f"{name}/shift", D)

    x = linear("embed", wave((B, T, I), 1, 0.1), D)
    if pooling == "cls":
        x = np.concatenate([np.tile(get("cls_token", 1, 1, D), (B, 1, 1)), x], 1)
    x = x + get("pos_embed", 1, x.shape[1], D)
    for k in range(DEPTH):
        name = f"blocks/{k}"
        q, key, v = np.split(linear(f"{name}/attn/qkv", norm(f"{name}/norm1", x), 3 * D), 3, -1)
        seen = []
        for h in range(H):
            own = slice(h * D // H, (h + 1) * D // H)
            e = np.exp(q[..., own] @ key[..., own].swapaxes(1, 2) / math.sqrt(D / H))
            seen.append(e / e.sum(-1, keepdims=True) @ v[..., own])
        x = x + linear(f"{name}/attn/proj", np.concatenate(seen, -1), D)
        inner = linear(f"{name}/mlp/fc1", norm(f"{name}/norm2", x), 2 * D)
        x = x + linear(f"{name}/mlp/fc2", inner * 0.5 * (1 + erf(inner / math.sqrt(2))), D)
    tokens = norm("norm", x)
    pooled = tokens[:, 0] if pooling == "cls" else tokens.mean(1)
    out[pooling] = {
        "shapes": shapes,
        "tokens": np.round(tokens, 7).flatten().tolist(),
        "pooled": np.round(pooled, 7).flatten().tolist(),
    }
print(json.dumps(out))
