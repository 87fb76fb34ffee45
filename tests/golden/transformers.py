"""Reference values for tests/encoders/transformers_test.ts, from PyTorch's nn.TransformerEncoderLayer.
Run: python tests/golden/transformers.py

Weights and inputs are pseudo-random numbers that both sides compute; a weight's phase is its place among the sorted names.
"""
import json
import math
import pathlib
import torch
from torch import nn

torch.set_num_threads(1)


def noise(*shape, scale=1.0, phase=0.0, mean=0.0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    large = torch.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return (mean + scale * (2 * (large - large.floor()) - 1)).float().reshape(shape)


def flat(t):
    return [float(f"{v:.7g}") for v in t.detach().flatten().tolist()]


def weights(shapes):
    """Parameters by name; norms' scales around 1."""
    made = {}
    for place, name in enumerate(sorted(shapes)):
        norm = "norm" in name.lower() and name.endswith("weight")
        made[name] = nn.Parameter(noise(*shapes[name], scale=0.3 if norm else 0.4, phase=place, mean=float(norm)))
    return made


def probe(y, w):
    (y * noise(*y.shape, phase=0.3)).sum().backward()
    dot = lambda t: float((t.double() * noise(*t.shape, phase=0.7).double()).sum())
    return {"pooled": flat(y), "names": {k: list(v.shape) for k, v in w.items()},
            "gradients": {k: {"dot": dot(v.grad), "norm": float(v.grad.double().norm())} for k, v in w.items()}}


def layer(w, x, width, heads, hidden, eps, norm_first, mask=None):
    """PyTorch's own layer, functionally on the weights w: packed in-projection, two linear layers, two norms."""
    net = nn.TransformerEncoderLayer(width, heads, hidden, dropout=0.0, activation="gelu", layer_norm_eps=eps,
                                     batch_first=True, norm_first=norm_first)
    net.train()
    return torch.func.functional_call(net, w, (x,), {"src_key_padding_mask": mask})


def vit(pooling):
    D, heads, hidden, p, depth = 12, 3, 24, 4, 2
    x = noise(2, 2, 8, 12, phase=0.1)  # [B, c, h, w]
    n = 2 * 3 + (pooling == "cls")
    shapes = {"pos_embed": (1, n, D), "patch_embed.proj.weight": (D, 2, p, p), "patch_embed.proj.bias": (D,),
              "norm.weight": (D,), "norm.bias": (D,)}
    if pooling == "cls":
        shapes["cls_token"] = (1, 1, D)
    for l in range(depth):
        b = f"blocks.{l}."
        shapes |= {b + "norm1.weight": (D,), b + "norm1.bias": (D,), b + "norm2.weight": (D,), b + "norm2.bias": (D,),
                   b + "attn.qkv.weight": (3 * D, D), b + "attn.qkv.bias": (3 * D,), b + "attn.proj.weight": (D, D),
                   b + "attn.proj.bias": (D,), b + "mlp.fc1.weight": (hidden, D), b + "mlp.fc1.bias": (hidden,),
                   b + "mlp.fc2.weight": (D, hidden), b + "mlp.fc2.bias": (D,)}
    w = weights(shapes)
    t = nn.functional.conv2d(x, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=p).flatten(2).mT
    if pooling == "cls":
        t = torch.cat([w["cls_token"].expand(len(t), -1, -1), t], 1)
    t = t + w["pos_embed"]
    for l in range(depth):
        b = f"blocks.{l}."
        t = layer({"self_attn.in_proj_weight": w[b + "attn.qkv.weight"], "self_attn.in_proj_bias": w[b + "attn.qkv.bias"],
                   "self_attn.out_proj.weight": w[b + "attn.proj.weight"], "self_attn.out_proj.bias": w[b + "attn.proj.bias"],
                   "linear1.weight": w[b + "mlp.fc1.weight"], "linear1.bias": w[b + "mlp.fc1.bias"],
                   "linear2.weight": w[b + "mlp.fc2.weight"], "linear2.bias": w[b + "mlp.fc2.bias"],
                   "norm1.weight": w[b + "norm1.weight"], "norm1.bias": w[b + "norm1.bias"],
                   "norm2.weight": w[b + "norm2.weight"], "norm2.bias": w[b + "norm2.bias"]},
                  t, D, heads, hidden, 1e-6, True)
    t = nn.functional.layer_norm(t, (D,), w["norm.weight"], w["norm.bias"], 1e-6)
    return probe(t[:, 0] if pooling == "cls" else t.mean(1), w)


def bert(pooling):
    D, heads, hidden, depth, V, T, P = 12, 2, 20, 2, 11, 6, 8
    ids = torch.tensor([[3, 7, 1, 9, 10, 2], [4, 3, 3, 0, 0, 0], [5, 0, 0, 0, 0, 0]])
    shapes = {"embeddings.word_embeddings.weight": (V, D), "embeddings.position_embeddings.weight": (P, D),
              "embeddings.token_type_embeddings.weight": (2, D), "embeddings.LayerNorm.weight": (D,),
              "embeddings.LayerNorm.bias": (D,)}
    if pooling == "pooler":
        shapes |= {"pooler.dense.weight": (D, D), "pooler.dense.bias": (D,)}
    for l in range(depth):
        b = f"encoder.layer.{l}."
        for name in ("query", "key", "value"):
            shapes |= {b + f"attention.self.{name}.weight": (D, D), b + f"attention.self.{name}.bias": (D,)}
        shapes |= {b + "attention.output.dense.weight": (D, D), b + "attention.output.dense.bias": (D,),
                   b + "attention.output.LayerNorm.weight": (D,), b + "attention.output.LayerNorm.bias": (D,),
                   b + "intermediate.dense.weight": (hidden, D), b + "intermediate.dense.bias": (hidden,),
                   b + "output.dense.weight": (D, hidden), b + "output.dense.bias": (D,),
                   b + "output.LayerNorm.weight": (D,), b + "output.LayerNorm.bias": (D,)}
    w = weights(shapes)
    t = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:T] \
        + w["embeddings.token_type_embeddings.weight"][0]
    t = nn.functional.layer_norm(t, (D,), w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"], 1e-12)
    for l in range(depth):
        b, a = f"encoder.layer.{l}.", f"encoder.layer.{l}.attention."
        names = ("query", "key", "value")
        t = layer({"self_attn.in_proj_weight": torch.cat([w[f"{a}self.{n}.weight"] for n in names]),
                   "self_attn.in_proj_bias": torch.cat([w[f"{a}self.{n}.bias"] for n in names]),
                   "self_attn.out_proj.weight": w[a + "output.dense.weight"],
                   "self_attn.out_proj.bias": w[a + "output.dense.bias"],
                   "linear1.weight": w[b + "intermediate.dense.weight"], "linear1.bias": w[b + "intermediate.dense.bias"],
                   "linear2.weight": w[b + "output.dense.weight"], "linear2.bias": w[b + "output.dense.bias"],
                   "norm1.weight": w[a + "output.LayerNorm.weight"], "norm1.bias": w[a + "output.LayerNorm.bias"],
                   "norm2.weight": w[b + "output.LayerNorm.weight"], "norm2.bias": w[b + "output.LayerNorm.bias"]},
                  t, D, heads, hidden, 1e-12, False, ids == 0)
    if pooling == "pooler":
        y = torch.tanh(t[:, 0] @ w["pooler.dense.weight"].T + w["pooler.dense.bias"])
    elif pooling == "cls":
        y = t[:, 0]
    else:
        present = (ids != 0).float().unsqueeze(2)
        y = (t * present).sum(1) / present.sum(1)
    return probe(y, w)


out = {"vit": {p: vit(p) for p in ("cls", "mean")}, "bert": {p: bert(p) for p in ("pooler", "cls", "mean")}}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out))
print(path.stat().st_size)
